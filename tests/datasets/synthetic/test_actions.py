import numpy as np
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.synthetic.actions import MOVEMENTS, Style, smooth_step
from vskd.datasets.synthetic.settings import ACTIONS

PHASE = np.linspace(0.0, 1.0, 201)
REACHED = {
    "swipe left": (-0.25, 0.55, 0.62, 0.74, -0.10, -0.10, 0.00),
    "swipe right": (-0.25, 0.55, 0.62, 0.74, -0.10, -0.10, 0.00),
    "wave": (0.17, 0.53, 0.35, 0.35, 0.49, 0.50, 0.00),
    "draw circle clockwise": (-0.14, 0.34, 0.68, 0.68, -0.29, 0.19, 0.00),
    "draw circle counter-clockwise": (-0.14, 0.34, 0.68, 0.68, -0.29, 0.19, 0.00),
    "punch": (0.02, 0.12, 0.38, 0.78, -0.12, -0.02, 0.00),
    "throw": (-0.05, 0.40, -0.05, 0.75, -0.15, 0.40, 0.00),
    "raise arm": (0.00, 0.90, 0.12, 0.12, -0.90, 0.50, 0.00),
    "clap": (-0.26, 0.08, 0.60, 0.60, -0.15, -0.15, 0.00),
    "squat": (0.00, 0.00, 0.50, 0.85, -0.50, -0.05, 0.27),
}
"""Least and greatest x, y and z of a right hand at amplitude 0.8, and the depth of the crouch: a published seed must
give the same movements in later versions."""
TIMING = {
    "swipe left": (1.0, (1, 1)),
    "swipe right": (1.0, (1, 1)),
    "wave": (1.8, (2, 3)),
    "draw circle clockwise": (1.6, (1, 2)),
    "draw circle counter-clockwise": (1.6, (1, 2)),
    "punch": (1.3, (1, 2)),
    "throw": (1.5, (1, 1)),
    "raise arm": (2.1, (1, 1)),
    "clap": (1.6, (2, 4)),
    "squat": (1.7, (1, 2)),
}


def test_every_named_action_has_a_movement() -> None:
    assert set(MOVEMENTS) == set(ACTIONS)
    assert len(ACTIONS) >= 8


def test_smooth_step_has_no_speed_or_acceleration_at_its_ends() -> None:
    x = np.linspace(-0.5, 1.5, 4001)
    step = smooth_step(x)
    assert (step[0], step[-1], smooth_step(np.array(0.5))) == (0.0, 1.0, 0.5)
    assert np.all(np.diff(step) >= 0)
    curve = np.gradient(np.gradient(step, x), x)
    assert np.abs(np.diff(curve)).max() < 0.05, "the second derivative does not jump"


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_poses_are_finite_within_reach_and_of_one_shape(name: str, side: float) -> None:
    for cycles in range(MOVEMENTS[name].cycles[0], MOVEMENTS[name].cycles[1] + 1):
        pose = MOVEMENTS[name].pose(PHASE, Style(side, 1.0, cycles))
        assert pose.hand.shape == (201, 3) and pose.crouch.shape == (201,)
        assert np.linalg.norm(pose.hand, axis=1).max() < 1.05, "in arm lengths"
        assert np.ptp(pose.hand, axis=0).max() > 0.2, "the hand moves"


@pytest.mark.parametrize("name", ACTIONS)
def test_movements_stay_what_they_are(name: str) -> None:
    pose = MOVEMENTS[name].pose(PHASE, Style(1.0, 0.8, 1))
    found = [*np.stack([pose.hand.min(axis=0), pose.hand.max(axis=0)], axis=1).ravel(), pose.crouch.max()]
    assert found == pytest.approx(REACHED[name], abs=0.0051)
    assert (MOVEMENTS[name].duration_s, MOVEMENTS[name].cycles) == TIMING[name]


@pytest.mark.parametrize("name", ACTIONS)
def test_mirrored_action_is_the_other_hand_s_with_the_label_swapped(name: str) -> None:
    """What makes the data set's label_swap true."""
    swap = get_dataset("synthetic").label_swap or {}
    mirror = np.array([-1.0, 1.0, 1.0])
    left_hand = MOVEMENTS[name].pose(PHASE, Style(-1.0, 0.9, 2))
    right_hand = MOVEMENTS[swap.get(name, name)].pose(PHASE, Style(1.0, 0.9, 2))
    np.testing.assert_allclose(left_hand.hand * mirror, right_hand.hand, atol=1e-12)


def test_directions_are_those_of_the_names() -> None:
    def path(name: str, side: float) -> np.ndarray:
        return MOVEMENTS[name].pose(PHASE, Style(side, 1.0, 1)).hand

    for side in (-1.0, 1.0):
        assert path("swipe left", side)[-1, 0] < path("swipe left", side)[0, 0], "x points to the subject's right"
        assert path("swipe right", side)[-1, 0] > path("swipe right", side)[0, 0]
        for name, sign in (("draw circle clockwise", -1.0), ("draw circle counter-clockwise", 1.0)):
            x, z = path(name, side)[:, 0], path(name, side)[:, 2]
            area = 0.5 * np.sum(x[:-1] * np.diff(z) - z[:-1] * np.diff(x))  # shoelace: positive if counter-clockwise
            assert area * sign == pytest.approx(np.pi * 0.3**2, rel=1e-2)


def test_no_arm_is_raised_beyond_its_joint() -> None:
    highest, beyond, below = (MOVEMENTS["raise arm"].pose(PHASE, Style(1.0, a, 1)).hand for a in (1.1, 1.3, 1.0))
    np.testing.assert_array_equal(highest, beyond)
    assert np.abs(below - highest).max() > 0.1


def test_repetitions_are_as_many_as_are_drawn() -> None:
    """By what comes back to where it began: a wave's sides, a punch's ends, a clap's meetings, a squat's lows."""
    for name, column in (("wave", 0), ("punch", 1), ("clap", 0), ("draw circle clockwise", 2)):
        path = MOVEMENTS[name].pose(np.linspace(0, 1, 2001), Style(1.0, 1.0, 3)).hand[:, column]
        turns = np.flatnonzero(np.diff(np.sign(np.diff(path)))).size
        assert turns in (5, 6), name
    assert (
        np.flatnonzero(np.diff(np.sign(np.diff(MOVEMENTS["squat"].pose(PHASE, Style(1.0, 1.0, 2)).crouch)))).size == 3
    )
