"""What every network of the catalogs must fulfil. A network added to a catalog is tested by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vskd.models.catalog import NETWORKS, TEACHERS, build_network
from vskd.models.trn import BACKBONES
from vskd.models.weights.state import load_state, save_state
from vskd.network import Outputs

CLASSES, WIDTH = 5, 12


def student(name: str) -> tuple[nn.Module, Callable[[int], Tensor]]:
    entry = NETWORKS[name]
    channels = max(entry.channels, default=4)
    shape = {"image": (channels, 32, 32), "series": (channels, 64)}[entry.input_kind]
    network = build_network(name, in_channels=channels, classes=CLASSES, embedding_size=WIDTH, dropout=0.2)
    if not entry.channels:
        assert network.embedding_size == WIDTH
    return network, lambda batch: torch.randn(batch, *shape)


def teacher(name: str) -> tuple[nn.Module, Callable[[int], Tensor]]:
    kind, backbone = name.split("/")
    network = TEACHERS[kind].build(backbone, classes=CLASSES, segments=4, feature_size=WIDTH, feature_init_std=0.1)
    return network, lambda batch: torch.rand(batch, 4, 3, 48, 48) * 255


CASES = [*sorted(NETWORKS), *(f"{t}/{b}" for t in sorted(TEACHERS) for b in sorted(BACKBONES))]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, Callable[[int], Tensor]]:
    torch.manual_seed(0)
    return teacher(request.param) if "/" in request.param else student(request.param)


def test_forward_and_backward(case: tuple[nn.Module, Callable[[int], Tensor]]) -> None:
    network, batch_of = case
    outputs = network.train()(batch_of(3))
    assert isinstance(outputs, Outputs)
    assert outputs.logits.shape == (3, CLASSES)
    assert outputs.embedding.shape == (3, getattr(network, "embedding_size", WIDTH))
    assert outputs.features
    assert all(feature.shape[0] == 3 for feature in outputs.features.values())
    (outputs.logits.square().sum() + outputs.embedding.square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        assert torch.isfinite(parameter.grad).all(), f"{name} has a gradient that is not finite"


def test_evaluation_is_deterministic_and_takes_one_recording(case: tuple[nn.Module, Callable[[int], Tensor]]) -> None:
    network, batch_of = case
    x = batch_of(3)
    network.eval()
    with torch.no_grad():
        first = network(x)
        torch.manual_seed(5)
        assert torch.equal(first.logits, network(x).logits)
        alone = network(x[:1])
    assert alone.logits.shape == (1, CLASSES)
    torch.testing.assert_close(alone.logits, first.logits[:1], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(alone.embedding, first.embedding[:1], rtol=1e-3, atol=1e-4)


def test_state_survives_safetensors(case: tuple[nn.Module, Callable[[int], Tensor]], tmp_path: Path) -> None:
    network, batch_of = case
    x = batch_of(2)
    network.train()(x)  # moves the running statistics away from their first values
    network.eval()
    with torch.no_grad():
        expected = network(x).logits
        save_state(network, tmp_path / "n.safetensors", {"step": "1"})
        for parameter in network.parameters():
            parameter.normal_()
        for name, buffer in network.named_buffers():
            if "running" in name:
                buffer.uniform_(0.5, 1.5)
        assert not torch.equal(network(x).logits, expected)
        assert load_state(network, tmp_path / "n.safetensors") == {"step": "1"}
        assert torch.equal(network(x).logits, expected)
