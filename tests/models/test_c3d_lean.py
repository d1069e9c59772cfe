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


@pytest.mark.parametrize("shape", [(3, 16, 112, 112), (3, 24, 32, 32), (3, 5, 40, 17), (3, 1, 16, 16)])
def test_without_a_mean_every_place_of_the_last_map_counts(shape: tuple[int, ...]) -> None:
    network = build_network(parse_network({"name": "c3d-lean", "width": 0.125, "pool": "none"}), shape=shape, classes=3)
    clip = torch.rand(1, *shape)
    with torch.no_grad():
        made = network.eval()(clip)
        last = made.features["block5"].flatten(1)
        wanted = torch.relu(last @ network.embed[0].weight.T + network.embed[0].bias)  # type: ignore[index,union-attr,operator]
    torch.testing.assert_close(made.embedding, wanted)
    assert torch.equal(made.logits, network.classifier(made.embedding))  # type: ignore[operator]
