"""What can be wrong with a stream: a status each, so that there is never a wrong label in silence.

The same names and numbers are in C (`vskd_status` in vskd_stream.h), and the same arithmetic decides.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from vskd.bundle.stream.stream_plan import Gravity, StreamPlan

LEAST_GRAVITY, MOST_GRAVITY = 0.75, 1.25
"""Lengths of the vector at rest, in multiples of gravity, beyond which the unit is another one."""
CONFIRMING = 0.8
"""Part of gravity that must lie along the pose of calibration, or against it, to say which sign it has."""


class Condition(IntEnum):
    """The state of a window, or of the stream itself."""

    OK = 0
    WRONG_RATE = 1
    GAP = 2
    NOT_FINITE = 3
    SATURATED = 4
    WRONG_GRAVITY = 5
    WRONG_UNIT = 6
    CONSTANT = 7

    @property
    def meaning(self) -> str:
        """One line for people."""
        return MEANINGS[self]


MEANINGS: dict[Condition, str] = {
    Condition.OK: "nothing is wrong",
    Condition.WRONG_RATE: "the time stamps say another rate than the contract's, by more than 3 %",
    Condition.GAP: "samples are missing, or time went back; the window starts anew",
    Condition.NOT_FINITE: "a sample is not a finite number; the window starts anew",
    Condition.SATURATED: "too many samples lie at the limit of the sensor's range",
    Condition.WRONG_GRAVITY: "at rest the sensor shows gravity with the opposite sign: an axis is mapped wrongly",
    Condition.WRONG_UNIT: "at rest the vector is not 1 g long: the unit is another one",
    Condition.CONSTANT: "no axis changes at all: the sensor is stuck",
}


def check_window(
    plan: StreamPlan, samples: npt.NDArray[np.float32], elapsed_us: int | None, *, confirmed: bool
) -> tuple[Condition, bool]:
    """The first condition that applies to a window.

    Args:
        plan: of the stream.
        samples: float32 (plan.checked, axes) in the contract's unit, finite.
        elapsed_us: from the first to the last of them; None without time stamps.
        confirmed: whether gravity had the right sign before, since the last reset. A device may rest in any pose
            afterwards.

    Returns:
        The condition, and whether the sign is confirmed now.
    """
    if elapsed_us is not None and not plan.elapsed[0] <= elapsed_us <= plan.elapsed[1]:
        return Condition.WRONG_RATE, confirmed
    limit = np.float32(plan.contract.range_limit)
    if int((np.abs(samples) >= limit).any(axis=1).sum()) > plan.max_saturated:
        return Condition.SATURATED, confirmed
    ranges = samples.max(axis=0) - samples.min(axis=0)
    if (ranges == 0).all():
        return Condition.CONSTANT, confirmed
    if plan.gravity is None or (ranges > np.float32(plan.gravity.still)).any():
        return Condition.OK, confirmed
    return _check_gravity(plan.gravity, samples, confirmed)


def _check_gravity(gravity: Gravity, samples: npt.NDArray[np.float32], confirmed: bool) -> tuple[Condition, bool]:
    sums = np.add.accumulate(samples.astype(np.float64), axis=0)[-1]  # in order, as C adds
    mean = [float(value) for value in sums / (len(samples) * gravity.unit)]
    square = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]
    if not LEAST_GRAVITY * LEAST_GRAVITY <= square <= MOST_GRAVITY * MOST_GRAVITY:
        return Condition.WRONG_UNIT, confirmed
    if gravity.rest is None or confirmed:
        return Condition.OK, confirmed
    along = mean[0] * gravity.rest[0] + mean[1] * gravity.rest[1] + mean[2] * gravity.rest[2]
    if along < -CONFIRMING:
        return Condition.WRONG_GRAVITY, False
    return Condition.OK, along > CONFIRMING
