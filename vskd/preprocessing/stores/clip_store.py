"""The store of clips: recording id -> uint8 (frames, height, width, channels), a few frames of each, decoded once.

It has the layout of the store of frames and is read as one (`FrameStore`), but holds only the frames that samples are
made of: of UCF101 at 112 x 112 pixels and 16 frames 8 GB instead of 90.
"""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Self

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
        workers: clips that are decoded at a time.
        check: see `read_chosen_frames`. A store of which every frame was checked is another store, of the same frames.
        around: the context in which a clip is read and written, e.g. to take its time.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    checked = {"check": check} if check == "full" else {}
    plan = Plan(out, "frames", asdict(cut) | checked, max_bad_fraction)
    threads = 0 if workers == 1 else 1  # several clips at a time are enough to do
    with Ahead(sources, lambda source: _frames_of(source, cut, threads, check), workers) as ahead:

        def write(source: FrameSource, file: h5py.File) -> Frames:
            with around(source):
                return write_clip_frames(source, file, decode=ahead)

        return build_store(plan, sources, write, description="Decoding clips", overwrite=overwrite)


def _frames_of(source: FrameSource, cut: ClipCut, threads: int, check: Check) -> tuple[Frames, int]:
    part = source.cut
    span = Span(part.start_s, part.end_s, source.rate_hz) if part else None
    return chosen_frames(source.path, cut, source.variable, span, threads, check)


Decode = Callable[[FrameSource], tuple[Frames, int]]
"""Source -> its chosen frames, and how many frames it has."""


class Ahead:
    """Decodes clips in threads before they are asked for, in the order of a list; a context manager.

    What is decoded and not yet taken is at most `workers` clips.

    Args:
        sources: in the order in which they will be asked for; some may never be.
        decode: does the work.
        workers: threads.
    """

    def __init__(self, sources: Sequence[FrameSource], decode: Decode, workers: int) -> None:
        self._sources, self._decode, self._workers = list(sources), decode, workers
        self._place = {source.id: number for number, source in enumerate(self._sources)}
        self._pool = ThreadPoolExecutor(workers)
        self._waiting: dict[str, Future[tuple[Frames, int]]] = {}

    def __call__(self, source: FrameSource) -> tuple[Frames, int]:
        """See `Decode`; raises as the decoder does."""
        if self._workers == 1:
            return self._decode(source)
        start = self._place[source.id]
        coming = self._sources[start : start + self._workers]
        self._waiting = {i: f for i, f in self._waiting.items() if self._place[i] >= start}
        for one in coming:
            if one.id not in self._waiting:
                self._waiting[one.id] = self._pool.submit(self._decode, one)
        return self._waiting.pop(source.id).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def write_clip_frames(source: FrameSource, file: h5py.File, *, decode: Decode) -> Frames:
    """Write the chosen frames of one clip to `file["data"]`, with its number of frames and its rate.

    A clip whose channels are equal (depth) is stored with one, and compressed. One of natural colours would become a
    fifth smaller, and compressing it takes as long as decoding it. One chunk per frame, as in the store of frames.

    Returns:
        What was stored.

    Raises:
        DataError: unreadable, without frames, or too short for the published sampling.
    """
    frames, count = decode(source)
    first = frames[..., 0]  # channel by channel is ten times as fast as by pixels
    grey = all(np.array_equal(first, frames[..., channel]) for channel in range(1, frames.shape[-1]))
    stored = np.ascontiguousarray(frames[..., :1]) if grey else frames
    compression = "lzf" if grey else None
    data = file.create_dataset("data", data=stored, chunks=(1, *stored.shape[1:]), compression=compression)
    data.attrs.update(frame_count=count, rate_hz=source.rate_hz)
    return stored
