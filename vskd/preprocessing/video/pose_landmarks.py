"""What the landmark network of BlazePose says of one person: 33 joints in the picture and in metres, each with doubts.

Source: Bazarevsky et al., "BlazePose: On-device real-time body pose tracking", 2020 (arXiv 2006.10204); the graphs
`tensors_to_pose_landmarks_and_segmentation` and `pose_landmarks_and_segmentation_inverse_projection` of MediaPipe
0.10.21.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.preprocessing.video.pose_geometry import Square, turned

Floats = npt.NDArray[np.float64]
Outputs = npt.NDArray[np.float32]

INPUT = 256
"""Edge of the picture that the network sees."""
JOINTS = 33
OUTPUTS = 39
"""Joints, two points that place the next frame's square, and four that nothing uses."""
HIPS, REACH = 33, 34
LEAST_SCORE = 0.5
"""A square with a smaller score holds no person."""
KERNEL = 9
"""Cells of the heatmap about a joint that move it. The graph's file says 7; MediaPipe 0.10.21 answers as with 9."""
LEAST_HEAT = 0.5
"""Where the heatmap about a joint is nowhere hotter, it does not move the joint."""


@dataclass(frozen=True)
class Body:
    """A person in a frame.

    Attributes:
        joints: (33, 3) x, y and z in pixels of the picture; z counts from the hips away from the camera.
        metres: (33, 3) about the middle of the hips, as the camera sees them: x to the right, y down.
        visibility, presence: (33,) probability that a joint is seen and not hidden, and that it is in the picture.
        score: probability that there is a person, 0..1.
        square: where the network looked.
        hips, reach: (2,) what the square of the next frame is made of; see `about_person`.
    """

    joints: Floats
    metres: Floats
    visibility: Floats
    presence: Floats
    score: float
    square: Square
    hips: Floats
    reach: Floats


def body(landmarks: Outputs, metres: Outputs, heat: Outputs, score: float, square: Square) -> Body | None:
    """Decode the network's outputs.

    Args:
        landmarks: (39, 5) x, y, z in pixels of the square, logits of visibility and presence.
        metres: (39, 3).
        heat: (rows, columns, 39) logits of where each point is.
        score: of there being a person.
        square: what the network saw.

    Returns:
        None where there is no person.
    """
    if not score > LEAST_SCORE:
        return None
    points = refined(landmarks[:, :3].astype(np.float64) / INPUT, heat)
    placed = square.to_picture(points)
    doubts = _sigmoid(landmarks[:JOINTS, 3:].astype(np.float64))
    upright = turned(metres[:JOINTS].astype(np.float64), square.angle)
    return Body(
        placed[:JOINTS], upright, doubts[:, 0], doubts[:, 1], score, square, placed[HIPS, :2], placed[REACH, :2]
    )


def refined(points: Floats, heat: Outputs) -> Floats:
    """Move points to the middle of the heat about them.

    Args:
        points: (n, 3) fractions of the square; only the first two coordinates move.
        heat: (rows, columns, n) logits.
    """
    rows, columns = heat.shape[:2]
    moved, reach = points.copy(), (KERNEL - 1) // 2
    for n, (x, y) in enumerate(points[:, :2]):
        column, row = int(x * columns), int(y * rows)
        if x < 0 or y < 0 or column >= columns or row >= rows:
            continue  # outside of the square, where there is no heat
        top, left = max(0, row - reach), max(0, column - reach)
        near = _sigmoid(heat[top : row + reach + 1, left : column + reach + 1, n].astype(np.float64))
        if near.max() < LEAST_HEAT:
            continue
        weights = near / near.sum()
        moved[n, 0] = (weights.sum(axis=0) @ np.arange(left, left + near.shape[1])) / columns
        moved[n, 1] = (weights.sum(axis=1) @ np.arange(top, top + near.shape[0])) / rows
    return moved


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -100, 100))))
