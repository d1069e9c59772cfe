"""Markov transition fields: against pyts' stored values, a loop over pairs of samples, and numpy's."""

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from vskd.bundle import encode_numpy
from vskd.errors import DataError, SettingError
from vskd.preprocessing.sensor import mtf
from vskd.preprocessing.sensor.mtf import BINS, MarkovTransitionField

FIXTURE = Path(__file__).parents[1] / "fixtures" / "mtf_pyts.npz"
SHAPES = ((128, 64), (64, 64), (100, 32), (37, 16), (9, 2))


def windows(samples: int, axes: int = 3) -> npt.NDArray[np.float32]:
    """(2, axes, samples): a walk at rest and one that leaves the range."""
    steps = np.random.default_rng(samples).normal(size=(2, axes, samples))
    return (np.cumsum(steps, axis=2) * np.array([0.1, 2.0])[:, None, None]).astype(np.float32)


def naive(axis: npt.NDArray[np.float32], low: float, high: float, size: int) -> npt.NDArray[np.float64]:
    """One axis, sample by sample."""
    borders = [low + (high - low) * k / BINS for k in range(1, BINS)]
    bins = [sum(border < value for border in borders) for value in axis.astype(float)]
    followed = np.zeros((BINS, BINS))
    for first, second in itertools.pairwise(bins):
        followed[first, second] += 1
    cut = [int(k * len(axis) / size) for k in range(size + 1)]
    image = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            pairs = [(bins[a], bins[b]) for a in range(cut[i], cut[i + 1]) for b in range(cut[j], cut[j + 1])]
            image[i, j] = np.mean([followed[a, b] / max(followed[a].sum(), 1) for a, b in pairs])
    return image


@pytest.mark.parametrize("scaling", ["fixed", "minmax"])
def test_equals_a_loop_over_pairs_of_samples_axis_by_axis(scaling: str) -> None:
    batch = windows(37)
    images = MarkovTransitionField(scaling, 4.0, 16)(torch.from_numpy(batch)).numpy()
    for n, axis in np.ndindex(batch.shape[:2]):
        row = batch[n, axis]
        ends = (-4.0, 4.0) if scaling == "fixed" else (float(row.min()), float(row.max()))
        np.testing.assert_allclose(images[n, axis], naive(row, *ends, 16), atol=1e-6)


@pytest.mark.parametrize("shape", [f"{samples}_{size}" for samples, size in SHAPES])
def test_agrees_with_pyts(shape: str) -> None:
    stored = np.load(FIXTURE)
    size = int(shape.split("_")[1])
    images = MarkovTransitionField("minmax", image_size=size)(torch.from_numpy(stored[f"{shape}_series"])[None])
    np.testing.assert_allclose(images[0].numpy(), stored[f"{shape}_field"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("scaling", ["fixed", "minmax"])
def test_numpy_gives_the_same(scaling: str) -> None:
    batch = windows(100)
    images = MarkovTransitionField(scaling, 1.0, 32)(torch.from_numpy(batch)).numpy()
    for window, image in zip(batch, images, strict=True):
        np.testing.assert_allclose(encode_numpy.encode(window, "mtf", scaling, 1.0, 32), image, atol=1e-6, rtol=0)
    assert encode_numpy.BINS == mtf.BINS


def test_in_closed_form() -> None:
    """Up and down between two bins: each is always followed by the other. A constant is followed by itself."""
    window = torch.tensor([[[-3.5, 3.5] * 4, [0.1] * 8]])
    image, constant = MarkovTransitionField("fixed", 4.0, 8)(window)[0]
    turns = torch.arange(8)[:, None] + torch.arange(8)[None]
    assert torch.equal(image, (turns % 2).float())
    assert torch.equal(constant, torch.ones(8, 8))
    assert torch.equal(MarkovTransitionField("minmax", 4.0, 8)(window)[0, 1], torch.ones(8, 8))


def test_a_large_constant_does_not_divide_by_zero() -> None:
    image = MarkovTransitionField("minmax", image_size=4)(torch.full((1, 1, 8), 1e30))
    assert torch.equal(image, torch.ones(1, 1, 4, 4))


def test_amplitude_counts_where_the_range_is_fixed() -> None:
    batch = torch.from_numpy(windows(64))
    fixed, own = MarkovTransitionField("fixed", 4.0, 16), MarkovTransitionField("minmax", 4.0, 16)
    assert torch.equal(own(batch), own(2 * batch)) and not torch.equal(fixed(batch), fixed(2 * batch))


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="9 samples"):
        MarkovTransitionField(image_size=10)(torch.zeros(1, 3, 9))
    with pytest.raises(DataError, match="9 samples"):
        encode_numpy.encode(np.zeros((3, 9)), "mtf", "fixed", 4.0, 10)
    with pytest.raises(SettingError, match=r"encoding\.image_size is 0"):
        MarkovTransitionField(image_size=0)


def test_what_holds_where_nothing_is_said_and_other_settings_that_are_refused() -> None:
    plain = MarkovTransitionField()
    assert (plain.scaling, plain.limit, plain.image_size) == ("minmax", 4.0, 64)
    assert (plain.kind, plain.out_channels(7), MarkovTransitionField(image_size=1).image_size) == ("image", 7, 1)
    with pytest.raises(SettingError, match=r"encoding\.scaling is 'max'"):
        MarkovTransitionField("max")
    for limit in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(SettingError, match=r"encoding\.limit is"):
            MarkovTransitionField("fixed", limit)


def test_a_sample_on_a_border_lies_in_the_lower_bin_and_beyond_in_the_outermost() -> None:
    """Of bins one wide from -4 to 4: samples of one bin make equal rows."""
    border = MarkovTransitionField("fixed", 4.0, 8)
    same = torch.tensor([[[-9.0, -3.5, -4.0, -3.0, 9.0, 4.0, 3.5, 3.1]]])
    image = border(same)[0, 0]
    assert all(torch.equal(image[0], image[row]) for row in (1, 2, 3))
    assert all(torch.equal(image[4], image[row]) for row in (5, 6, 7)) and not torch.equal(image[0], image[4])
    assert image[0, 0].item() == pytest.approx(3 / 4) and image[4, 4].item() == 1


@pytest.mark.parametrize("scaling", ["minmax", "fixed"])
def test_images_are_made_where_the_windows_are(scaling: str) -> None:
    images = MarkovTransitionField(scaling, 2.0, 8)(torch.empty(2, 3, 21, device="meta"))
    assert (images.device.type, images.shape) == ("meta", (2, 3, 8, 8))
