"""The frames that a network of clips sees of a video file: which, and how large. Needs neither torch nor HDF5."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.picture import Fit, Frames, ResizeFit
from vskd.preprocessing.video.sampling import ClipSampling, clip_indices, refuse_short
from vskd.preprocessing.video.selected import Check, read_chosen_frames


@dataclass(frozen=True)
class ClipCut:
    """How clips become samples.

    Attributes:
        length: frames of a sample.
        height, width: in pixels.
        fit: how a frame becomes as large; `foreground` and `projections` need a square.
        sampling, choices: see `clip_indices`.
    """

    length: int
    height: int
    width: int
    fit: Fit = "centre-crop"
    sampling: ClipSampling = "spread"
    choices: int = 1


def chosen_frames(
    path: Path,
    cut: ClipCut,
    variable: str = "",
    span: Span | None = None,
    threads: int = 0,
    check: Check = "used",
) -> tuple[Frames, int]:
    """The chosen frames of one clip, uint8 (length * choices, height, width, channels), and how many frames it has.

    Args:
        path, variable, span, threads, check: see `read_chosen_frames`.
        cut: which frames, and how large.

    Raises:
        DataError: unreadable, without frames, or too short for the published sampling.
    """
    choose = partial(clip_indices, length=cut.length, sampling=cut.sampling, choices=cut.choices)
    if cut.fit == "foreground" or cut.fit == "projections":
        from vskd.preprocessing.video.figure import figure_frames

        clip = figure_frames(path, cut.height, cut.fit, variable, span)
        count = len(clip)
        # frames beyond the end are asked of clips that are refused below
        frames = clip[np.minimum(choose(count), count - 1)]
    else:
        frames, count = read_chosen_frames(
            path,
            choose,
            size=(cut.height, cut.width),
            variable=variable,
            fit=cut.fit,
            span=span,
            threads=threads,
            check=check,
        )
    if cut.sampling == "reference":
        refuse_short(count, cut.length, path)
    return frames, count


def pieces(path: Path, cut: ClipCut, frames: int, fit: ResizeFit) -> Iterator[tuple[Frames, int]]:
    """A long video as pieces of so many frames, one after the other: the chosen frames of each, and how many it has.

    The last piece may be shorter. One piece is in memory at a time.

    Raises:
        DataError: unreadable, or without frames.
    """
    reader = read_frames(path, size=(cut.height, cut.width), fit=fit)
    while block := list(islice(reader, frames)):
        indices = np.minimum(clip_indices(len(block), cut.length, cut.sampling, cut.choices), len(block) - 1)
        yield np.stack([block[index] for index in indices]), len(block)
