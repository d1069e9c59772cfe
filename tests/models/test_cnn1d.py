"""The 1-D CNN: size, temporal layout, learning."""

import pytest
import torch
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.cnn1d import MINIMUM_SAMPLES, CNN1d


def test_size_is_that_of_a_small_network() -> None:
    parameters = sum(p.numel() for p in CNN1d(in_channels=3, classes=27).parameters())
    assert parameters == 221_099


@pytest.mark.parametrize("samples", [MINIMUM_SAMPLES, 50, 128, 181])
def test_any_length_works_and_is_pooled_by_eight(samples: int) -> None:
    outputs = CNN1d(3, 4, embedding_size=10).eval()(torch.randn(2, 3, samples))
    assert outputs.logits.shape == (2, 4)
    assert [f.shape[2] for f in outputs.features.values()] == [samples // 2, samples // 4, samples // 8, samples // 8]


def test_embedding_is_a_relu_and_feeds_the_classifier() -> None:
    network = CNN1d(3, 4, embedding_size=10).eval()
    outputs = network(torch.randn(2, 3, 64))
    assert (outputs.embedding >= 0).all()
    torch.testing.assert_close(outputs.logits, network.classifier(outputs.embedding))


def test_dropout_leaves_the_embedding_whole() -> None:
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "cnn1d", "dropout": 0.9}), shape=(3, 64), classes=4).eval()
    whole = network(x := torch.randn(2, 3, 64))
    dropouts = [module for module in network.modules() if isinstance(module, torch.nn.Dropout)]
    assert [dropout.p for dropout in dropouts] == [0.9]
    dropouts[0].train()
    first, second = network(x), network(x)
    assert torch.equal(first.embedding, whole.embedding) and torch.equal(second.embedding, whole.embedding)
    assert not torch.equal(first.logits, second.logits)


def test_short_windows_are_refused() -> None:
    with pytest.raises(SettingError, match=r"window of 7 samples is too short for network 'cnn1d'.*8 samples or more"):
        build_network(parse_network("cnn1d"), shape=(3, MINIMUM_SAMPLES - 1), classes=4)


def test_learns_the_frequency_of_a_wave() -> None:
    torch.manual_seed(0)
    labels = torch.arange(2).repeat(16)
    phase = torch.rand(32, 3, 1) * 6.28
    time = torch.arange(64) / 50.0
    x = torch.sin(2 * torch.pi * (2.0 + 3.0 * labels.view(-1, 1, 1)) * time + phase)
    network = CNN1d(3, 2, embedding_size=16)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(network(x).logits, labels).backward()
        optimizer.step()
    held_out = torch.sin(2 * torch.pi * (2.0 + 3.0 * labels.view(-1, 1, 1)) * time + phase + 1.0)
    network.eval()
    with torch.no_grad():
        assert (network(held_out).logits.argmax(1) == labels).float().mean() >= 0.9


def test_convolutions_are_drawn_as_he_has_it() -> None:
    """Deviation sqrt(2 / fan out), where fan in is another."""
    torch.manual_seed(0)
    first, *_, last = (m for m in CNN1d(6, 4).modules() if isinstance(m, torch.nn.Conv1d))
    for layer in (first, last):
        assert layer.bias is None
        fan_out = layer.out_channels * layer.kernel_size[0]
        assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
    assert first.in_channels != first.out_channels


def test_a_network_where_nothing_is_said_and_the_names_of_its_maps() -> None:
    assert parse_network("cnn1d").model_dump() == {"name": "cnn1d", "embedding_size": 300, "dropout": 0.0}
    plain, small = CNN1d(3, 4), CNN1d(3, 4, embedding_size=10)
    assert (plain.embedding_size, plain.dropout.p, small.embedding_size) == (300, 0.0, 10)
    outputs = small.eval()(torch.randn(2, 3, 64))
    assert outputs.embedding.shape == (2, 10) and list(outputs.features) == [f"block{k}" for k in (1, 2, 3, 4)]


def test_there_is_no_pooling_where_nothing_is_pooled() -> None:
    """It would cost a device a copy of the map."""
    pools = [module.kernel_size for module in CNN1d(3, 4).modules() if isinstance(module, torch.nn.MaxPool1d)]
    assert pools == [2, 2, 2]


def test_the_forward_pass_is_that_of_a_naive_network() -> None:
    torch.manual_seed(0)
    network, x = CNN1d(3, 4, embedding_size=10).eval(), torch.randn(2, 3, 64)
    y = x
    for name, pooling in (("block1", 2), ("block2", 2), ("block3", 2), ("block4", 1)):
        block = network.get_submodule(f"blocks.{name}")
        y = torch.nn.MaxPool1d(pooling)(torch.relu(block[1](block[0](y))))  # type: ignore[index]
    outputs = network(x)
    torch.testing.assert_close(outputs.features["block4"], y)
    torch.testing.assert_close(outputs.embedding, torch.relu(network.embed[0](y.sum(dim=2) / y.shape[2])))
