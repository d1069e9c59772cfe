"""The store of clips: recording id -> uint8 (frames, height, width, channels), a few frames of each, decoded once.

It has the layout of the store of frames and is read as one (`FrameStore`), but holds only the frames that samples are
made of: of UCF101 at 112 x 112 pixels and 16 frames 8 GB instead of 90.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from vskd.preprocessing.stores.frame_store import Frames, FrameSource
from vskd.preprocessing.stores.store import Plan, StoreReport, Write, build_store
from vskd.preprocessing.video.foreground import crop_to_foreground
from vskd.preprocessing.video.frames import Fit, read_chosen_frames, read_frames
from vskd.preprocessing.video.sampling import ClipSampling, clip_indices, refuse_short


@dataclass(frozen=True)
class ClipCut:
    """How clips become samples.

    Attributes:
        length: frames of a sample.
        height, width: in pixels.
        fit: how a frame becomes as large; `foreground` needs a square.
        sampling, choices: see `clip_indices`.
    """

    length: int
    height: int
    width: int
    fit: Fit = "centre-crop"
    sampling: ClipSampling = "spread"
    choices: int = 1


def build_clip_store(
    sources: Sequence[FrameSource],
    out: Path,
    cut: ClipCut,
    *,
    max_bad_fraction: float = 0.0,
    overwrite: bool = False,
    write: Write[FrameSource] | None = None,
) -> StoreReport:
    """Decode clips in order and keep the frames that samples are made of, once.

    Args:
        sources: what to read.
        out: the store, an HDF5 file.
        cut: which frames, and how large.
        max_bad_fraction: a larger fraction of corrupt recordings stops the build.
        overwrite: replace a store that was made with other settings.
        write: stands around `write_clip_frames`, e.g. to take its time.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    plan = Plan(out, "frames", asdict(cut), max_bad_fraction)
    write = write or partial(write_clip_frames, cut=cut)
    return build_store(plan, sources, write, description="Decoding clips", overwrite=overwrite)


def write_clip_frames(source: FrameSource, file: h5py.File, *, cut: ClipCut) -> None:
    """Write the chosen frames of one clip to `file["data"]`, with its number of frames and its rate.

    A clip whose channels are equal (depth) is stored with one. One chunk per frame, as in the store of frames.

    Raises:
        DataError: unreadable, without frames, or too short for the published sampling.
    """
    frames, count = chosen_frames(source, cut)
    stored = frames[..., :1] if (frames == frames[..., :1]).all() else frames
    data = file.create_dataset("data", data=stored, chunks=(1, *stored.shape[1:]), compression="lzf")
    data.attrs.update(frame_count=count, rate_hz=source.rate_hz)


def chosen_frames(source: FrameSource, cut: ClipCut) -> tuple[Frames, int]:
    """The chosen frames of one clip, uint8 (length * choices, height, width, channels), and how many frames it has.

    Raises:
        DataError: unreadable, without frames, or too short for the published sampling.
    """
    choose = partial(clip_indices, length=cut.length, sampling=cut.sampling, choices=cut.choices)
    if cut.fit == "foreground":  # the place of the figure is known only after the whole clip was seen
        clip = np.stack(list(read_frames(source.path, size=None, variable=source.variable)))
        count = len(clip)
        # frames beyond the end are asked of clips that are refused below
        frames = crop_to_foreground(clip, cut.height)[np.minimum(choose(count), count - 1)]
    else:
        extent = (cut.height, cut.width)
        frames, count = read_chosen_frames(source.path, choose, size=extent, variable=source.variable, fit=cut.fit)
    if cut.sampling == "reference":
        refuse_short(count, cut.length, source.path)
    return frames, count
