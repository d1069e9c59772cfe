"""One frame as an array: scaled to a size, turned upright, cut."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError
from vskd.preprocessing.video.turn import UPRIGHT, Turn, turn_of_matrix
from vskd.preprocessing.video.video_file import import_av

if TYPE_CHECKING:
    import av

Channels = Literal[1, 3]
ResizeFit = Literal["centre-crop", "squash"]
Extent = int | tuple[int, int]
"""Edge of a square, or (height, width), in pixels."""
WholeClipFit = Literal["foreground", "projections"]
"""The square around the figure, and three views of it; both for depth video: see figure.py."""
Fit = ResizeFit | WholeClipFit
"""How a clip becomes square."""

Frames = NDArray[np.uint8]


def upright(frame: Frames, turn: Turn, first: Turn, size: Extent | None, path: Path) -> Frames:
    """A scaled frame turned upright and cut to `size`."""
    if turn.swap != first.swap:
        raise DataError(f"{path}: the camera was turned within the clip", "Cut it there, into two recordings")
    upright = turn.apply(frame)
    return np.ascontiguousarray(upright if size is None else middle(upright, size))


def both(size: Extent) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def stored(size: Extent, turn: Turn) -> tuple[int, int]:
    """Height and width of frames as they are stored, before they are turned upright."""
    height, width = both(size)
    return (width, height) if turn.swap else (height, width)


def turn_of(frame: "av.VideoFrame", path: Path) -> Turn:
    """What turns a frame upright."""
    # `frame.side_data` would be kept by the frame, which it keeps in turn: megabytes for the garbage collector to find
    mark = import_av().sidedata.sidedata.SideDataContainer(frame).get("DISPLAYMATRIX")
    return UPRIGHT if mark is None else turn_of_matrix(bytes(mark), path)


def scaled(frame: "av.VideoFrame", size: tuple[int, int], fit: ResizeFit) -> tuple[int, int]:
    """Height and width to which a frame is scaled before the middle is cut out."""
    height, width = size
    if fit == "squash":
        return height, width
    scale = max(height / frame.height, width / frame.width)
    return max(height, round(frame.height * scale)), max(width, round(frame.width * scale))


class Scaler:
    """Scales the frames of a clip; what it prepares for the first one serves all of their size. For one thread.

    Raises:
        MissingExtraError: PyAV is not installed.
    """

    def __init__(self) -> None:
        self._reformatter = import_av().video.reformatter.VideoReformatter()

    def to_array(self, frame: "av.VideoFrame", extent: tuple[int, int], channels: Channels) -> Frames:
        """A frame as uint8 (height, width, channels), scaled to height and width `extent`."""
        height, width = extent
        # AREA averages all source pixels under a target pixel: no aliasing when shrinking, unlike plain bilinear
        # sampling. By default threads are started for each frame, which takes five times as long as scaling one of
        # 320 x 240 pixels.
        colours = "gray" if channels == 1 else "rgb24"
        result = self._reformatter.reformat(frame, width, height, colours, interpolation="AREA", threads=1)
        picture: Frames = result.to_ndarray()
        return picture.reshape(height, width, channels)


def middle(picture: Frames, size: Extent) -> Frames:
    """What lies in the middle."""
    height, width = both(size)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
