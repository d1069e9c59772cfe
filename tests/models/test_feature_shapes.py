"""The shapes of feature maps, by one forward pass."""

import pytest
import torch
from torch import nn

from vskd.models.cnn1d import CNN1d
from vskd.models.feature_shapes import feature_shapes, probe


@pytest.mark.parametrize("training", [True, False])
def test_shapes_without_touching_the_network(training: bool) -> None:
    network = CNN1d(in_channels=3, classes=2).train(training)
    before = {n: t.clone() for n, t in network.state_dict().items()}
    assert feature_shapes(network, (3, 64)) == {
        "block1": (64, 32),
        "block2": (128, 16),
        "block3": (128, 8),
        "block4": (128, 8),
    }
    assert network.training is training
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())


def test_the_mode_is_restored_after_an_error() -> None:
    network = nn.Linear(3, 2).train()
    with pytest.raises(RuntimeError):
        probe(network, (4,))
    assert network.training
