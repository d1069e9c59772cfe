"""The store of clips: recording id -> uint8 (frames, height, width, channels), a few frames of each, decoded once.

It has the layout of the store of frames and is read as one (`FrameStore`), but holds only the frames that samples are
made of: of UCF101 at 112 x 112 pixels and 16 frames 8 GB instead of 90.
"""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from vskd.preprocessing.stores.frame_store import Frames, FrameSource
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.video.chosen import ClipCut, chosen_frames
from vskd.preprocessing.video.frames import Span
from vskd.preprocessing.video.selected import Check


def build_clip_store(
    sources: Sequence[FrameSource],
    out: Path,
    cut: ClipCut,
    *,
    max_bad_fraction: float = 0.0,
    overwrite: bool = False,
    workers: int = 1,
    check: Check = "used",
    around: Callable[[FrameSource], AbstractContextManager[None]] = lambda _: contextlib.nullcontext(),
) -> StoreReport:
    """Decode clips in order and keep the frames that samples are made of, once.

    Args:
        sources: what to read.
        out: the store, an HDF5 file.
        cut: which frames, and how large.
        max_bad_fraction: a larger fraction of corrupt recordings stops the build.
        overwrite: replace a store that was made with other settings.
        workers: clips that are decoded and written at a time.
        check: see `read_chosen_frames`. A store of which every frame was checked is another store, of the same frames.
        around: see `build_store`.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    checked = {"check": check} if check == "full" else {}
    threads = 0 if workers == 1 else 1  # several clips at a time are enough to do
    return build_store(
        Plan(out, "frames", asdict(cut) | checked, max_bad_fraction),
        sources,
        partial(write_clip_frames, cut=cut, threads=threads, check=check),
        description="Decoding clips",
        overwrite=overwrite,
        workers=workers,
        around=around,
    )


def write_clip_frames(source: FrameSource, file: h5py.File, *, cut: ClipCut, threads: int, check: Check) -> Frames:
    """Write the chosen frames of one clip to `file["data"]`, with its number of frames and its rate.

    A clip whose channels are equal (depth) is stored with one, and compressed. So are three views of a figure, most of
    which are black: a quarter of the size, half a millisecond more for 20 frames of 64 x 64. A clip of natural colours
    would become a fifth smaller, and compressing it takes as long as decoding it. One chunk per frame, as in the store
    of frames.

    Returns:
        What was stored.

    Raises:
        DataError: unreadable, without frames, or too short for the published sampling.
    """
    part = source.cut
    span = Span(part.start_s, part.end_s, source.rate_hz) if part else None
    frames, count = chosen_frames(source.path, cut, source.variable, span, threads, check)
    first = frames[..., 0]  # channel by channel is ten times as fast as by pixels
    grey = all(np.array_equal(first, frames[..., channel]) for channel in range(1, frames.shape[-1]))
    stored = np.ascontiguousarray(frames[..., :1]) if grey else frames
    compression = "lzf" if grey or cut.fit == "projections" else None
    data = file.create_dataset("data", data=stored, chunks=(1, *stored.shape[1:]), compression=compression)
    data.attrs.update(frame_count=count, rate_hz=source.rate_hz)
    return stored
