"""Multiply-accumulates: published figures, and small layers counted by hand."""

import pytest
import torch
from torch import nn

from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.complexity import complexity
from vskd.models.squeezenet import SqueezeNet
from vskd.models.squeezenet_lw import SqueezeNetLW


def test_squeezenet_lw_both_ways() -> None:
    figures = complexity(SqueezeNetLW(3, 10), (3, 224, 224))
    assert figures.parameters == 187_434
    assert figures.macs == figures.convolution_macs == 245_123_360
    assert figures.ptflops_macs == 254_299_070


def test_squeezenet_1_0_as_published() -> None:
    assert complexity(SqueezeNet(3, 10, dropout=0.0), (3, 224, 224)).ptflops_macs == 750_322_690


# What ptflops 0.7.5 printed for these networks at 64 x 64 and 6 classes (backend "pytorch", torch 2.13).
PTFLOPS = {
    "convnext-atto": 45_404_806,
    "convnext-tiny": 366_331_398,
    "efficientnet-lite0": 31_511_686,
    "efficientnet-v2-s": 239_351_606,
    "efficientnet-v2-s-050": 25_885_294,
    "mobilenet-v3-small-075": 3_976_286,
    "mobilenet-v3-small-075-relu": 4_084_382,
    "mobilenet-v3-small-075-relu6": 4_030_334,
    "mobilenet-v3-small-100": 5_857_774,
    "mobilenet-v3-small-100-relu": 5_990_126,
    "mobilenet-v3-small-100-relu6": 5_923_950,
    "squeezenet-1-0": 50_553_358,
    "squeezenet-lw": 17_814_984,
}


@pytest.mark.parametrize("name", sorted(PTFLOPS))
def test_equals_what_ptflops_printed(name: str) -> None:
    network = build_network(parse_network(name), shape=(3, 64, 64), classes=6)
    assert complexity(network, (3, 64, 64)).ptflops_macs == PTFLOPS[name]


def test_every_photo_network_was_compared() -> None:
    assert set(PTFLOPS) == {name for name, entry in NETWORKS.items() if entry.kind == "image" and entry.channels}


def test_convolutions_and_linear_layers_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 6, 3, groups=2, padding=1),  # 5 x 5 positions, 6 outputs, 2 inputs each, 9 weights
        nn.ReLU(),
        nn.MaxPool2d(5),
        nn.Flatten(),
        nn.Linear(6, 7, bias=False),
    )
    figures = complexity(network, (4, 5, 5))
    assert (figures.convolution_macs, figures.linear_macs) == (25 * 6 * 2 * 9, 42)
    assert figures.macs == 2742
    # Bias of the convolution, then ReLU and pool twice.
    assert figures.ptflops_macs == 2742 + 150 + 2 * 150 + 2 * 150
    assert figures.parameters == 6 * 2 * 9 + 6 + 42


def test_a_layer_used_twice_counts_twice() -> None:
    layer = nn.Conv1d(3, 3, 1)
    assert complexity(nn.Sequential(layer, layer), (3, 10)).macs == 2 * 90


def test_ptflops_passes_over_subclasses() -> None:
    class Convolution(nn.Conv1d):
        pass

    figures = complexity(nn.Sequential(Convolution(2, 2, 1), nn.Conv1d(2, 2, 1)), (2, 5))
    assert (figures.convolution_macs, figures.ptflops_macs) == (40, 20 + 10)


def test_norms_and_gated_activations_by_hand() -> None:
    network = nn.Sequential(nn.Conv1d(2, 2, 1, bias=False), nn.BatchNorm1d(2), nn.SiLU(), nn.LayerNorm(5), nn.GELU())
    assert complexity(network, (2, 5)).ptflops_macs == 20 + 20 + 10 + 10 + 20


def test_leaves_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)).train()
    complexity(network, (1, 4, 4))
    assert network.training
    assert network[1].num_batches_tracked == 0
    assert not network[0]._forward_hooks
    with pytest.raises(RuntimeError):
        complexity(network, (2, 4, 4))
    assert not network[0]._forward_hooks
    assert network(torch.zeros(2, 1, 4, 4)).shape == (2, 1, 2, 2)
