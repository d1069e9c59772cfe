"""Depthwise-separable convolutions and residual blocks of them, on series and on images.

A depthwise and a 1x1 convolution share one BatchNorm, as in Kriman et al., "QuartzNet", ICASSP 2020; residual as He et
al., CVPR 2016. Everything folds at export to convolutions, ReLU and addition, which have int8 kernels in LiteRT and
TFLite Micro.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

Dimensions = Literal[1, 2]
"""1 of series (batch, channels, samples), 2 of images (batch, channels, height, width)."""
RESIDUAL_SCALE = 0.2


class SeparableConvolution(nn.Sequential):
    """A depthwise convolution, a 1x1 convolution and one BatchNorm.

    Args:
        dimensions: of what is convolved.
        in_channels, out_channels: of input and output.
        kernel: width, odd.

    Shape:
        (batch, in_channels, ...) -> (batch, out_channels, ...)
    """

    def __init__(self, dimensions: Dimensions, in_channels: int, out_channels: int, kernel: int) -> None:
        depthwise = convolution(dimensions, in_channels, in_channels, kernel, groups=in_channels)
        nn.init.kaiming_normal_(depthwise.weight, nonlinearity="linear")  # no ReLU follows
        pointwise = convolution(dimensions, in_channels, out_channels, 1)
        super().__init__(depthwise, pointwise, norm(dimensions, out_channels))


class SeparableBlock(nn.Module):
    """ReLU(x' + two separable convolutions of x); x' is x, or its 1x1 convolution where the widths differ.

    Args:
        dimensions, in_channels, out_channels, kernel: see `SeparableConvolution`.

    Shape:
        (batch, in_channels, ...) -> (batch, out_channels, ...)
    """

    def __init__(self, dimensions: Dimensions, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        first = SeparableConvolution(dimensions, in_channels, out_channels, kernel)
        second = SeparableConvolution(dimensions, out_channels, out_channels, kernel)
        last = second.get_parameter(f"{len(second) - 1}.weight")
        nn.init.constant_(last, RESIDUAL_SCALE)  # a block begins near its shortcut
        self.residual = nn.Sequential(first, nn.ReLU(), second)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            pointwise = convolution(dimensions, in_channels, out_channels, 1)
            self.shortcut = nn.Sequential(pointwise, norm(dimensions, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """One block."""
        return F.relu(self.shortcut(x) + self.residual(x))


def convolution(
    dimensions: Dimensions, in_channels: int, out_channels: int, kernel: int, groups: int = 1
) -> nn.Conv1d | nn.Conv2d:
    """A convolution for a BatchNorm and a ReLU behind it: no bias, of the input's size, He's initial weights."""
    kind = nn.Conv1d if dimensions == 1 else nn.Conv2d
    result = kind(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(result.weight, mode="fan_out", nonlinearity="relu")
    return result


def norm(dimensions: Dimensions, channels: int) -> nn.BatchNorm1d | nn.BatchNorm2d:
    """BatchNorm."""
    return nn.BatchNorm1d(channels) if dimensions == 1 else nn.BatchNorm2d(channels)
