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
