"""The encodings without torch: against pyts' stored values, and that they need neither torch nor scipy."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vskd.bundle.encode_numpy import encode
from vskd.errors import DataError

FIXTURE = Path(__file__).parents[1] / "preprocessing" / "fixtures" / "gaf_pyts.npz"


@pytest.mark.parametrize("shape", ["128_64", "64_64", "100_32", "37_16", "16_16", "9_2"])
def test_agrees_with_pyts(shape: str) -> None:
    stored = np.load(FIXTURE)
    images = encode(stored[f"{shape}_series"], "gasf+gadf", "minmax", 1.0, int(shape.split("_")[1]))
    wanted = np.concatenate([stored[f"{shape}_summation"], stored[f"{shape}_difference"]])
    np.testing.assert_allclose(images, wanted, atol=1e-6, rtol=0)


def test_fixed_in_closed_form() -> None:
    """A window at 0 has phi = 90 degrees everywhere: cos(180) = -1, sin(0) = 0. At the limit phi = 0: 1 and 0."""
    image = encode(np.array([[0.0] * 8, [9.0] * 8]), "gasf+gadf", "fixed", 4.0, 4)
    for channel, value in zip(image, (-1.0, 1.0, 0.0, 0.0), strict=True):
        np.testing.assert_allclose(channel, np.full((4, 4), value), atol=1e-6)
    below, above = encode(np.array([[-9.0] * 8, [9.0] * 8]), "gasf", "fixed", 4.0, 4)
    np.testing.assert_allclose(below, above, atol=1e-6)  # beyond either limit is at it: 180 degrees, and 0


def test_minmax_in_closed_form() -> None:
    """cos(a + b) of the angles with cosines -1, 0 and 1; a constant axis has the cosine -1 everywhere."""
    ramp, constant = encode(np.array([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]]), "gasf", "minmax", 4.0, 3)
    np.testing.assert_allclose(ramp, [[1, 0, -1], [0, -1, 0], [-1, 0, 1]], atol=1e-3)
    np.testing.assert_allclose(constant, np.ones((3, 3)), atol=1e-6)


def test_a_large_constant_does_not_divide_by_zero() -> None:
    with np.errstate(all="raise"):
        image = encode(np.full((1, 8), 1e30, np.float32), "gasf", "minmax", 4.0, 4)
    np.testing.assert_allclose(image, np.ones((1, 4, 4)), atol=1e-6)


def test_input_is_left_alone() -> None:
    window = np.random.default_rng(0).normal(size=(3, 20))
    before = window.copy()
    for method in ("raw", "gasf+gadf"):
        encode(window, method, "fixed", 4.0, 10)
    np.testing.assert_array_equal(window, before)


@pytest.mark.parametrize(("method", "scaling"), [("gosf", "fixed"), ("gasf", "max")])
def test_unknown_settings(method: str, scaling: str) -> None:
    with pytest.raises(DataError, match="Unknown encoding"):
        encode(np.zeros((3, 20)), method, scaling, 4.0, 10)


def test_a_window_shorter_than_the_image() -> None:
    with pytest.raises(DataError, match="9 samples"):
        encode(np.zeros((3, 9)), "gasf", "fixed", 4.0, 10)
    assert encode(np.zeros((3, 9)), "raw", "fixed", 4.0, 10).shape == (3, 9)


def test_imports_neither_torch_nor_scipy() -> None:
    program = (
        "import sys, vskd.bundle.encode_numpy, vskd.preprocessing.sensor.signals; "
        "print(sorted({'torch', 'scipy', 'h5py', 'av'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
