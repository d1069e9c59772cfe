"""The encodings without torch: against pyts' stored values, and that they need neither torch nor scipy."""

import subprocess
import sys
from itertools import pairwise
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


def naive(window: np.ndarray, method: str, scaling: str, limit: float, size: int) -> np.ndarray:
    """Number by number, with angles as they are defined."""
    images = []
    for axis in window.astype(float):
        bounds = [len(axis) * k // size for k in range(size + 1)]
        if method == "mtf":
            low, high = (-limit, limit) if scaling == "fixed" else (min(axis), max(axis))
            bins = [min(7, max(0, int(np.ceil((min(max(x, low), high) - low) / (high - low) * 8)) - 1)) for x in axis]
            counts = np.zeros((8, 8))
            for one, other in pairwise(bins):
                counts[one, other] += 1
            moves = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            image = np.zeros((size, size))
            for row, column in np.ndindex(size, size):
                pairs = [
                    moves[a, b]
                    for a in bins[bounds[row] : bounds[row + 1]]
                    for b in bins[bounds[column] : bounds[column + 1]]
                ]
                image[row, column] = np.mean(pairs)
            images.append([image])
            continue
        means = axis if method == "raw" else [np.mean(axis[a:b]) for a, b in pairwise(bounds)]
        low, high = (-limit, limit) if scaling == "fixed" else (min(means), max(means))
        scaled = [(min(max(x, low), high) - low) / (high - low) * 2 - 1 for x in means]
        if method == "raw":
            images.append([np.array(scaled)])
            continue
        angle = np.arccos(scaled)
        both = {"gasf": np.cos(angle[:, None] + angle[None, :]), "gadf": np.sin(angle[:, None] - angle[None, :])}
        images.append([both[name] for name in method.split("+")])
    return np.stack([image[k] for k in range(len(images[0])) for image in images])


@pytest.mark.parametrize("method", ["raw", "gasf", "gadf", "gasf+gadf", "mtf"])
@pytest.mark.parametrize("scaling", ["fixed", "minmax"])
@pytest.mark.parametrize(("samples", "size"), [(20, 7), (16, 16), (33, 8)])
def test_agrees_with_a_naive_one(method: str, scaling: str, samples: int, size: int) -> None:
    window = np.random.default_rng(samples).normal(0, 2, (2, samples))
    found = encode(window, method, scaling, 2.5, size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, naive(window, method, scaling, 2.5, size), atol=2e-5)


@pytest.mark.parametrize("method", ["gasf", "mtf"])
def test_as_many_samples_as_the_image_is_wide_are_enough(method: str) -> None:
    assert encode(np.arange(20.0).reshape(2, 10), method, "fixed", 4.0, 10).shape == (2, 10, 10)
    with pytest.raises(DataError, match="A window of 9 samples cannot become an image of size 10"):
        encode(np.zeros((1, 9)), method, "fixed", 4.0, 10)


def test_a_constant_axis_of_a_transition_field_stays_where_it_is() -> None:
    fields = encode(np.array([[3.0] * 8, [-5.0] * 8]), "mtf", "minmax", 4.0, 4)
    np.testing.assert_allclose(fields, np.ones((2, 4, 4)))
