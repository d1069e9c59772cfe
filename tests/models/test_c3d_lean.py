import pytest
import torch
from torch import nn

from tests.models.test_c3d import CLIP, on_paper, parameters
from vskd.models.catalog import build_network, parse_network


@pytest.mark.parametrize("classes", [11, 101, 400])
def test_at_most_a_million_parameters(classes: int) -> None:
    network = on_paper("c3d-lean", classes)
    convolutions = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Conv3d))
    assert parameters(network) == convolutions + 2 * 496 + (128 + 1) * 128 + (128 + 1) * classes
    assert parameters(network) <= 1_000_000


def test_convolutions_are_those_of_the_student() -> None:
    lean, student = (on_paper(name, 5) for name in ("c3d-lean", "c3d-student"))
    shapes = [[m.weight.shape for m in n.modules() if isinstance(m, nn.Conv3d)] for n in (lean, student)]
    assert shapes[0] == shapes[1]


def test_any_size_of_clip() -> None:
    network = build_network(parse_network({"name": "c3d-lean", "width": 0.125}), shape=CLIP, classes=3).eval()
    for shape in ((16, 112, 112), (8, 64, 48), (1, 16, 16)):
        assert network(torch.rand(1, 3, *shape)).logits.shape == (1, 3)
