"""The store of video frames: recording id -> uint8 (frames, size, size, channels), decoded once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from vskd.errors import CacheError
from vskd.preprocessing.stores.checksum import NAME, check
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Store, refusing_damage
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.video.figure import figure_frames
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.picture import Fit

Frames = npt.NDArray[np.uint8]

BLOCK = 64
"""Frames in memory at a time while decoding."""


@dataclass(frozen=True, slots=True)
class FrameSource:
    """A video stream of one recording; see `vskd.preprocessing.video.frames.read_frames`.

    Attributes:
        cut: the part that is stored; None stores the whole clip.
    """

    id: str
    path: Path
    variable: str
    rate_hz: float
    cut: Cut | None = None


def build_frame_store(
    sources: Sequence[FrameSource],
    out: Path,
    *,
    size: int,
    fit: Fit = "centre-crop",
    max_bad_fraction: float = 0.0,
    overwrite: bool = False,
) -> StoreReport:
    """Decode, crop and resize clips, once. Clips whose channels are equal (depth) are stored with one channel.

    Args:
        sources: what to read.
        out: the store, an HDF5 file.
        size: edge of the square frames in pixels.
        fit: see `vskd.preprocessing.video.picture.Fit`.
        max_bad_fraction: a larger fraction of corrupt recordings stops the build.
        overwrite: replace a store that was made with other settings.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    plan = Plan(out, "frames", {"size": size, "fit": fit}, max_bad_fraction)
    return build_store(
        plan, sources, partial(write_clip, size=size, fit=fit), description="Decoding frames", overwrite=overwrite
    )


def write_clip(source: FrameSource, file: h5py.File, *, size: int, fit: Fit) -> None:
    """Write all frames of one clip to `file["data"]`, with frame count and rate.

    Raises:
        DataError: unreadable, or without frames.
    """
    frames = clip_frames(source, size=size, fit=fit)
    while block := list(islice(frames, BLOCK)):
        _append(file, np.stack(block))
    data = file["data"]
    data.attrs.update(frame_count=len(data), rate_hz=source.rate_hz)


def clip_frames(source: FrameSource, *, size: int, fit: Fit) -> Iterator[Frames]:
    """The frames of one clip, cropped and resized: uint8 (size, size, channels).

    Raises:
        DataError: unreadable, or without frames.
    """
    span = Span(source.cut.start_s, source.cut.end_s, source.rate_hz) if source.cut else None
    if fit == "foreground" or fit == "projections":
        yield from figure_frames(source.path, size, fit, source.variable, span)
    else:
        yield from read_frames(source.path, size=size, variable=source.variable, fit=fit, span=span)


def _append(file: h5py.File, block: Frames) -> None:
    """Add frames; one channel as long as all frames so far are grey.

    One chunk per frame, so that a few frames are read without the others. lzf makes depth video seven times smaller and
    costs 0.3 ms for eight frames of 112 x 112.
    """
    grey = bool((block == block[..., :1]).all())
    if "data" not in file:
        block = block[..., :1] if grey else block
        _create(file, block)
        return
    data = file["data"]
    if data.shape[3] == 1 and not grey:
        # a grey beginning, e.g. a black frame: what is there becomes three equal channels
        earlier = data[:]
        del file["data"]
        data = _create(file, np.repeat(earlier, block.shape[3], axis=3))
    data.resize(len(data) + len(block), axis=0)
    data[-len(block) :] = block[..., : data.shape[3]]


def _create(file: h5py.File, block: Frames) -> h5py.Dataset:
    shape = block.shape[1:]
    return file.create_dataset("data", data=block, chunks=(1, *shape), maxshape=(None, *shape), compression="lzf")


class FrameStore(Store):
    """Reads frames by recording id and number."""

    kind = "frames"

    def num_frames(self, recording: str) -> int:
        """Frames of a clip."""
        return int(self.dataset(recording).shape[0])

    def rate_hz(self, recording: str) -> float:
        """Frames per second of the clip."""
        return float(self.fact(recording, "rate_hz"))

    def frames(self, recording: str, indices: npt.NDArray[np.int64]) -> Frames:
        """Frames `indices` (in any order, repeats allowed) of a clip: uint8 (n, size, size, channels).

        Raises:
            CacheError: not in the store, or the clip has fewer frames.
        """
        data = self.dataset(recording)
        if len(indices) and (min(indices) < 0 or max(indices) >= len(data)):
            raise CacheError(
                f"{self.path}: frames {min(indices)} to {max(indices)} asked of {recording}, which has {len(data)}",
                "Take the indices from `num_frames` of this store",
            )
        result = np.empty((len(indices), *data.shape[1:]), dtype=np.uint8)
        with refusing_damage(self.path):
            for row, index in enumerate(indices):  # twenty times faster than one selection of all frames
                data.read_direct(result, np.s_[int(index)], np.s_[row])
            check(result, data.attrs[NAME][indices], recording)
        return result
