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


@pytest.mark.parametrize(
    "shape", [(3, 16, 112, 112), (3, 24, 32, 32), (3, 9, 17, 33), (3, 17, 33, 16), (3, 5, 40, 17), (3, 1, 16, 16)]
)
def test_without_a_mean_every_place_of_the_last_map_counts(shape: tuple[int, ...]) -> None:
    network = build_network(parse_network({"name": "c3d-lean", "width": 0.125, "pool": "none"}), shape=shape, classes=3)
    clip = torch.rand(1, *shape)
    with torch.no_grad():
        made = network.eval()(clip)
        last = made.features["block5"].flatten(1)
        wanted = torch.relu(last @ network.embed[0].weight.T + network.embed[0].bias)  # type: ignore[index,union-attr,operator]
    torch.testing.assert_close(made.embedding, wanted)
    assert torch.equal(made.logits, network.classifier(made.embedding))  # type: ignore[operator]


def test_the_forward_pass_is_that_of_a_naive_network() -> None:
    """Layer by layer; the first pool halves height and width alone, and there is none behind the last block."""
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "c3d-lean", "width": 0.125}), shape=CLIP, classes=4).eval()
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm3d)):
        norm.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
    x = torch.rand(2, 3, 5, 18, 20)
    y = network.get_submodule("pixels")(x)
    for number, names in enumerate((("1",), ("2",), ("3a", "3b"), ("4a", "4b"), ("5a", "5b"))):
        for name in names:
            y = torch.relu(network.get_submodule(f"conv{name}")(y))
        if number < 4:
            y = nn.MaxPool3d((1, 2, 2) if number == 0 else 2, ceil_mode=True)(y)
    embedding = network.get_submodule("embed")(y.mean(dim=(2, 3, 4)))
    outputs = network(x)
    torch.testing.assert_close(outputs.features["block5"], y)
    torch.testing.assert_close(outputs.embedding, embedding)
    torch.testing.assert_close(outputs.logits, network.get_submodule("classifier")(embedding))
    assert outputs.embedding.min() >= 0 and network.get_submodule("dropout").p == 0.3


def test_what_a_network_is_where_nothing_is_said() -> None:
    settings = parse_network("c3d-lean").model_dump()
    assert settings == {
        "name": "c3d-lean",
        "width": 1.0,
        "embedding_size": 128,
        "dropout": 0.3,
        "pool": "mean",
        "pixels": "kinetics",
    }
    network = on_paper("c3d-lean", 3)
    assert network.embedding_size == network.get_submodule("embed.0").out_features == 128
    motion = build_network(
        parse_network({"name": "c3d-lean", "width": 0.125, "pixels": "motion"}), shape=CLIP, classes=2
    )
    assert repr(motion.get_submodule("pixels")).startswith("Pixels3d(\n  motion\n")
