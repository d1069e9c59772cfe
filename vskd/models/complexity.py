"""What one prediction of a network costs: parameters and multiply-accumulates (MACs), counted in two ways.

`macs` counts the multiplications of convolutions and linear layers: what an accelerator is rated by.
`ptflops_macs` is what the tool ptflops 0.7.5 prints with its "pytorch" backend, and so what many papers quote (KRCA's
"254.3M" among them): it adds biases, normalisations, activations and pooling, counts those layers twice whose
functional form it also watches (ReLU-like, pooling), and passes over subclasses of the layers that it knows (the
strided convolutions of EfficientNet-Lite). Use it to compare with such papers only.
"""

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from vskd.network import probe

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TWICE = (nn.ReLU, nn.PReLU, nn.ELU, nn.GELU)
# Activations that ptflops counts as a layer only (ReLU6) or as a function only (SiLU).
_ONCE = (nn.ReLU6, nn.SiLU)
_POOLS = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True)
class Complexity:
    """The cost of a network for one sample.

    Attributes:
        parameters: number of trained values.
        convolution_macs: MACs of the convolutions, without biases.
        linear_macs: MACs of the linear layers, without biases.
        ptflops_macs: as ptflops 0.7.5 (backend "pytorch") counts.
    """

    parameters: int
    convolution_macs: int
    linear_macs: int
    ptflops_macs: int

    @property
    def macs(self) -> int:
        """MACs of convolutions and linear layers."""
        return self.convolution_macs + self.linear_macs


def complexity(network: nn.Module, input_shape: tuple[int, ...]) -> Complexity:
    """Count by one forward pass on zeros; the network's mode is left as it was.

    Layers are counted by what passes through them, so work that is not a layer (additions, means, products of tensors)
    is not in any of the figures.

    Args:
        network: takes (batch, *input_shape).
        input_shape: of one sample, e.g. (channels, height, width).
    """
    totals = {"convolution": 0, "linear": 0, "ptflops": 0}

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, *_ = inputs
        totals["convolution"] += convolution_macs(module, output)
        totals["linear"] += linear_macs(module, output)
        totals["ptflops"] += _ptflops_macs(module, x, output)

    leaves = [module for module in network.modules() if not list(module.children())]
    handles = [module.register_forward_hook(count) for module in leaves]
    try:
        probe(network, input_shape)
    finally:
        for handle in handles:
            handle.remove()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Complexity(parameters, totals["convolution"], totals["linear"], totals["ptflops"])


def convolution_macs(module: nn.Module, output: Tensor) -> int:
    """MACs of a convolution that gave `output`; 0 for any other layer."""
    if not isinstance(module, _CONVOLUTIONS):
        return 0
    per_value = module.in_channels // module.groups * math.prod(module.kernel_size)
    return per_value * output.numel()


def linear_macs(module: nn.Module, output: Tensor) -> int:
    """MACs of a linear layer that gave `output`; 0 for any other layer."""
    return module.in_features * output.numel() if isinstance(module, nn.Linear) else 0


def _ptflops_macs(module: nn.Module, x: Tensor, output: Tensor) -> int:
    """What ptflops counts for a layer. It knows exact types only, no subclasses."""
    kind = type(module)
    if kind in _CONVOLUTIONS:
        return convolution_macs(module, output) + (output.numel() if module.bias is not None else 0)
    if kind is nn.Linear:
        return linear_macs(module, output) + (output.numel() if module.bias is not None else 0)
    if kind in _TWICE:
        return 2 * output.numel()
    if kind in _POOLS:
        return 2 * x.numel()
    if kind in _NORMS:  # ptflops looks for an attribute that LayerNorm calls otherwise
        return x.numel() * (2 if getattr(module, "affine", False) else 1)
    return x.numel() if kind in _ONCE else 0
