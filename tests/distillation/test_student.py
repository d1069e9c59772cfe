"""Encoding and network as one module."""

import pytest
import torch

from vskd.distillation.student import SensorStudent, build_student, channels_last
from vskd.errors import RecipeError
from vskd.preprocessing.sensor.encodings import build_encoding


def student(network: str, method: str) -> SensorStudent:
    torch.manual_seed(0)
    return build_student(
        network=network,
        embedding_size=12,
        dropout=0.0,
        channels=3,
        classes=4,
        method=method,
        scaling="fixed",
        limit=4.0,
        image_size=16,
    ).eval()


@pytest.mark.parametrize(
    ("network", "method"), [("cnn1d", "raw"), ("resnet18-small-stem", "gasf"), ("resnet18-small-stem", "gasf+gadf")]
)
def test_forward_is_the_network_on_the_encoding(network: str, method: str) -> None:
    built, windows = student(network, method), torch.randn(2, 3, 32)
    with torch.inference_mode():
        outputs = built(windows)
        direct = built.network(build_encoding(method, "fixed", 4.0, 16)(windows))
    assert outputs.logits.shape == (2, 4)
    assert outputs.embedding.shape == (2, 12)
    torch.testing.assert_close(outputs.logits, direct.logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("network", "method"), [("resnet18", "raw"), ("cnn1d", "gasf")])
def test_what_does_not_fit_is_refused(network: str, method: str) -> None:
    with pytest.raises(RecipeError, match=f"'{network}' reads an? .*'{method}' gives"):
        student(network, method)


def test_initial_weights_follow_torchs_seed() -> None:
    one, other = student("cnn1d", "raw").state_dict(), student("cnn1d", "raw").state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_channels_last_changes_the_layout_only() -> None:
    layer = torch.nn.Conv2d(3, 4, 3)
    before = layer.weight.detach().clone()
    channels_last(layer)
    assert torch.equal(layer.weight, before)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("layer", [torch.nn.Conv2d(1, 4, 3), torch.nn.Conv2d(4, 4, 3, groups=4)])
def test_channels_last_reaches_weights_of_one_input_channel(layer: torch.nn.Conv2d) -> None:
    """`contiguous` would leave them, and the maps behind them, with channels first: half as fast on grey images."""
    channels_last(layer)
    images = torch.rand(2, layer.in_channels, 8, 8).contiguous()
    assert layer.weight.stride(1) == 1
    assert layer(images).stride(1) == 1
