"""R(2+1)D-18 and MC3-18 are torchvision's, with our classifier."""

import pytest
import torch

from tests.models.test_c3d import on_paper, parameters
from vskd.models.catalog import build_network, parse_network
from vskd.models.torchvision_shim import load_torchvision


@pytest.mark.parametrize(("name", "kind"), [("r2plus1d-18", "r2plus1d_18"), ("mc3-18", "mc3_18")])
def test_the_answer_is_torchvisions(name: str, kind: str) -> None:
    reference = getattr(load_torchvision().models.video, kind)(weights=None, num_classes=5).eval()
    network = build_network(parse_network(name), shape=(3, 4, 16, 16), classes=5).eval()
    missing = network.load_state_dict(reference.state_dict())
    assert not missing.missing_keys and not missing.unexpected_keys
    x = torch.rand(1, 3, 4, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network(x).logits, reference(network.pixels(x)))


def test_parameters_on_kinetics_are_the_documented_ones() -> None:
    """As torchvision's pages say of the weights KINETICS400_V1."""
    assert parameters(on_paper("r2plus1d-18", 400)) == 31_505_325
    assert parameters(on_paper("mc3-18", 400)) == 11_695_440


def test_the_embedding_is_the_mean_of_the_last_map_and_dropout_stands_behind_it() -> None:
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "mc3-18", "dropout": 0.9}), shape=(3, 4, 32, 32), classes=5).eval()
    x = torch.rand(2, 3, 4, 32, 32)
    with torch.no_grad():
        outputs = network(x)
        last = outputs.features["layer4"]
        torch.testing.assert_close(outputs.embedding, last.flatten(2).sum(dim=2) / last[0, 0].numel())
        torch.testing.assert_close(outputs.logits, network.get_submodule("fc")(outputs.embedding))
        network.get_submodule("dropout").train()
        dropped = network(x)
    assert torch.equal(dropped.embedding, outputs.embedding) and not torch.equal(dropped.logits, outputs.logits)
    assert network.embedding_size == 512 and list(outputs.features)[:4] == ["layer1", "layer2", "layer3", "layer4"]
    assert network.pretrained_part().head == "fc"


@pytest.mark.parametrize("name", ["r2plus1d-18", "mc3-18"])
def test_what_a_network_is_where_nothing_is_said(name: str) -> None:
    assert parse_network(name).model_dump() == {"name": name, "dropout": 0.0}
    network = on_paper(name, 3)
    assert network.get_submodule("dropout").p == 0.0
    assert repr(network.get_submodule("pixels")).startswith("Pixels3d(\n  kinetics\n")
