"""Write a synthetic world to disk in the UTD-MHAD layout: the same settings give the same bytes."""

import io
import itertools
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from vskd.datasets.synthetic.actions import Array
from vskd.datasets.synthetic.render import encode_video, frames
from vskd.datasets.synthetic.settings import MANIFEST, WorldSettings, load_settings, make_settings, save_settings
from vskd.datasets.synthetic.world import make_subject, perform, sense
from vskd.datasets.synthetic.world import track as track_joints
from vskd.errors import DataError
from vskd.files import is_temporary, sweep, write_bytes
from vskd.locks import LOCK, only_writer
from vskd.progress import track
from vskd.sums import Sums, SumsError

logger = logging.getLogger(__name__)

FOLDERS = ("Inertial", "RGB", "Skeleton")
RECORDED_AT_ONCE = 16
"""Recordings after which their hashes are written: so many are lost at most when the process is killed."""
Numbers = tuple[int, int, int]
"""Action, subject, trial."""

# The header's descriptive text ends before the version field; scipy writes the time into it.
_MAT_TEXT = b"MATLAB 5.0 MAT-file, written by vskd".ljust(116)


def write_world(
    root: Path, *, subjects: int = 8, actions: int = 8, trials: int = 4, seed: int = 0, skeletons: bool = False
) -> int:
    """Write `actions` x `subjects` x `trials` paired recordings (wrist sensor and video) into `root`.

    Every file appears complete or not at all, and each recording depends on the seed and its own numbers only: an
    interrupted world is completed by the same call, and a smaller world is part of a larger one of the same seed.
    SHA256SUMS holds the hashes of the finished files; a file of another content is written again.

    Args:
        root: folder to fill; new, empty, or holding a world of the same settings.
        subjects: number of subjects; actions: how many of `settings.ACTIONS`, the first ones; trials: trials of each.
        seed: equal seeds give equal bytes.
        skeletons: whether a tracker's joints are written, too; the other files are the same either way.

    Returns:
        Number of recordings written now; those already there are kept.

    Raises:
        DataError: a number is out of range, or `root` holds something else.
        WriteError: `root` cannot be written, or the disk is full.
    """
    settings = make_settings(subjects=subjects, actions=actions, trials=trials, seed=seed, skeletons=skeletons)
    _refuse_other(root, settings)  # before anything is written there
    grid = list(itertools.product(range(1, actions + 1), range(1, subjects + 1), range(1, trials + 1)))
    with only_writer(root / LOCK, root, wait=True):
        missing = _missing(root, settings, grid)
        finished: list[str] = []
        try:
            for numbers in track(missing, "Writing synthetic recordings"):
                _write_recording(root, settings, *numbers)
                finished += _files(settings, numbers)
                if len(finished) >= len(_files(settings, numbers)) * RECORDED_AT_ONCE:
                    Sums(root).record(finished)
                    finished.clear()
        finally:
            if finished:
                Sums(root).record(finished)
    logger.info("%s: %d recordings written, %d were there", root, len(missing), len(grid) - len(missing))
    return len(missing)


def _missing(root: Path, settings: WorldSettings, grid: Sequence[Numbers]) -> list[Numbers]:
    """The recordings that are not there as they were recorded; the settings are written into a new world."""
    for folder in (root, *(root / name for name in FOLDERS)):
        sweep(folder)
    sums, files = Sums(root), [name for numbers in grid for name in _files(settings, numbers)]
    new = not (root / MANIFEST).exists()
    try:
        known = sums.recorded()
        if not known:
            save_settings(root, settings)
            # a world of before hashes were recorded is taken as it is
            sums.record([MANIFEST, *(name for name in files if not new and (root / name).is_file())])
        damaged = set(sums.damaged(files))
    except SumsError as error:
        logger.warning("%s; all recordings are written again", error.problem)
        sums.clear()
        sums.record([MANIFEST])
        return list(grid)
    for name in sorted(damaged & known.keys()):
        logger.warning("%s is missing or damaged; it is written again", root / name)
    return [numbers for numbers in grid if damaged.intersection(_files(settings, numbers))]


def _files(settings: WorldSettings, numbers: Numbers) -> tuple[str, ...]:
    """Sensor and video file of a recording, and its skeleton where there are any, relative to the world."""
    name = "a{}_s{}_t{}".format(*numbers)
    files = f"{FOLDERS[0]}/{name}_inertial.mat", f"{FOLDERS[1]}/{name}_color.mp4"
    return (*files, f"{FOLDERS[2]}/{name}_skeleton.mat") if settings.skeletons else files


def _refuse_other(root: Path, settings: WorldSettings) -> None:
    """Refuse a folder of other content."""
    if (root / MANIFEST).exists():
        if load_settings(root) != settings:
            raise DataError(
                f"{root} holds a synthetic world of other settings (see {root / MANIFEST})",
                "Choose another folder, or delete that one",
            )
        return
    if root.is_dir() and any(path.name != LOCK and not is_temporary(path.name) for path in root.iterdir()):
        raise DataError(f"{root} is not empty and holds no synthetic world", "Choose a new or empty folder")


def _write_recording(root: Path, settings: WorldSettings, action: int, subject: int, trial: int) -> None:
    """Write the files of one recording; their hashes, not the disk, will say that they are whole."""
    sensor, video, *skeleton = (root / name for name in _files(settings, (action, subject, trial)))
    person = make_subject(settings.seed, subject)
    rng = np.random.default_rng([settings.seed, 2, action, subject, trial])
    motion = perform(settings.actions[action - 1], person, rng)
    samples = sense(motion, person, settings.sensor_rate_hz, rng)
    write_bytes(sensor, encode_mat(samples, "d_iner"), durable=False)
    pictures = frames(motion, rng.uniform(0.0, 1.0, 2), settings.frame_rate_hz, settings.frame_size)
    write_bytes(video, encode_video(pictures, settings.frame_rate_hz, settings.frame_size), durable=False)
    for path in skeleton:
        write_bytes(path, encode_mat(track_joints(motion, settings.frame_rate_hz, rng), "d_skel"), durable=False)


def encode_mat(values: Array, variable: str = "d_iner") -> bytes:
    """An array as a MATLAB 5 file with one variable and without a date."""
    buffer = io.BytesIO()
    savemat(buffer, {variable: values}, do_compression=True)
    return _MAT_TEXT + buffer.getvalue()[len(_MAT_TEXT) :]
