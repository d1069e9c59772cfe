"""Three views of a figure in depth video: from the front, from the side and from above, as three channels.

A camera sees an arm that reaches towards it as a change of grey; from the side it is a movement. Distances count from
the figure's own middle, so that it does not matter how far from the camera someone stands.

Source: the three orthogonal projections of Yang, Zhang & Tian, "Recognizing Actions Using Depth Motion Maps-based
Histograms of Oriented Gradients", ACM Multimedia 2012. Points of deviation: here each frame is projected, and what
changes between frames is left to the network; a view is as bright as much of the figure lies there.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.video.foreground import THRESHOLD, Clip, crop_to_foreground

AHEAD, SPAN = 110, 160
"""Grey values (of 6.3 mm each) before the figure's middle that the views from side and above show, and in all."""
FULL = 0.25
"""Share of a line of sight that the figure has to fill for the brightest pixel."""


def project(clip: Clip, size: int) -> Clip:
    """Cut the square around the figure from every frame, and look at it from three sides.

    Args:
        clip: uint8 (frames, height, width, channels) of depth, all channels equal; 0 is no reading.
        size: edge of the result in pixels.

    Returns:
        uint8 (frames, size, size, 3): depth as it is, (down, right); from the side, (down, away from the camera); from
        above, (away from the camera, right). The last two are counted at twice the size and averaged.

    Raises:
        DataError: the channels differ, so this is no depth video.
    """
    if not (clip == clip[..., :1]).all():
        raise DataError(
            "Views from the side and from above need depth video, and this one has colours",
            "Set fit to 'centre-crop', or choose the depth stream",
        )
    edge = 2 * size
    depth = _depth(clip[..., :1], edge)
    lit = np.flatnonzero(depth)  # of all frames: places are numbers, which count several times faster than indices
    away = _from_the_middle(depth.reshape(-1)[lit], edge)
    line, right = np.divmod(lit, edge)
    side = _seen(line * edge + away, depth.shape)
    above = _seen((line // edge * edge + away) * edge + right, depth.shape)
    return np.stack([_halved(view) for view in (depth, side, above)], axis=-1)


def _depth(clip: Clip, edge: int) -> npt.NDArray[np.uint8]:
    """The figure's depth, (frames, edge, edge): of a pixel at its border, that of the figure's part, which is no nearer
    for being smaller; 0 where the figure is less than half of it."""
    seen = clip > THRESHOLD
    depth = crop_to_foreground(np.where(seen, clip, 0).astype(np.uint8), edge)[..., 0]
    share = crop_to_foreground(np.where(seen, 255, 0).astype(np.uint8), edge)[..., 0]
    return _of_the_part()[depth, share]


@cache
def _of_the_part() -> npt.NDArray[np.uint8]:
    """[a pixel's grey, the figure's share of it in 255ths] -> grey of the figure there."""
    share = np.arange(256, dtype=np.float32) / np.float32(255)
    whole = np.minimum(255, np.rint(np.arange(256, dtype=np.float32)[:, None] / np.maximum(share, 0.5)))
    return np.where(share >= 0.5, whole, 0).astype(np.uint8)


def _from_the_middle(depth: npt.NDArray[np.uint8], edge: int) -> npt.NDArray[np.int64]:
    """Depth of the figure's pixels in all frames -> 0..edge - 1."""
    if not len(depth):
        return np.zeros(0, np.int64)
    ahead = np.arange(256) - np.median(depth) + AHEAD
    return np.clip(np.floor(ahead * edge / SPAN), 0, edge - 1).astype(np.int64)[depth]


def _seen(places: npt.NDArray[np.int64], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """How many of the figure's pixels fall on each place, 0..255, (frames, edge, edge)."""
    counts = np.bincount(places, minlength=int(np.prod(shape)))
    bright = np.minimum(255.0, np.arange(counts.max(initial=0) + 1) * (255.0 / (FULL * shape[1])))
    return bright.astype(np.float32)[counts].reshape(shape)


def _halved(view: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """The mean of every two by two pixels, summed in the order of `mean`, which takes many times as long."""
    fine = view.astype(np.float32)
    total = fine[:, ::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, ::2] + fine[:, 1::2, 1::2]
    return np.asarray(np.rint(total / 4), dtype=np.uint8)
