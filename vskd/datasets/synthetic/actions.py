"""The actions: where the hands are and how low the body goes, over the phase of an action.

Positions are those of the wrist from its own shoulder, in arm lengths: x to the subject's right, y forward, z up.
`side` is +1 where the acting hand is the right one, -1 where it is the left one; the directions of swipes and circles
(as the subject sees them) do not depend on it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """How one trial is performed: acting side (+1 right, -1 left), size of the movement, number of repetitions."""

    side: float
    amplitude: float
    cycles: int


@dataclass(frozen=True)
class Pose:
    """Wrist positions (n, 3) of the acting and the other hand (None: it hangs down); depth of the crouch in m (n,)."""

    hand: Array
    other: Array | None
    crouch: Array


@dataclass(frozen=True)
class Action:
    """A movement, how long it takes at normal speed, and between how many repetitions a trial draws."""

    pose: Callable[[Array, Style], Pose]
    duration_s: float
    cycles: tuple[int, int] = (1, 1)


def smooth_step(x: Array) -> Array:
    """0 below 0, 1 above 1, between them the quintic of minimum jerk (twice differentiable everywhere)."""
    x = np.clip(x, 0.0, 1.0)
    result: Array = x * x * x * (x * (6.0 * x - 15.0) + 10.0)
    return result


def _pose(x: Array | float, y: Array | float, z: Array | float, phase: Array) -> Pose:
    hand = np.stack(np.broadcast_arrays(x, y, z, phase)[:3], axis=-1).astype(np.float64)
    return Pose(hand, None, np.zeros_like(phase))


def _swipe(phase: Array, style: Style, direction: float) -> Pose:
    reach = 0.5 * style.amplitude
    sweep = np.cos(np.pi * smooth_step(phase))  # from +1 to -1
    return _pose(0.15 * style.side - direction * reach * sweep, 0.62 + 0.12 * (1 - sweep**2), -0.1, phase)


def _swipe_left(phase: Array, style: Style) -> Pose:
    return _swipe(phase, style, -1.0)


def _swipe_right(phase: Array, style: Style) -> Pose:
    return _swipe(phase, style, 1.0)


def _wave(phase: Array, style: Style) -> Pose:
    swing = 0.22 * style.amplitude * np.sin(2 * np.pi * style.cycles * phase)
    return _pose(style.side * (0.35 + swing), 0.35, 0.5 - 0.3 * np.abs(swing) ** 2, phase)


def _circle(phase: Array, style: Style, direction: float) -> Pose:
    radius = 0.3 * style.amplitude
    angle = 2 * np.pi * style.cycles * phase * direction
    return _pose(0.1 * style.side + radius * np.sin(angle), 0.68, -0.05 + radius * np.cos(angle), phase)


def _circle_clockwise(phase: Array, style: Style) -> Pose:
    return _circle(phase, style, 1.0)


def _circle_counter_clockwise(phase: Array, style: Style) -> Pose:
    return _circle(phase, style, -1.0)


def _punch(phase: Array, style: Style) -> Pose:
    thrust = np.sin(np.pi * style.cycles * phase) ** 2 * style.amplitude
    return _pose(style.side * (0.12 - 0.12 * thrust), 0.38 + 0.5 * thrust, -0.12 + 0.12 * thrust, phase)


def _throw(phase: Array, style: Style) -> Pose:
    back = smooth_step(phase / 0.45) * (1 - smooth_step((phase - 0.5) / 0.3))
    forward = smooth_step((phase - 0.5) / 0.3)
    x = style.side * (0.2 + 0.2 * back - 0.25 * forward)
    y = 0.35 - 0.5 * back * style.amplitude + 0.4 * forward
    return _pose(x, y, 0.5 * back * style.amplitude - 0.15 * forward, phase)


def _raise_arm(phase: Array, style: Style) -> Pose:
    angle = np.radians(155.0) * min(style.amplitude, 1.1) * np.sin(np.pi * smooth_step(phase)) ** 2
    return _pose(style.side * 0.9 * np.sin(angle), 0.12, -0.9 * np.cos(angle), phase)


def _clap(phase: Array, style: Style) -> Pose:
    apart = 0.5 + 0.5 * np.cos(2 * np.pi * style.cycles * phase)
    outward = -0.26 + 0.42 * style.amplitude * apart
    hand = _pose(style.side * outward, 0.6, -0.15, phase)
    return Pose(hand.hand, hand.hand * np.array([-1.0, 1.0, 1.0]), hand.crouch)


def _squat(phase: Array, style: Style) -> Pose:
    down = np.sin(np.pi * style.cycles * phase) ** 2
    hand = _pose(0.0, 0.5 + 0.35 * down, -0.5 + 0.45 * down, phase).hand
    return Pose(hand, hand, 0.34 * style.amplitude * down)


MOVEMENTS: dict[str, Action] = {
    "swipe left": Action(_swipe_left, 1.0),
    "swipe right": Action(_swipe_right, 1.0),
    "wave": Action(_wave, 1.8, (2, 3)),
    "draw circle clockwise": Action(_circle_clockwise, 1.6, (1, 2)),
    "draw circle counter-clockwise": Action(_circle_counter_clockwise, 1.6, (1, 2)),
    "punch": Action(_punch, 1.3, (1, 2)),
    "throw": Action(_throw, 1.5),
    "raise arm": Action(_raise_arm, 2.1),
    "clap": Action(_clap, 1.6, (2, 4)),
    "squat": Action(_squat, 1.7, (1, 2)),
}
