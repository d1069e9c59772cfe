"""The separable residual 2-D network: size and spatial layout."""

import pytest
import torch
from torch import nn

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.separable_resnet2d import MINIMUM_PIXELS, SeparableResNet2d


def test_size() -> None:
    assert sum(p.numel() for p in SeparableResNet2d(in_channels=6, classes=27).parameters()) == 245_755


@pytest.mark.parametrize("height", [MINIMUM_PIXELS, 33, 64])
def test_images_are_pooled_by_eight(height: int) -> None:
    outputs = SeparableResNet2d(6, 4, embedding_size=10).eval()(torch.randn(2, 6, height, 16))
    assert outputs.logits.shape == (2, 4) and outputs.embedding.shape == (2, 10)
    heights = [height // 2, height // 4, *3 * [height // 8]]
    assert [tuple(f.shape[2:]) for f in outputs.features.values()] == list(zip(heights, (8, 4, 2, 2, 2), strict=True))


def test_dropout_stands_before_the_classifier_alone() -> None:
    network = SeparableResNet2d(6, 4, embedding_size=10, dropout=0.9).eval()
    outputs = network(x := torch.randn(2, 6, 16, 16))
    torch.testing.assert_close(outputs.logits, network.classifier(outputs.embedding))
    network.dropout.train()
    assert torch.equal(network(x).embedding, outputs.embedding)
    assert not torch.equal(network(x).logits, outputs.logits)


def test_small_images_are_refused() -> None:
    with pytest.raises(SettingError, match=r"7x64 pixels is too small for network 'separable-resnet2d'.*8 pixels"):
        build_network(parse_network("separable-resnet2d"), shape=(6, MINIMUM_PIXELS - 1, 64), classes=4)


def test_the_forward_pass_is_that_of_a_naive_network() -> None:
    network, x = SeparableResNet2d(6, 4, embedding_size=10).eval(), torch.randn(2, 6, 16, 24)
    stem = network.stem
    assert stem[0].kernel_size == (5, 5)  # type: ignore[union-attr]
    y = nn.MaxPool2d(2)(torch.relu(stem[1](stem[0](x))))
    for name, pooling in (("block1", 2), ("block2", 2), ("block3", 1), ("block4", 1)):
        y = nn.MaxPool2d(pooling)(network.blocks[name][0](y))  # type: ignore[index]
    embedding = torch.relu(network.embed[0](y.flatten(2).sum(dim=2) / (y.shape[2] * y.shape[3])))
    outputs = network(x)
    torch.testing.assert_close(outputs.embedding, embedding)
    torch.testing.assert_close(outputs.logits, network.classifier(embedding))


def test_a_network_where_nothing_is_said_and_one_of_another_size() -> None:
    plain, small = SeparableResNet2d(3, 4), SeparableResNet2d(3, 4, embedding_size=10)
    assert (plain.embedding_size, plain.embed[0].out_features, plain.dropout.p) == (128, 128, 0.0)  # type: ignore[union-attr]
    assert (small.embedding_size, small.embed[0].out_features) == (10, 10)  # type: ignore[union-attr]
    assert parse_network("separable-resnet2d").model_dump() == {
        "name": "separable-resnet2d",
        "embedding_size": 128,
        "dropout": 0.0,
    }


def test_the_smallest_input_is_taken_and_nothing_is_pooled_by_one() -> None:
    network = build_network(parse_network("separable-resnet2d"), shape=(3, 8, 8), classes=4)
    assert network.eval()(torch.randn(1, *(3, 8, 8))).logits.shape == (1, 4)
    pools = [m.kernel_size for m in network.modules() if isinstance(m, nn.MaxPool2d)]
    assert pools == [2, 2, 2]
