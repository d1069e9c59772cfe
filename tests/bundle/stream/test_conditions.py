"""Each condition by a stream that has it and one that just has not; and its number in C."""

import re

import numpy as np
import pytest

from tests.firmware_bridge.bundles import movement, sensor_contract
from vskd.bundle.stream.conditions import MEANINGS, Condition, check_window
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.firmware_bridge.generate import RUNTIME


def planned(**device: object) -> StreamPlan:
    settings = StreamSettings(device=DeviceSettings(**device))  # type: ignore[arg-type]
    return plan_stream(sensor_contract(length=100, stride=10), settings, 0.1)


def at_rest(*gravity: float, noise: float = 0.01) -> np.ndarray:
    """100 samples of a device that lies still, in g."""
    return (np.array(gravity) + np.random.default_rng(0).normal(0, noise, (100, 3))).astype(np.float32)


def condition(samples: np.ndarray, plan: StreamPlan | None = None, elapsed: int | None = None) -> Condition:
    return check_window(plan or planned(), samples, elapsed, confirmed=False)[0]


def test_names_and_numbers_are_those_of_c() -> None:
    header = (RUNTIME / "vskd_stream.h").read_text(encoding="utf-8")
    numbers = {name: int(value) for name, value in re.findall(r"VSKD_([A-Z_]+) = (\d+)", header)}
    assert numbers == {c.name: c.value for c in Condition}
    assert set(MEANINGS) == set(Condition) and all(c.meaning for c in Condition)


@pytest.mark.parametrize(
    ("rate", "expected"), [(50.0, "OK"), (51.4, "OK"), (48.6, "OK"), (51.6, "WRONG_RATE"), (48.4, "WRONG_RATE")]
)
def test_the_rate_is_measured_over_the_window(rate: float, expected: str) -> None:
    samples = movement(100, np.random.default_rng(0))
    assert condition(samples, elapsed=round(99 * 1e6 / rate)).name == expected


def test_some_samples_may_lie_at_the_limit() -> None:
    samples = movement(100, np.random.default_rng(0))
    samples[:5, 1] = -8.0
    assert condition(samples) is Condition.OK
    samples[5, 2] = 8.5
    assert condition(samples) is Condition.SATURATED


def test_a_stuck_sensor_and_one_whose_other_axes_move() -> None:
    samples = np.full((100, 3), 0.5, np.float32)
    assert condition(samples) is Condition.CONSTANT
    samples[50, 0] = 0.7
    assert condition(samples) is Condition.OK


def test_at_rest_the_vector_is_1_g_long() -> None:
    assert condition(at_rest(0, 0, 1)) is Condition.OK
    assert condition(at_rest(0.6, -0.6, 0.5)) is Condition.OK
    assert condition(at_rest(0, 0, 9.81 / 2)) is Condition.WRONG_UNIT
    assert condition(at_rest(0, 0, 0)) is Condition.WRONG_UNIT
    assert condition(at_rest(0, 0, 3, noise=0.2)) is Condition.OK  # it moves


def test_the_sign_of_gravity_is_checked_until_it_was_right_once() -> None:
    plan = planned(rest=(0.0, 0.0, 1.0))
    assert check_window(plan, at_rest(0, 0, -1), None, confirmed=False) == (Condition.WRONG_GRAVITY, False)
    assert check_window(plan, at_rest(1, 0, 0), None, confirmed=False) == (Condition.OK, False)  # on its side
    assert check_window(plan, at_rest(0, 0, 1), None, confirmed=False) == (Condition.OK, True)
    assert check_window(plan, at_rest(0, 0, -1), None, confirmed=True) == (Condition.OK, True)  # lies on its face


def test_a_gyroscope_has_no_gravity() -> None:
    plan = plan_stream(sensor_contract(length=100, stride=10, unit="deg/s"), StreamSettings(), 0.1)
    assert condition(at_rest(0, 0, 0), plan) is Condition.OK


def pose(*gravity: float) -> np.ndarray:
    """100 samples that are exactly so, but for one axis of one of them."""
    samples = np.tile(np.array(gravity, np.float32), (100, 1))
    samples[50, 0] += np.float32(2**-10)
    return samples


@pytest.mark.parametrize(
    ("length", "expected"), [(0.7499, "WRONG_UNIT"), (0.7501, "OK"), (1.2499, "OK"), (1.2501, "WRONG_UNIT")]
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_three_quarters_to_five_quarters_of_gravity_are_at_rest(length: float, expected: str, axis: int) -> None:
    for sign in (1, -1):
        assert condition(pose(*(sign * length * np.eye(3)[axis]))).name == expected
    slanted = np.full(3, length / np.sqrt(3))
    assert condition(pose(*slanted)).name == expected


@pytest.mark.parametrize(("moved", "still"), [(0.0999, True), (0.1001, False)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_tenth_of_gravity_on_any_axis_is_a_movement(moved: float, still: bool, axis: int) -> None:
    samples = pose(0, 0, 2.0)
    samples[10, axis] += moved
    assert condition(samples) is (Condition.WRONG_UNIT if still else Condition.OK)


@pytest.mark.parametrize(
    ("along", "expected"),
    [
        *((0.801, (Condition.OK, True)), (0.799, (Condition.OK, False))),
        *((-0.799, (Condition.OK, False)), (-0.801, (Condition.WRONG_GRAVITY, False))),
    ],
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_eight_tenths_along_the_pose_say_the_sign(along: float, expected: tuple[Condition, bool], axis: int) -> None:
    rest, gravity = np.eye(3)[axis], np.roll(np.eye(3)[axis], 1) * np.sqrt(1 - along**2)
    plan = planned(rest=tuple(float(x) for x in rest))
    assert check_window(plan, pose(*(gravity + along * rest)), None, confirmed=False) == expected


def test_of_several_conditions_the_first_is_told_and_the_sign_stays_confirmed() -> None:
    plan = planned(rest=(0.0, 0.0, 1.0))
    stuck = np.full((100, 3), 8.0, np.float32)
    fast = round(99 * 1e6 / 60)
    for confirmed in (True, False):
        assert check_window(plan, stuck, fast, confirmed=confirmed) == (Condition.WRONG_RATE, confirmed)
        assert check_window(plan, stuck, None, confirmed=confirmed) == (Condition.SATURATED, confirmed)
        assert check_window(plan, stuck / 8, None, confirmed=confirmed) == (Condition.CONSTANT, confirmed)
        assert check_window(plan, pose(0, 0, 3), None, confirmed=confirmed) == (Condition.WRONG_UNIT, confirmed)
    low, high = plan.elapsed
    moving = movement(100, np.random.default_rng(0))
    for elapsed, right in ((low, True), (low - 1, False), (high, True), (high + 1, False)):
        assert (check_window(plan, moving, elapsed, confirmed=True)[0] is Condition.OK) is right


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_exactly_a_tenth_of_gravity_is_no_movement(axis: int) -> None:
    samples = np.tile(np.array((0, 0, 2.0), np.float32), (100, 1))
    samples[:, axis] = 0
    samples[10, axis] = np.float32(0.1)
    samples[:, (axis + 1) % 3] = 2.0
    samples[50, (axis + 2) % 3] += np.float32(2**-10)
    assert condition(samples) is Condition.WRONG_UNIT


@pytest.mark.parametrize("gravity", [1.0, -1.0])
def test_exactly_eight_tenths_along_the_pose_say_nothing(gravity: float) -> None:
    plan = planned(rest=(0.0, 0.0, 0.8))
    assert check_window(plan, pose(0, 0, gravity), None, confirmed=False) == (Condition.OK, False)
