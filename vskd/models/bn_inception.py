"""BN-Inception, the frame network of the vision teacher.

Source: Ioffe & Szegedy, "Batch Normalization: Accelerating Deep Network Training", ICML 2015 (arXiv 1502.03167), in the
layer widths and parameter names of the public `bn_inception` ImageNet weights, so that those load by name.

Points of deviation from the public version:
    - BatchNorm momentum is 0.1 (there 0.9, which keeps hardly more than the last batch);
    - the pass-through pools of 3c and 4e are padded where a side is odd, so that every input size of at least 16 pixels
      works. On sides that are a multiple of 32 (224 among them) the answers are the same;
    - global average pooling instead of a fixed 7 x 7 window; the same at 224 x 224.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.network import PretrainedPart

FEATURE_WIDTH = 1024


@dataclass(frozen=True)
class InceptionBlock:
    """Output widths of one block's branches; 0 in `one` and `projection` means that the branch is absent (stride 2)."""

    name: str
    one: int
    three: tuple[int, int]
    double: tuple[int, int]
    pool: Literal["avg", "max"]
    projection: int

    @property
    def stride(self) -> int:
        """2 for the two blocks that halve the resolution; their pool branch passes its input through."""
        return 1 if self.projection else 2

    def out_channels(self, in_channels: int) -> int:
        """Channels after joining the branches."""
        return self.one + self.three[1] + self.double[1] + (self.projection or in_channels)


#                1x1  (reduce, 3x3)  (reduce, double 3x3)  pool   projection
BLOCKS: tuple[InceptionBlock, ...] = (
    InceptionBlock("3a", 64, (64, 64), (64, 96), "avg", 32),
    InceptionBlock("3b", 64, (64, 96), (64, 96), "avg", 64),
    InceptionBlock("3c", 0, (128, 160), (64, 96), "max", 0),
    InceptionBlock("4a", 224, (64, 96), (96, 128), "avg", 128),
    InceptionBlock("4b", 192, (96, 128), (96, 128), "avg", 128),
    InceptionBlock("4c", 160, (128, 160), (128, 160), "avg", 128),
    InceptionBlock("4d", 96, (128, 192), (160, 192), "avg", 128),
    InceptionBlock("4e", 0, (128, 192), (192, 256), "max", 0),
    InceptionBlock("5a", 352, (192, 320), (160, 224), "avg", 128),
    InceptionBlock("5b", 352, (192, 320), (192, 224), "max", 128),
)


class BNInception(nn.Module):
    """BN-Inception for RGB-like input of three channels.

    Args:
        classes: width of the classifier `last_linear`, or None for the feature extractor alone (10,270,240 parameters;
            10.28 M by the count that folds the biases of the convolutions and includes the BatchNorm statistics).

    Shape:
        input: (batch, 3, height, width), float; the public weights want BGR, 0..255, minus (104, 117, 128).
        output of `forward_features`: (batch, 1024); of `forward`: (batch, classes).
    """

    feature_width: int = FEATURE_WIDTH

    def __init__(self, classes: int | None = None) -> None:
        super().__init__()
        self._add("conv1_7x7_s2", 3, 64, kernel=7, stride=2)
        self._add("conv2_3x3_reduce", 64, 64, kernel=1)
        self._add("conv2_3x3", 64, 192, kernel=3)
        channels = 192
        for block in BLOCKS:
            self._add_block(block, channels)
            channels = block.out_channels(channels)
        self.last_linear = None if classes is None else nn.Linear(channels, classes)
        self._initialise()

    def _add(self, name: str, in_channels: int, out_channels: int, *, kernel: int, stride: int = 1) -> None:
        """Register a convolution and its BatchNorm under the public names `name` and `name`_bn."""
        self.add_module(name, nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(out_channels))

    def _add_block(self, block: InceptionBlock, channels: int) -> None:
        prefix = f"inception_{block.name}"
        if block.one:
            self._add(f"{prefix}_1x1", channels, block.one, kernel=1)
        reduce, width = block.three
        self._add(f"{prefix}_3x3_reduce", channels, reduce, kernel=1)
        self._add(f"{prefix}_3x3", reduce, width, kernel=3, stride=block.stride)
        reduce, width = block.double
        self._add(f"{prefix}_double_3x3_reduce", channels, reduce, kernel=1)
        self._add(f"{prefix}_double_3x3_1", reduce, width, kernel=3)
        self._add(f"{prefix}_double_3x3_2", width, width, kernel=3, stride=block.stride)
        if block.projection:
            self._add(f"{prefix}_pool_proj", channels, block.projection, kernel=1)

    def _initialise(self) -> None:
        """He initialisation, for training without the public weights."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.get_parameter("bias"))

    def _unit(self, name: str, x: Tensor) -> Tensor:
        """Convolution, BatchNorm, ReLU."""
        x = self.get_submodule(f"{name}_bn")(self.get_submodule(name)(x))
        return F.relu(x, inplace=True)

    def _block(self, block: InceptionBlock, x: Tensor) -> Tensor:
        prefix = f"inception_{block.name}"
        branches = [self._unit(f"{prefix}_1x1", x)] if block.one else []
        branches.append(self._unit(f"{prefix}_3x3", self._unit(f"{prefix}_3x3_reduce", x)))
        double = self._unit(f"{prefix}_double_3x3_1", self._unit(f"{prefix}_double_3x3_reduce", x))
        branches.append(self._unit(f"{prefix}_double_3x3_2", double))
        pooled = _pool(block, x)
        branches.append(self._unit(f"{prefix}_pool_proj", pooled) if block.projection else pooled)
        return torch.cat(branches, dim=1)

    def forward_features(self, x: Tensor) -> Tensor:
        """Pooled features: (batch, 3, height, width) -> (batch, 1024)."""
        x = F.max_pool2d(self._unit("conv1_7x7_s2", x), 3, stride=2, ceil_mode=True)
        x = self._unit("conv2_3x3", self._unit("conv2_3x3_reduce", x))
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
        for block in BLOCKS:
            x = self._block(block, x)
        return x.mean(dim=(2, 3))

    def pretrained_part(self) -> PretrainedPart:
        """All of it."""
        return PretrainedPart(self, stem="conv1_7x7_s2")

    def forward(self, x: Tensor) -> Tensor:
        """Class logits, or the pooled features when built without a classifier."""
        features = self.forward_features(x)
        if self.last_linear is None:
            return features
        logits: Tensor = self.last_linear(features)
        return logits


def _pool(block: InceptionBlock, x: Tensor) -> Tensor:
    if block.pool == "avg":
        return F.avg_pool2d(x, 3, stride=1, padding=1)
    if block.stride == 1:
        return F.max_pool2d(x, 3, stride=1, padding=1)
    # The convolutions beside this pool give ceil(side / 2); without padding an odd side would give one less.
    return F.max_pool2d(x, 3, stride=2, padding=(x.shape[2] % 2, x.shape[3] % 2), ceil_mode=True)
