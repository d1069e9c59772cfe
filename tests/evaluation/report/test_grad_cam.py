"""Grad-CAM on networks whose answer can be written down."""

import pytest
import torch
from torch import Tensor, nn

from vskd.evaluation.report.grad_cam import grad_cam
from vskd.network import Outputs


class Linear(nn.Module):
    """The image's channels are the maps; logits are weighted means of the maps."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, images: Tensor) -> Outputs:
        maps = images * 1.0
        pooled = maps.mean(dim=(2, 3))
        return Outputs(pooled @ self.weights.T, pooled, {"deep": maps, "half": maps[..., ::2, ::2]})


WEIGHTS = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, 0.0], [-1.0, -1.0, -1.0]])


@pytest.fixture
def images() -> Tensor:
    return torch.rand(4, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def test_closed_form_of_a_linear_network(images: Tensor) -> None:
    """The gradient at every place is weight / places, so the map is relu(sum of weighted maps), over its largest."""
    classes = torch.tensor([0, 1, 0, 1])
    expected = torch.relu(torch.einsum("bk,bkhw->bhw", WEIGHTS[classes], images))
    expected /= expected.amax(dim=(1, 2), keepdim=True)
    found = grad_cam(Linear(WEIGHTS), images, classes)
    torch.testing.assert_close(found, expected)
    assert found.shape == (4, 6, 5)
    assert not found.requires_grad


def test_what_speaks_against_a_class_is_cut_off(images: Tensor) -> None:
    assert torch.equal(grad_cam(Linear(WEIGHTS), images, torch.full((4,), 2)), torch.zeros(4, 6, 5))


def test_works_without_gradients_around_and_leaves_no_trace(images: Tensor) -> None:
    network = Linear(WEIGHTS).requires_grad_(False)
    with torch.no_grad():
        quiet = grad_cam(network, images, torch.zeros(4, dtype=torch.long))
    torch.testing.assert_close(quiet, grad_cam(Linear(WEIGHTS), images, torch.zeros(4, dtype=torch.long)))
    assert network.weights.grad is None
    assert images.grad is None


def test_a_coarse_map_is_brought_to_the_images_size() -> None:
    """The bright corner of the map is the bright corner of the result."""

    class Corner(nn.Module):
        def forward(self, images: Tensor) -> Outputs:
            maps = nn.functional.avg_pool2d(images, 4)
            return Outputs(maps.mean(dim=(2, 3)), maps.mean(dim=(2, 3)), {"deep": maps})

    image = torch.zeros(1, 1, 16, 16)
    image[..., :4, 12:] = 1
    heat = grad_cam(Corner(), image, torch.zeros(1, dtype=torch.long))[0]
    assert heat.shape == (16, 16)
    assert heat.max() == 1
    assert heat[:3, 13:].min() > 0.7
    assert heat[8:].max() == 0


def test_an_unknown_layer_is_an_error(images: Tensor) -> None:
    with pytest.raises(KeyError):
        grad_cam(Linear(WEIGHTS), images, torch.zeros(4, dtype=torch.long), layer="none")
