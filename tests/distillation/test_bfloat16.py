"""Convolutions whose gradient the CPU library computes wrongly in bfloat16 are found, and refused."""

import pytest
import torch
from torch import nn

from vskd.distillation.bfloat16 import refuse_wrong_gradients, strided_on_a_pixel
from vskd.errors import RecipeError
from vskd.models.catalog import build_network, parse_network
from vskd.network import Network, Outputs


class Convolutions(Network):
    """Convolutions one after another."""

    embedding_size = 2

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> Outputs:
        embedding = self.layers(x).mean(dim=(2, 3))
        return Outputs(embedding, embedding)


@pytest.mark.parametrize(
    ("layer", "side", "found"),
    [
        (nn.Conv2d(2, 2, 3, stride=2, padding=1), 1, True),
        (nn.Conv2d(2, 2, 3, stride=2, padding=1), 2, False),
        (nn.Conv2d(2, 2, 3, stride=1, padding=1), 1, False),
        (nn.Conv2d(2, 2, 1, stride=2), 1, False),
        (nn.Conv2d(2, 2, 2, stride=2, padding=1), 1, True),
        (nn.Conv2d(2, 2, 3, stride=3, padding=1), 1, True),
    ],
)
def test_a_stride_over_one_pixel_is_found(layer: nn.Module, side: int, found: bool) -> None:
    network = Convolutions(nn.Identity(), layer)
    assert strided_on_a_pixel(network, (2, side, side)) == (("layers.1",) if found else ())
    assert not any(module._forward_pre_hooks for module in network.modules())
    assert network.training


@pytest.mark.parametrize(("side", "refused"), [(32, True), (33, True), (40, False), (64, False)])
def test_the_student_of_krca_is_refused_at_32_and_33_pixels(
    side: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build_network(parse_network("squeezenet-lw"), shape=(3, side, side), classes=3)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    if refused:
        with pytest.raises(RecipeError, match=rf"precision is bfloat16, but at {side} x {side} pixels.*features\.\d+"):
            refuse_wrong_gradients(network, (3, side, side))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    refuse_wrong_gradients(network, (3, side, side))
