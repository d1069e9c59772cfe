"""Golden clips against a naive sum of waves, pixel by pixel."""

import numpy as np
import pytest

from vskd.bundle.contract import ClipContract
from vskd.bundle.golden_clips import synthetic_clips

CONTRACT = ClipContract(stream="rgb", length=3, height=16, width=18, fit="squash", sampling="spread")


@pytest.mark.parametrize("seed", [0, 4])
def test_each_pixel_is_a_sum_of_four_waves_that_drift(seed: int) -> None:
    """Of half a turn to six per picture in any direction, drifting by two turns at most; stretched to the range."""
    random = np.random.default_rng(seed)
    clips = synthetic_clips(CONTRACT, seed)
    assert [name for name, _ in clips] == ["synthetic-0", "synthetic-1"]
    for (_, clip), (low, high) in zip(clips, ((95.625, 159.375), (0.0, 255.0)), strict=True):
        turns, angle = random.uniform(0.5, 6.0, (4, 3)), random.uniform(0, 2 * np.pi, (4, 3))
        phase, drift = random.uniform(0, 2 * np.pi, (4, 3)), random.uniform(-2.0, 2.0, (4, 3))
        naive = np.zeros((3, 3, 16, 18))
        for channel, frame, row, column in np.ndindex(naive.shape):
            for wave in range(4):
                along = np.cos(angle[wave, channel]) * column / 18 + np.sin(angle[wave, channel]) * row / 16
                moved = turns[wave, channel] * along + drift[wave, channel] * frame / 3
                naive[channel, frame, row, column] += np.sin(2 * np.pi * moved + phase[wave, channel])
        for channel in naive:
            channel[:] = low + (high - low) * (channel - channel.min()) / (channel.max() - channel.min())
        assert clip.shape == CONTRACT.window_shape and clip.dtype == np.float32
        np.testing.assert_allclose(clip.reshape(naive.shape), naive, atol=0.5 + 1e-6)


def test_clips_are_of_seed_zero_unless_another_is_said() -> None:
    (_, one), _ = synthetic_clips(CONTRACT)
    np.testing.assert_array_equal(one, synthetic_clips(CONTRACT, 0)[0][1])
    assert not np.array_equal(one, synthetic_clips(CONTRACT, 1)[0][1])
