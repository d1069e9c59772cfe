"""The range of a sensor: neither a glitch nor gentle movements decide it."""

import numpy as np
import pytest

from vskd.preprocessing.sensor.sensor_range import estimate_range


@pytest.mark.parametrize("largest", [[1.0], [1.2, 1.9], [1.1] * 50, [8.0] * 10 + [1.0] * 10, [8.001] * 3])
def test_gentle_movements_of_a_sensor_of_8_g(largest: list[float]) -> None:
    assert estimate_range(largest, "g") == 8


@pytest.mark.parametrize("count", [3, 10, 100])
def test_one_glitch_does_not_count(count: int) -> None:
    assert estimate_range([*[2.0] * count, 60.0], "g") == 8


def test_five_glitches_of_a_hundred_do_not_count() -> None:
    assert estimate_range([*np.linspace(1, 7.9, 95), *[1e6] * 5], "g") == 8


@pytest.mark.parametrize(
    ("high", "unit", "found"),
    [
        (9, "g", 16),
        (15.9, "g", 16),
        (17, "g", 32),
        (78, "m/s2", 8 * 9.80665),
        (300, "deg/s", 1000),
        (5, "rad/s", np.radians(1000)),
        (1500, "dps", 2000),
    ],
)
def test_usual_ranges(high: float, unit: str, found: float) -> None:
    assert estimate_range([high] * 5, unit) == pytest.approx(found)


def test_other_units_have_a_margin() -> None:
    assert estimate_range([4.0, 4.0], "uT") == 5
    assert estimate_range([0.0, 0.0], "uT") > 0


@pytest.mark.parametrize(
    ("unit", "ranges"),
    [("g", (8, 16, 32, 64, 100, 200, 400)), ("deg/s", (1000, 2000, 4000)), ("m/s^2", (8 * 9.80665, 16 * 9.80665))],
)
def test_every_usual_range_holds_its_own_value_and_a_hundredth_more(unit: str, ranges: tuple[float, ...]) -> None:
    """Beyond the widest one there is none: the largest value and a quarter more."""
    for one, wider in zip(ranges, (*ranges[1:], None), strict=True):
        assert estimate_range([one * 1.009], unit) == pytest.approx(one)
        if unit != "m/s^2":
            assert estimate_range([one * 1.011], unit) == pytest.approx(wider or one * 1.011 * 1.25)


@pytest.mark.parametrize(("count", "dropped"), [(1, 0), (2, 0), (3, 1), (39, 1), (40, 2), (100, 5)])
def test_how_many_recordings_may_hold_a_glitch(count: int, dropped: int) -> None:
    values = [100.0 + n for n in range(count)]
    assert estimate_range(values, "uT") == pytest.approx(1.25 * (99.0 + count - dropped))


def test_a_range_is_a_plain_number() -> None:
    for largest, unit in (([1.0], "g"), ([4.0, 5.0, 6.0], "uT"), ([0.0], "uT")):
        assert type(estimate_range(largest, unit)) is float
