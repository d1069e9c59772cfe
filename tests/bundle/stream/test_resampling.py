"""The stream's change of rate against scipy's, whose filter it has, and against a wave that is known."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from vskd.bundle.stream.resampling import Resampling, plan_resampling
from vskd.errors import SettingError


def outputs(resampling: Resampling, samples: np.ndarray) -> np.ndarray:
    """All that follow from the samples, (count, axes)."""
    count = 0
    while resampling.last_needed(count) < len(samples):
        count += 1
    held = samples[0].astype(np.float64)
    return np.stack([resampling.filtered(n, samples, 0, held) for n in range(count)])


@pytest.mark.parametrize(
    ("rate", "up", "down", "taps"),
    [(100, 1, 2, 41), (60, 5, 6, 121), (104, 25, 52, 1041), (25, 2, 1, 41), (50, 1, 1, 1)],
)
def test_the_filter_is_scipys(rate: float, up: int, down: int, taps: int) -> None:
    resampling = plan_resampling(rate, 50)
    assert (resampling.up, resampling.down, len(resampling.taps)) == (up, down, taps)
    samples = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    found = outputs(resampling, samples)
    held = samples[0].astype(np.float64)
    expected = held + resample_poly(samples.astype(np.float64) - held, up, down, axis=0)
    assert len(found) > 100
    np.testing.assert_allclose(found, expected[: len(found)], atol=1e-6)


@pytest.mark.parametrize("rate", [25.0, 60.0, 100.0])
def test_a_wave_keeps_its_frequency_and_a_constant_its_value(rate: float) -> None:
    time = np.arange(int(8 * rate)) / rate
    samples = np.stack([np.sin(2 * np.pi * 2 * time), np.full(len(time), 3.25)], axis=1).astype(np.float32)
    found = outputs(plan_resampling(rate, 50), samples)
    now = np.arange(len(found)) / 50
    np.testing.assert_allclose(found[25:, 0], np.sin(2 * np.pi * 2 * now[25:]), atol=2e-3)
    np.testing.assert_array_equal(found[:, 1], np.float32(3.25))


def test_only_what_is_needed_is_read() -> None:
    resampling = plan_resampling(100, 50)
    samples = np.random.default_rng(0).normal(size=(300, 1)).astype(np.float32)
    low, high, held = resampling.first_needed(60), resampling.last_needed(60), samples[0].astype(np.float64)
    part = resampling.filtered(60, samples[low : high + 1], low, held)
    np.testing.assert_array_equal(part, resampling.filtered(60, samples, 0, held))
    assert (low, high) == (100, 140)


def test_a_ratio_that_needs_too_long_a_filter_is_refused() -> None:
    with pytest.raises(SettingError, match=r"From 59\.94 to 50 Hz a filter of"):
        plan_resampling(59.94, 50)
