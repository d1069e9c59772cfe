"""Normalisation inside the networks."""

import pytest
import torch

from vskd.errors import SettingError
from vskd.models.normalise import IMAGENET_MEAN, IMAGENET_STD, PHOTO_CHANNELS, Normalise, photo_normalisation
from vskd.models.torchvision_shim import load_torchvision


def test_equals_torchvisions_transform() -> None:
    load_torchvision()
    from torchvision.transforms.v2.functional import normalize

    x = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    expected = normalize(x, list(IMAGENET_MEAN), list(IMAGENET_STD))
    torch.testing.assert_close(photo_normalisation(3)(x), expected)


def test_grey_takes_the_mean_of_the_channels_figures() -> None:
    x = torch.tensor([0.0, 0.449, 1.0]).view(1, 1, 1, 3)
    expected = torch.tensor([-0.449, 0.0, 0.551]) / 0.226
    torch.testing.assert_close(photo_normalisation(1)(x).flatten(), expected, atol=1e-5, rtol=1e-5)


def test_is_no_part_of_the_state_but_moves_with_the_network() -> None:
    module = photo_normalisation(3)
    assert not module.state_dict()
    assert module.double().mean.dtype == torch.float64


@pytest.mark.parametrize("channels", [0, 2, 4, 6])
def test_other_channels_are_refused(channels: int) -> None:
    with pytest.raises(SettingError, match=f"in_channels is {channels}"):
        photo_normalisation(channels)


@pytest.mark.parametrize(("mean", "std"), [((0.5, 0.5), (0.1,)), ((0.5,), (0.0,)), ((0.5,), (-1.0,))])
def test_impossible_figures_are_refused(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="std above 0"):
        Normalise(mean, std)


def test_one_impossible_deviation_is_enough() -> None:
    for mean, std in (((0.5, 0.5), (0.1, 0.0)), ((0.5, 0.5), (0.0, 0.1)), ((0.5,), (0.1, 0.2))):
        with pytest.raises(ValueError, match="std above 0"):
            Normalise(mean, std)
    assert PHOTO_CHANNELS == (1, 3)
    assert [len(photo_normalisation(channels).mean.flatten()) for channels in PHOTO_CHANNELS] == [1, 3]


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_the_axes_behind_the_channels_are_as_many_as_said(dimensions: int) -> None:
    x = torch.rand(2, 3, *(4, 5, 6)[:dimensions])
    found = Normalise((0.1, 0.2, 0.3), (2.0, 4.0, 8.0), dimensions)(x)
    for channel, (mean, std) in enumerate(((0.1, 2.0), (0.2, 4.0), (0.3, 8.0))):
        torch.testing.assert_close(found[:, channel], (x[:, channel] - mean) / std)
    plain = Normalise((0.1, 0.2, 0.3), (2.0, 4.0, 8.0))
    assert plain.mean.shape == plain.std.shape == (1, 3, 1, 1)
