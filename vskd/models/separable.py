"""Depthwise-separable convolutions and residual blocks of them, on series and on images.

A depthwise and a 1x1 convolution share one BatchNorm, as in Kriman et al., "QuartzNet", ICASSP 2020; residual as He et
al., CVPR 2016. Everything folds at export to convolutions, ReLU and addition, which have int8 kernels in LiteRT and
TFLite Micro.
"""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.network import Network, Outputs

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


class SeparableResNet(Network):
    """A stem, separable residual blocks, global average pooling, an embedding and a classifier.

    Args:
        dimensions: of what is classified.
        in_channels: of it.
        classes: number of classes.
        stem: (channels, kernel, pooling) of an ordinary convolution.
        blocks: (channels, kernel, pooling) of each separable block.
        embedding_size: width of the semantic embedding.
        dropout: probability of dropping an embedding value before the classifier; the embedding itself stays whole.

    Shape:
        input: (batch, in_channels, ...).
        output: logits (batch, classes), embedding (batch, embedding_size), features "stem", "block1", "block2" ...
    """

    def __init__(
        self,
        dimensions: Dimensions,
        in_channels: int,
        classes: int,
        stem: tuple[int, int, int],
        blocks: Sequence[tuple[int, int, int]],
        embedding_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding_size, self._places = embedding_size, tuple(range(2, 2 + dimensions))
        pool = nn.MaxPool1d if dimensions == 1 else nn.MaxPool2d
        last, kernel, pooling = stem
        first = convolution(dimensions, in_channels, last, kernel)
        self.stem = nn.Sequential(first, norm(dimensions, last), nn.ReLU(), pool(pooling))
        self.blocks = nn.ModuleDict()
        for number, (channels, kernel, pooling) in enumerate(blocks, start=1):
            layers: list[nn.Module] = [SeparableBlock(dimensions, last, channels, kernel)]
            if pooling > 1:
                layers.append(pool(pooling))
            self.blocks[f"block{number}"] = nn.Sequential(*layers)
            last = channels
        self.embed = nn.Sequential(nn.Linear(last, embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch."""
        features = {"stem": (x := self.stem(x))}
        for name, block in self.blocks.items():
            features[name] = x = block(x)
        embedding = self.embed(x.mean(dim=self._places))  # (batch, channels, ...) -> (batch, embedding_size)
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)


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
