"""One forward pass on zeros, and the shapes of a network's feature maps: what projectors are built from."""

from typing import Any

import torch
from torch import nn

from vskd.network import Outputs


def probe(network: nn.Module, input_shape: tuple[int, ...]) -> Any:
    """What a network answers to one sample of zeros, in evaluation mode; the network's mode is left as it was.

    Args:
        network: takes (batch, *input_shape).
        input_shape: of one sample, without the batch, e.g. (channels, height, width).
    """
    device = next(network.parameters()).device
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            return network(torch.zeros(1, *input_shape, device=device))
    finally:
        network.train(training)


def feature_shapes(network: nn.Module, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Shapes of the features of one sample.

    Args:
        network: returns `Outputs`.
        input_shape: as in `probe`.

    Returns:
        Layer name -> shape without the batch, e.g. (channels, height, width).
    """
    outputs: Outputs = probe(network, input_shape)
    return {name: tuple(feature.shape[1:]) for name, feature in outputs.features.items()}
