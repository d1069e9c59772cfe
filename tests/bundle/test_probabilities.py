"""Softmax against SciPy, and where the plain formula overflows."""

import math

import numpy as np
import pytest
from scipy.special import softmax as reference

from vskd.bundle.probabilities import powers, softmax, softmax_of_int8
from vskd.bundle.runtime import dequantize


@pytest.mark.parametrize("shape", [(5,), (1, 1), (7, 3), (2, 4, 6)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_scipy(shape: tuple[int, ...], dtype: type) -> None:
    logits = np.random.default_rng(0).normal(0, 5, shape).astype(dtype)
    found = softmax(logits)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, reference(logits.astype(np.float64), axis=-1), rtol=1e-6)


def test_huge_logits_stay_finite() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1.0, 0.0], [0.5, 0.5]])


def test_int8_logits_are_not_overflown_by_the_subtraction() -> None:
    """-128 - 127 does not fit into int8."""
    logits = np.array([[127, -128]], dtype=np.int8)
    np.testing.assert_allclose(softmax(logits), [[1.0, np.exp(-255.0)]])


def test_probabilities_of_int8_logits_are_those_of_softmax() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        logits, scale = generator.integers(-128, 128, 27).astype(np.int8), float(generator.uniform(0.01, 0.3))
        expected = softmax(dequantize(logits, scale, 5))
        np.testing.assert_allclose(softmax_of_int8(logits, scale), expected, rtol=2e-5, atol=1e-12)
    assert powers(0.5)[:3] == (1.0, math.exp(-0.5), math.exp(-1.0)) and len(powers(0.5)) == 256
