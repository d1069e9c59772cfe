"""The 1 euro filter against its definition, written out for one number."""

import math
from itertools import pairwise

import numpy as np
import pytest

from vskd.preprocessing.video.one_euro import OneEuro


def naive(values: list[float], rate: float, least: float, slope: float, size: float) -> list[float]:
    """Casiez et al., algorithm 1, with the speed in sizes per second."""

    def low_pass(new: float, old: float, cutoff: float) -> float:
        alpha = 1 / (1 + rate / (2 * math.pi * cutoff))
        return alpha * new + (1 - alpha) * old

    speed, smooth = 0.0, values[0]
    result = [smooth]
    for before, value in pairwise(values):
        speed = low_pass((value - before) * rate / size, speed, 1.0)
        smooth = low_pass(value, smooth, least + slope * abs(speed))
        result.append(smooth)
    return result


def test_against_its_definition() -> None:
    rng = np.random.default_rng(2)
    values = np.cumsum(rng.normal(size=(30, 2, 2)), axis=0)
    smooth = OneEuro(25.0, least_hz=0.05, slope=3.0)
    found = np.stack([smooth(frame, 4.0) for frame in values])
    for place in np.ndindex(2, 2):
        expected = naive([float(frame[place]) for frame in values], 25.0, 0.05, 3.0, 4.0)
        np.testing.assert_allclose(found[(slice(None), *place)], expected)


def test_it_is_steady_for_noise_and_quick_for_a_step() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.01, 200)
    still = OneEuro(30.0, least_hz=0.01, slope=1.0)
    smooth = [still(np.array([value]), 100.0)[0] for value in noise]
    assert np.std(np.diff(smooth)) < 0.05 * np.std(np.diff(noise))
    step = OneEuro(30.0, least_hz=0.01, slope=10.0)
    found = [step(np.array([0.0 if frame < 5 else 100.0]), 100.0)[0] for frame in range(20)]
    assert found[4] == 0 and found[12] > 80
    assert found[-1] == pytest.approx(100, abs=10)
