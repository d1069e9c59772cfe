"""The squares in which a pose network sees a person: cut out of a picture, and their points put back into it.

Coordinates of a picture are pixels to the right and down; whole numbers are the centres of pixels. Coordinates of a
square are fractions of its edge from its upper left corner. Both as MediaPipe has them, whose networks are used.

Source: Bazarevsky et al., "BlazePose: On-device real-time body pose tracking", 2020 (arXiv 2006.10204); the graphs
`pose_detection_to_roi` and `pose_landmarks_to_roi` of MediaPipe 0.10.21.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

ROOM = 1.25
"""Edge of the square about a person, in diameters of the circle about the hips that holds the body."""
FRACTIONS = 32
"""Places within a pixel."""


@dataclass(frozen=True)
class Square:
    """A square that may be turned, and may reach beyond the picture.

    Attributes:
        x, y: its centre, in pixels.
        edge: in pixels.
        angle: radians by which it is turned, clockwise as the picture is seen.
    """

    x: float
    y: float
    edge: float
    angle: float = 0.0

    def to_picture(self, points: Points) -> Points:
        """Points of the square, (n, 2 or 3) -> of the picture; a third coordinate is scaled as the others are."""
        placed = turned(points - [0.5, 0.5, 0.0][: points.shape[1]], self.angle) * self.edge
        return placed + [self.x, self.y, 0.0][: points.shape[1]]


def turned(points: Points, angle: float) -> Points:
    """Points (n, 2 or 3) turned by `angle` about the origin, in the plane of the picture.

    >>> turned(np.array([[1.0, 0.0, 5.0]]), math.pi / 2).round(6).tolist()
    [[0.0, 1.0, 5.0]]
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = points[:, 0], points[:, 1]
    return np.column_stack([cosine * x - sine * y, sine * x + cosine * y, *points[:, 2:].T])


def whole(picture: Picture) -> Square:
    """The square about a whole picture, (height, width, channels)."""
    height, width = picture.shape[:2]
    return Square(width / 2, height / 2, max(height, width))


def about_person(hips: Points, reach: Points) -> Square | None:
    """The square about a person, turned so that the person is upright in it.

    Args:
        hips: (2,) the middle of the hips, in pixels.
        reach: (2,) a point above it, as far from the hips as any part of the body.

    Returns:
        None where the two points are one.
    """
    right, down = reach - hips
    distance = math.hypot(right, down)
    if not distance > 0:
        return None
    angle = math.remainder(math.pi / 2 - math.atan2(-down, right), 2 * math.pi)
    return Square(float(hips[0]), float(hips[1]), 2 * ROOM * distance, angle)


def cut(picture: Picture, square: Square, size: int, outside: Literal["black", "edge"]) -> Picture:
    """The content of a square by bilinear interpolation, in bytes, between places that are whole 32nds of a pixel.

    That is how OpenCV warps for MediaPipe. The networks are sensitive to it: without such rounding joints of a person
    of 100 pixels came out half a pixel elsewhere (median), with it 0.01 to 0.1 pixels.

    Args:
        picture: (height, width, channels).
        square: what to cut.
        size: edge of the result in pixels.
        outside: what there is beyond the picture: nothing, or the nearest pixel.

    Returns:
        uint8 (size, size, channels).
    """
    steps = np.arange(size) / size
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)  # (x, y) of each pixel of the result
    place = np.rint(square.to_picture(grid) * FRACTIONS).astype(np.int64)
    corner, part = place // FRACTIONS, (place % FRACTIONS).astype(np.int32)
    result = np.zeros((len(grid), picture.shape[2]), dtype=np.int32)
    for right in (0, 1):
        across = part[:, 0] if right else FRACTIONS - part[:, 0]
        for down in (0, 1):
            weight = across * (part[:, 1] if down else FRACTIONS - part[:, 1])
            result += weight[:, None] * _pixels(picture, corner[:, 0] + right, corner[:, 1] + down, outside)
    half = FRACTIONS * FRACTIONS // 2
    return ((result + half) // (FRACTIONS * FRACTIONS)).astype(np.uint8).reshape(size, size, -1)


def _pixels(picture: Picture, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64], outside: str) -> Picture:
    """Pixels of a picture, (n, channels)."""
    height, width = picture.shape[:2]
    near_x, near_y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    found: Picture = picture[near_y, near_x]
    if outside == "black":
        found[(near_x != x) | (near_y != y)] = 0
    return found
