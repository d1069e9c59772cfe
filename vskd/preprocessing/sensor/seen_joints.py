"""Joints as a network saw them in a video, each with a confidence, and what stands for those that it did not see."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError

Floats = npt.NDArray[np.float32]
LEAST_FRAMES = 2


@dataclass(frozen=True)
class SeenJoints:
    """The joints of one person.

    Attributes:
        positions: float32 (joints, axes, frames); NaN where nobody was found.
        confidence: float32 (joints, frames), 0..1.
    """

    positions: Floats
    confidence: Floats


def completed(seen: SeenJoints, least_confidence: float = 0.0) -> Floats:
    """Positions without gaps, (joints, axes, frames).

    A joint is missing in a frame in which nobody was found, or in which its confidence is below `least_confidence`. It
    moves in straight lines from where it was seen last to where it is seen next, and stands still before the first and
    after the last time; one that is never seen is at the middle of the others, where it says nothing.

    Raises:
        DataError: no joint is seen in two frames.
    """
    known = np.isfinite(seen.positions).all(axis=1) & (seen.confidence >= least_confidence)  # (joints, frames)
    if known.any(axis=0).sum() < LEAST_FRAMES:
        of = f" with a confidence of {least_confidence:g}" if least_confidence else ""
        raise DataError(f"joints are seen{of} in fewer than {LEAST_FRAMES} frames", "Leave this recording out")
    result = np.array(seen.positions)
    frames = np.arange(known.shape[1])
    for joint, at in zip(result, known, strict=True):
        if at.any():
            joint[:] = [np.interp(frames, frames[at], row[at]) for row in joint]
    never = ~known.any(axis=1)
    result[never] = result[~never].mean(axis=0)
    return result
