"""Write a synthetic world to disk in the UTD-MHAD layout: the same settings give the same bytes."""

import io
import itertools
import logging
from pathlib import Path

import numpy as np
from scipy.io import savemat

from vskd.datasets.synthetic.actions import Array
from vskd.datasets.synthetic.render import encode_video, frames
from vskd.datasets.synthetic.settings import MANIFEST, WorldSettings, load_settings, make_settings, save_settings
from vskd.datasets.synthetic.world import make_subject, perform, sense
from vskd.errors import DataError
from vskd.files import write_bytes
from vskd.progress import track

logger = logging.getLogger(__name__)

# The header's descriptive text ends before the version field; scipy writes the time into it.
_MAT_TEXT = b"MATLAB 5.0 MAT-file, written by vskd".ljust(116)


def write_world(root: Path, *, subjects: int = 8, actions: int = 8, trials: int = 4, seed: int = 0) -> int:
    """Write `actions` x `subjects` x `trials` paired recordings (wrist sensor and video) into `root`.

    Every file appears complete or not at all, and each recording depends on the seed and its own numbers only: an
    interrupted world is completed by the same call, and a smaller world is part of a larger one of the same seed.

    Args:
        root: folder to fill; new, empty, or holding a world of the same settings.
        subjects: number of subjects; actions: how many of `settings.ACTIONS`, the first ones; trials: trials of each.
        seed: equal seeds give equal bytes.

    Returns:
        Number of recordings written now; those already there are kept.

    Raises:
        DataError: a number is out of range, or `root` holds something else.
        WriteError: `root` cannot be written, or the disk is full.
    """
    settings = make_settings(subjects=subjects, actions=actions, trials=trials, seed=seed)
    _claim(root, settings)
    grid = list(itertools.product(range(1, actions + 1), range(1, subjects + 1), range(1, trials + 1)))
    written = sum(_write_recording(root, settings, *numbers) for numbers in track(grid, "Writing synthetic recordings"))
    logger.info("%s: %d recordings written, %d were there", root, written, len(grid) - written)
    return written


def _claim(root: Path, settings: WorldSettings) -> None:
    """Refuse a folder of other content; record the settings in a new one."""
    if (root / MANIFEST).exists():
        if load_settings(root) != settings:
            raise DataError(
                f"{root} holds a synthetic world of other settings (see {root / MANIFEST})",
                "Choose another folder, or delete that one",
            )
        return
    if root.is_dir() and any(root.iterdir()):
        raise DataError(f"{root} is not empty and holds no synthetic world", "Choose a new or empty folder")
    save_settings(root, settings)


def _write_recording(root: Path, settings: WorldSettings, action: int, subject: int, trial: int) -> bool:
    """Write the two files of one recording, unless they are there."""
    name = f"a{action}_s{subject}_t{trial}"
    sensor, video = root / "Inertial" / f"{name}_inertial.mat", root / "RGB" / f"{name}_color.mp4"
    if sensor.exists() and video.exists():
        return False
    person = make_subject(settings.seed, subject)
    rng = np.random.default_rng([settings.seed, 2, action, subject, trial])
    motion = perform(settings.actions[action - 1], person, rng)
    write_bytes(sensor, encode_mat(sense(motion, person, settings.sensor_rate_hz, rng)))
    pictures = frames(motion, rng.uniform(0.0, 1.0, 2), settings.frame_rate_hz, settings.frame_size)
    write_bytes(video, encode_video(pictures, settings.frame_rate_hz, settings.frame_size))
    return True


def encode_mat(samples: Array) -> bytes:
    """Samples (T, 6) as a MATLAB 5 file with the array `d_iner` and without a date."""
    buffer = io.BytesIO()
    savemat(buffer, {"d_iner": samples}, do_compression=True)
    return _MAT_TEXT + buffer.getvalue()[len(_MAT_TEXT) :]
