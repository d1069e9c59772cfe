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
