"""Depth clips in mm, (height, width, frames) in .mat files, as grey pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError
from vskd.preprocessing.matfile import read_mat
from vskd.preprocessing.video.video_file import DAMAGED, import_av

if TYPE_CHECKING:
    import av

DEPTH_NEAR_MM, DEPTH_RANGE_MM = 1800.0, 1600.0
"""Working range of the grey depth picture: nearer than 1.8 m is 1, farther than 3.4 m is 255, no reading is 0."""


def depth_to_grey(depth_mm: NDArray[Any]) -> NDArray[np.uint8]:
    """Depth in mm to grey: 1 + 254 (mm - 1800) / 1600, clipped to 1..255; 0 where the sensor had no reading."""
    millimetres = depth_mm.astype(np.float32)
    grey = np.clip(np.rint(1.0 + 254.0 * (millimetres - DEPTH_NEAR_MM) / DEPTH_RANGE_MM), 1.0, 255.0)
    return np.where(millimetres > 0, grey, 0.0).astype(np.uint8)


def check_depth_shape(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse what is no depth clip.

    Raises:
        DataError: it has not three dimensions, or is empty.
    """
    if len(shape) != 3 or 0 in shape:
        raise DataError(f"{path}: a depth clip must be (height, width, frames), got shape {shape}", DAMAGED)


def depth_frames(path: Path, variable: str) -> Iterator["av.VideoFrame"]:
    """The frames of a .mat file as grey pictures, in order.

    Raises:
        DataError: unreadable, or of another shape.
    """
    av = import_av()
    depth = read_mat(path, variable)
    check_depth_shape(path, depth.shape)
    for index in range(depth.shape[2]):
        yield av.VideoFrame.from_ndarray(depth_to_grey(depth[:, :, index]), format="gray")
