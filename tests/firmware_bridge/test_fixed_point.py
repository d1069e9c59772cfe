"""Multipliers and clamps, against their definition."""

import numpy as np
import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge.fixed_point import activation_range, quantize_multiplier


def test_a_multiplier_is_the_number_to_31_bits() -> None:
    for real in np.exp(np.random.default_rng(0).uniform(-20, 8, 200)):
        multiplier, shift = quantize_multiplier(float(real))
        assert 2**30 <= multiplier < 2**31
        assert multiplier * 2.0 ** (shift - 31) == pytest.approx(real, rel=2**-31)


def test_the_ends() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(2.0**-33) == (0, 0)
    assert quantize_multiplier(1.0) == (2**30, 1)
    assert quantize_multiplier(1 - 2.0**-40) == (2**30, 1)  # rounds up to the next power of two


@pytest.mark.parametrize(("activation", "expected"), [(0, (-128, 127)), (1, (-5, 127)), (2, (-15, 5)), (3, (-5, 55))])
def test_fused_activations(activation: int, expected: tuple[int, int]) -> None:
    assert activation_range(activation, 0.1, -5) == expected


def test_halves_go_away_from_zero_and_int8_ends_hold() -> None:
    assert activation_range(2, 2.0, 0) == (-1, 1)
    assert activation_range(3, 0.001, 100) == (100, 127)


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(BundleError, match="no fused activation 4"):
        activation_range(4, 0.1, 0)


def test_numbers_between_the_smallest_multiplier_and_nothing() -> None:
    """2^-32 = 2^30 / 2^31 * 2^-31 is the smallest with a shift that kernels take; what rounds up to it is held too."""
    assert quantize_multiplier(2.0**-32) == (2**30, -31)
    assert quantize_multiplier(2.0**-32 * (1 - 2.0**-40)) == (2**30, -31)
    assert quantize_multiplier(2.0**-32 * (1 - 2.0**-20)) == (0, 0)
    assert quantize_multiplier(3.0) == (3 * 2**29, 2)
    assert quantize_multiplier((2**30 + 0.5) / 2**31) == (2**30 + 1, 0)  # a half goes up


def test_clamps_stay_within_int8_at_both_ends() -> None:
    assert activation_range(2, 0.1, -125) == (-128, -115)
    assert activation_range(2, 0.1, 125) == (115, 127)
    assert activation_range(1, 0.1, -128) == (-128, 127)
    assert activation_range(3, 0.7, 0) == (0, 9)  # float32(6) / float32(0.7) = 8.571


@pytest.mark.parametrize(
    ("scale", "expected"),
    [(12.0, (0, 1)), (float(np.nextafter(np.float32(12), np.float32(13))), (0, 0)), (0.5, (0, 12))],
)
def test_a_quotient_just_below_a_half_is_not_rounded_up(scale: float, expected: tuple[int, int]) -> None:
    """float32(6) / float32(12.000001) = 0.49999997, of which float32 cannot tell the sum with a half from 1."""
    assert activation_range(3, scale, 0) == expected
