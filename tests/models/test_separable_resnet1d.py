"""The separable residual 1-D network: size and temporal layout."""

import pytest
import torch
from torch import nn

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.separable_resnet1d import MINIMUM_SAMPLES, SeparableResNet1d


@pytest.mark.parametrize(("name", "parameters"), [("separable-resnet1d", 99_547), ("separable-resnet1d-050", 27_515)])
def test_size(name: str, parameters: int) -> None:
    network = build_network(parse_network(name), shape=(3, 128), classes=27)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("samples", [MINIMUM_SAMPLES, 50, 128])
def test_any_length_works_and_is_pooled_by_sixteen(samples: int) -> None:
    outputs = SeparableResNet1d(3, 4, embedding_size=10).eval()(torch.randn(2, 3, samples))
    assert outputs.logits.shape == (2, 4)
    assert [f.shape[2] for f in outputs.features.values()] == [samples // n for n in (4, 8, 16, 16)]


def test_dropout_stands_before_the_classifier_alone() -> None:
    network = SeparableResNet1d(3, 4, embedding_size=10, dropout=0.9).eval()
    outputs = network(x := torch.randn(2, 3, 64))
    torch.testing.assert_close(outputs.logits, network.classifier(outputs.embedding))
    network.dropout.train()
    assert torch.equal(network(x).embedding, outputs.embedding)
    assert not torch.equal(network(x).logits, outputs.logits)


def test_short_windows_are_refused() -> None:
    with pytest.raises(SettingError, match=r"15 samples is too short for network 'separable-resnet1d'.*16 samples"):
        build_network(parse_network("separable-resnet1d"), shape=(3, MINIMUM_SAMPLES - 1), classes=4)


def test_the_forward_pass_is_that_of_a_naive_network() -> None:
    network, x = SeparableResNet1d(3, 4, embedding_size=10, width=0.5).eval(), torch.randn(2, 3, 64)
    stem = network.stem
    assert (stem[0].kernel_size, stem[0].out_channels) == ((7,), 24)  # type: ignore[union-attr]
    y = nn.MaxPool1d(4)(torch.relu(stem[1](stem[0](x))))
    kernels = []
    for name, pooling in (("block1", 2), ("block2", 2), ("block3", 1)):
        block = network.blocks[name][0]  # type: ignore[index]
        kernels.append(block.residual[0][0].kernel_size[0])
        y = nn.MaxPool1d(pooling)(block(y))
    embedding = torch.relu(network.embed[0](y.sum(dim=2) / y.shape[2]))
    outputs = network(x)
    torch.testing.assert_close(outputs.embedding, embedding)
    torch.testing.assert_close(outputs.logits, network.classifier(embedding))
    assert kernels == [9, 9, 7]


def test_a_network_where_nothing_is_said_and_one_of_another_size() -> None:
    plain, small = SeparableResNet1d(3, 4), SeparableResNet1d(3, 4, embedding_size=10)
    assert (plain.embedding_size, plain.embed[0].out_features, plain.dropout.p) == (128, 128, 0.0)  # type: ignore[union-attr]
    assert (small.embedding_size, small.embed[0].out_features) == (10, 10)  # type: ignore[union-attr]
    assert parse_network("separable-resnet1d").model_dump() == {
        "name": "separable-resnet1d",
        "embedding_size": 128,
        "dropout": 0.0,
    }


def test_the_smallest_input_is_taken_and_nothing_is_pooled_by_one() -> None:
    network = build_network(parse_network("separable-resnet1d"), shape=(3, 16), classes=4)
    assert network.eval()(torch.randn(1, *(3, 16))).logits.shape == (1, 4)
    pools = [m.kernel_size for m in network.modules() if isinstance(m, nn.MaxPool1d)]
    assert pools == [4, 2, 2]
