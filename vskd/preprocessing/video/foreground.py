"""Crop a clip to its figure: for depth video, where 0 means that the sensor saw nothing there."""

from functools import reduce

import numpy as np
import numpy.typing as npt
from PIL import Image

Clip = npt.NDArray[np.uint8]

THRESHOLD = 16
"""Grey values up to this are noise of the video codec around no reading."""
MIN_FRACTION = 0.02
"""A pixel belongs to the figure's place if it is lit in this fraction of the frames; isolated flicker is not."""
MARGIN = 0.03
"""Empty border around the figure, as a fraction of the square's edge."""


def foreground_square(clip: Clip) -> tuple[int, int, int]:
    """The smallest square that holds the figure in all frames: (top, left, edge), which may reach beyond the picture.

    Args:
        clip: uint8 (frames, height, width, channels).
    """
    brightest = reduce(np.maximum, np.moveaxis(clip, 3, 0))  # ten times faster than clip.max(axis=3)
    lit = (brightest > THRESHOLD).mean(axis=0) > MIN_FRACTION
    rows, columns = np.flatnonzero(lit.sum(axis=1) > 1), np.flatnonzero(lit.sum(axis=0) > 1)
    if not len(rows) or not len(columns):  # nothing stands out: the middle of the picture
        height, width = lit.shape
        edge = min(height, width)
        return (height - edge) // 2, (width - edge) // 2, edge
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    edge = round(max(height, width) * (1 + 2 * MARGIN))
    return int(rows[0] + (height - edge) // 2), int(columns[0] + (width - edge) // 2), edge


def crop_to_foreground(clip: Clip, size: int) -> Clip:
    """Cut the same square from every frame and resize it.

    Args:
        clip: uint8 (frames, height, width, channels), 1 or 3 channels.
        size: edge of the result in pixels.

    Returns:
        uint8 (frames, size, size, channels).
    """
    top, left, edge = foreground_square(clip)
    box = (left, top, left + edge, top + edge)
    frames = []
    for frame in clip:
        picture = Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame)
        frames.append(np.asarray(picture.crop(box).resize((size, size), Image.Resampling.BILINEAR)))
    return np.stack(frames).reshape(len(clip), size, size, clip.shape[-1])
