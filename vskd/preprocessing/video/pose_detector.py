"""What the detector of BlazePose says of a picture: anchors, decoding, and one person for many answers.

Source: Liu et al., "SSD: Single shot multibox detector", ECCV 2016 (anchors); Bazarevsky et al., "BlazeFace", 2019
(arXiv 1907.05047: boxes that overlap are averaged by their scores); the graph `pose_detection` of MediaPipe 0.10.21.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

INPUT = 224
"""Edge of the picture that the detector sees."""
LAYERS = ((8, 2), (16, 2), (32, 6))
"""Pixels between the anchors of a layer, and anchors at each place."""
ANCHORS = sum(count * (INPUT // stride) ** 2 for stride, count in LAYERS)
KEYPOINTS = 4
"""Middle of the hips, a point as far from it as any part of the body, and the same of the upper body."""
LEAST_SCORE = 0.5
OVERLAP = 0.3
"""Intersection over union from which two boxes are one person."""
_LARGEST_LOGIT = 100.0


@dataclass(frozen=True)
class Person:
    """Somebody in the picture.

    Attributes:
        score: how sure the detector is, 0..1.
        box: (4,) left, top, right, bottom of the face, as fractions of the detector's picture.
        points: (4, 2) of the body, likewise.
    """

    score: float
    box: Floats
    points: Floats


def anchors() -> Floats:
    """(anchors, 2) x and y of their middles, as fractions of the picture; all are one picture large."""
    layers = []
    for stride, count in LAYERS:
        middles = (np.arange(INPUT // stride) + 0.5) / (INPUT // stride)
        places = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)  # row by row
        layers.append(np.repeat(places, count, axis=0))
    return np.concatenate(layers)


def people(boxes: npt.NDArray[np.float32], logits: npt.NDArray[np.float32]) -> list[Person]:
    """The people that the detector found, the surest first.

    Args:
        boxes: (anchors, 12) x, y, width and height, then x and y of four points, in pixels about the anchor.
        logits: (anchors,) of the scores.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    sure = np.flatnonzero(scores >= LEAST_SCORE)
    sure = sure[np.argsort(-scores[sure], kind="stable")]
    if not len(sure):
        return []
    scaled, middles = boxes[sure].astype(np.float64) / INPUT, anchors()[sure]
    middle, half = scaled[:, :2] + middles, scaled[:, 2:4] / 2
    points = scaled[:, 4:].reshape(-1, KEYPOINTS, 2) + middles[:, None]
    return _merged(scores[sure], np.hstack([middle - half, middle + half]), points)


def _merged(scores: Floats, boxes: Floats, points: Floats) -> list[Person]:
    """One person for the answers whose boxes overlap that of the surest: their mean, weighted by score.

    Args:
        scores: (n,) in descending order.
        boxes: (n, 4).
        points: (n, points, 2).
    """
    found, left = [], np.arange(len(scores))
    while len(left):
        own = overlap(boxes[left[0]], boxes[left]) > OVERLAP
        own[0] = True  # of a box without extent, too
        those = left[own]
        weights = scores[those] / scores[those].sum()
        box, mean = np.tensordot(weights, boxes[those], 1), np.tensordot(weights, points[those], 1)
        found.append(Person(float(scores[left[0]]), box, mean))
        left = left[~own]
    return found


def overlap(one: Floats, others: Floats) -> Floats:
    """Intersection over union of a box (4,) with others (n, 4) -> (n,); 0 where neither has any extent."""
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
    union = np.prod(np.clip(one[2:] - one[:2], 0, None)) + areas - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))
