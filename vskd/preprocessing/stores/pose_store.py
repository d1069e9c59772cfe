"""Stores of poses: a folder with one HDF5 file per video, and `poses.json`, which lists them.

Safe against being killed at any moment: each file is complete or absent, and a second run makes only what is missing,
damaged, or was made of another video or with other settings. `poses.json` is written last, and only readers need it.

A file holds, both with checksums (checksum.py),
  `data`  float32 (frames, 33, 8): x, y, z in pixels of the upright picture (z from the hips away from the camera, in
          the same scale), x, y, z in metres about the middle of the hips, and the probabilities that the joint is
          visible and that it is in the picture
  `box`   float32 (frames, 5): the square in which the person was seen, its centre, edge (pixels) and angle (radians),
          and the probability that there is a person
A frame in which nobody was found is NaN in both. Attributes of `data`: rate_hz, settings (JSON), part (seconds of the
video; empty of a whole one), and those of any store.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, first_few
from vskd.files import write_json
from vskd.locks import lock_of, only_writer
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.stores.checksum import DAMAGE, checked, seal
from vskd.preprocessing.stores.store import NAMED_FAILURES, StoreFailure
from vskd.preprocessing.stores.store_file import member_name
from vskd.preprocessing.stores.store_parts import SOURCE, content_of_part, source_hash, write_part
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.pose import Choice, PoseNetworks, bodies
from vskd.preprocessing.video.pose_landmarks import JOINTS, Body
from vskd.progress import track

Array = npt.NDArray[np.float32]

LIST = "poses.json"
SCHEMA = 1
SPACES = {"image": slice(0, 3), "world": slice(3, 6)}
"""What of a file's columns are the joints' coordinates."""
VISIBILITY = 6
COLUMNS, BOX = 8, 5
SETTINGS = "settings"


@dataclass(frozen=True)
class PoseSource:
    """A video of one recording; `rate_hz` counts frames, and `reading` says which part of it the recording is."""

    id: str
    path: Path
    rate_hz: float
    reading: Reading | None = None

    @property
    def part(self) -> tuple[float, ...]:
        """Seconds of the video; empty of a whole one."""
        return () if self.reading is None else self.reading.seconds or ()

    @property
    def span(self) -> Span | None:
        """The same as the reader of frames wants it."""
        seconds = None if self.reading is None else self.reading.seconds
        return Span(seconds[0], seconds[1], self.rate_hz) if seconds else None


@dataclass(frozen=True)
class PoseReport:
    """What `build_poses` did.

    Attributes:
        path: the folder.
        stored: recordings with a pose; reused: those of them that were there already.
        frames: of all of them; empty: those of them in which nobody was found.
        failures: recordings that are left out, and why.
    """

    path: Path
    stored: int
    reused: int
    frames: int
    empty: int
    failures: tuple[StoreFailure, ...]


@dataclass(frozen=True)
class PoseSettings:
    """How poses are made.

    Attributes:
        models: name of each network's file -> its SHA-256.
        person: who is followed where there are several.
    """

    models: dict[str, str]
    person: Choice = "nearest"

    def text(self) -> str:
        """As it is stored."""
        return json.dumps({"models": self.models, "person": self.person, "schema": SCHEMA}, sort_keys=True)


def build_poses(
    sources: Sequence[PoseSource],
    out: Path,
    networks: PoseNetworks,
    settings: PoseSettings,
    *,
    max_empty: float,
    max_bad_fraction: float = 0.0,
) -> PoseReport:
    """Find the person in every frame of some videos.

    Args:
        sources: the videos.
        out: folder of the poses.
        networks: who look.
        settings: how; `networks` are those that it names.
        max_empty: a video in more than this fraction of whose frames nobody is found is left out.
        max_bad_fraction: a larger fraction of videos that are left out is refused.

    Raises:
        DataError: no videos, or too many are left out; they are named.
        WriteError: the folder cannot be written; what is finished is kept.
    """
    if not sources:
        raise DataError(f"{out}: there are no videos to look at", "Check the data folder with `vskd datasets index`")
    rows: dict[str, dict[str, Any]] = {}
    failures: list[StoreFailure] = []
    reused = 0
    with only_writer(lock_of(out), out, wait=True):
        for source in track(sources, "Finding people"):
            try:
                there, row = _one(source, out, networks, settings)
                _refuse_empty(source, row, max_empty)
            except DataError as error:
                failures.append(StoreFailure(source.id, str(source.path), error.problem))
                continue
            rows[source.id], reused = row, reused + there
        _refuse_failures(failures, len(sources), max_bad_fraction)
        left_out = {failure.id: failure.problem for failure in failures}
        settled = {SETTINGS: json.loads(settings.text()), "recordings": rows, "left_out": left_out}
        write_json(out / LIST, settled)
    frames, empty = (sum(row[key] for row in rows.values()) for key in ("frames", "empty"))
    return PoseReport(out, len(rows), reused, frames, empty, tuple(failures))


def _one(source: PoseSource, out: Path, networks: PoseNetworks, settings: PoseSettings) -> tuple[bool, dict[str, Any]]:
    """Whether the poses of a video were there already, and what `poses.json` says of them."""
    part = out / f"{member_name(source.id)}.h5"
    digest = source_hash(source.path)
    there = content_of_part(part) != "" and _made_as(part, source, digest, settings)
    if not there:
        with contextlib.suppress(OSError):  # whoever reads the folder meanwhile must not take old poses for new ones
            (out / LIST).unlink()
        write_part(part, source.path, digest, partial(_write, source, networks, settings))
    data = read_poses(part)[0]
    empty = int(np.isnan(data[:, 0, 0]).sum())
    size = source.path.stat().st_size
    return there, {"file": part.name, "video_bytes": size, "frames": len(data), "empty": empty}


def _made_as(part: Path, source: PoseSource, digest: str, settings: PoseSettings) -> bool:
    """Whether a file was made of this video, in this way, and is whole."""
    with contextlib.suppress(*DAMAGE), h5py.File(part, "r", locking=False) as file:
        checked(file["box"])
        attributes = file["data"].attrs
        stated = bytes(attributes[SOURCE]).decode(), bytes(attributes[SETTINGS]).decode(), float(attributes["rate_hz"])
        return (*stated, tuple(attributes["part"].tolist())) == (digest, settings.text(), source.rate_hz, source.part)
    return False


def _write(source: PoseSource, networks: PoseNetworks, settings: PoseSettings, file: h5py.File) -> None:
    if source.path.suffix.lower() == ".mat":
        raise DataError(f"{source.path}: is a depth clip", "Name a stream of ordinary video")
    if not source.rate_hz:
        raise DataError(f"{source.path}: does not say its frame rate, which smoothing needs", "Convert it to .mp4")
    frames = read_frames(source.path, size=None, span=source.span)
    found = [_row(body) for body in bodies(frames, networks, rate_hz=source.rate_hz, person=settings.person)]
    data = file.create_dataset("data", data=np.stack([row for row, _ in found]), compression="gzip", shuffle=True)
    data.attrs.update({"rate_hz": source.rate_hz, "part": source.part, SETTINGS: np.bytes_(settings.text())})
    seal(file.create_dataset("box", data=np.stack([box for _, box in found])))


def _row(body: Body | None) -> tuple[Array, Array]:
    """A frame of `data` and of `box`."""
    if body is None:
        return np.full((JOINTS, COLUMNS), np.nan, np.float32), np.full(BOX, np.nan, np.float32)
    square = body.square
    row = np.hstack([body.joints, body.metres, body.visibility[:, None], body.presence[:, None]])
    box = np.array([square.x, square.y, square.edge, square.angle, body.score])
    return row.astype(np.float32), box.astype(np.float32)


def _refuse_empty(source: PoseSource, row: dict[str, Any], most: float) -> None:
    if row["empty"] > most * row["frames"] or row["empty"] == row["frames"]:
        raise DataError(
            f"{source.path}: nobody is found in {row['empty']} of its {row['frames']} frames",
            "Look at the video, or allow more with --max-empty",
        )


def _refuse_failures(failures: Sequence[StoreFailure], count: int, most: float) -> None:
    if len(failures) > most * count or len(failures) == count:
        raise DataError(
            f"{len(failures)} of {count} videos are left out, more than the allowed {most:.0%}: "
            f"{first_few([failure.problem for failure in failures], NAMED_FAILURES)}",
            "Allow more with --max-empty or --max-bad-fraction; what was found is kept for the next run",
        )


def read_poses(path: Path) -> tuple[Array, Array]:
    """`data` and `box` of one video; see the head of this file.

    Raises:
        DataError: missing, damaged, or no file of poses.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Run `vskd preprocess pose` again")
    with _refusing_damage(path), h5py.File(path, "r", locking=False) as file:
        data, box = checked(file["data"]), checked(file["box"])
    if data.ndim != 3 or data.shape[1:] != (JOINTS, COLUMNS) or box.shape != (len(data), BOX):
        raise DataError(f"{path}: is no file of poses ({data.shape})", "Run `vskd preprocess pose` again")
    return data.astype(np.float32), box.astype(np.float32)


@contextlib.contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise DataError(f"{path}: is damaged ({error})", "Run `vskd preprocess pose` again") from error
