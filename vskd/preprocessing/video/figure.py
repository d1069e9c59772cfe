"""Clips of which the whole has to be seen before its frames can be cut: depth video, around the figure."""

from pathlib import Path

import numpy as np

from vskd.errors import DataError
from vskd.preprocessing.video.foreground import crop_to_foreground
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.picture import Frames, WholeClipFit
from vskd.preprocessing.video.projections import project


def figure_frames(path: Path, size: int, fit: WholeClipFit, variable: str = "", span: Span | None = None) -> Frames:
    """All frames of a clip, or of a part of it, cut to the figure's place in all of them.

    Args:
        path, variable, span: see `vskd.preprocessing.video.frames.read_frames`.
        size: edge of the square frames in pixels.
        fit: `foreground` cuts, `projections` also looks from the side and from above.

    Returns:
        uint8 (frames, size, size, 3).

    Raises:
        DataError: unreadable, or without frames; or projections of a video that is not of depth.
    """
    clip = np.stack(list(read_frames(path, size=None, variable=variable, span=span)))
    if fit == "foreground":
        return crop_to_foreground(clip, size)
    try:
        return project(clip, size)
    except DataError as error:
        raise DataError(f"{path}: {error.problem}", error.action) from error
