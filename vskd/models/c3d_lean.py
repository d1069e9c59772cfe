"""A lean 3-D student: the convolutions of the published C3D student, normalised, without its fully connected layers.

86 of 100 parameters of the published student are in fc6 and fc7. Here the last feature map is averaged over time and
place instead, or is small enough to be read by one layer; batch normalisation behind each convolution lets it be
trained from scratch in fewer epochs.
"""

import math
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.models.c3d import BLOCKS, STUDENT, Pixels3d, with_planes
from vskd.network import Network, NetworkSettings, Outputs, Shape
from vskd.schema import BelowOne, Count, ShareOfOne

Pool = Literal["mean", "none"]


class C3DLeanSettings(NetworkSettings):
    """Settings of `C3DLean`.

    Attributes:
        width: share of the channels.
        embedding_size: width of the embedding.
        dropout: before the classifier.
        pool: `mean` averages the last feature map over time and place; `none` keeps when and where, which counts where
            clips are cut to the figure.
        pixels: `kinetics` shows the frames, `motion` what changes between them; see `Pixels3d`.
    """

    width: ShareOfOne = 1.0
    embedding_size: Count = 128
    dropout: BelowOne = 0.3
    pool: Pool = "mean"
    pixels: Literal["kinetics", "motion"] = "kinetics"


class C3DLean(Network):
    """Eight convolutions with batch normalisation, the mean over time and place, the embedding, the classifier.

    Args:
        shape: (3, frames, height, width) of a clip; counts only where nothing is averaged.
        classes: number of classes.
        settings: see `C3DLeanSettings`.

    Shape:
        input: (batch, 3, frames, height, width), 0..1, any of the last three where they are averaged.
        output: logits (batch, classes), embedding (batch, embedding_size), features "block1".."block5",
            see `with_planes`.
    """

    def __init__(self, shape: Shape, classes: int, settings: C3DLeanSettings) -> None:
        super().__init__()
        self.embedding_size = settings.embedding_size
        self.pixels = Pixels3d(settings.pixels)
        channels = 3
        widths = STUDENT.narrowed(settings.width).convolutions
        for block, width in zip(BLOCKS, widths, strict=True):
            for name in block:
                layer = nn.Sequential(nn.Conv3d(channels, width, 3, padding=1, bias=False), nn.BatchNorm3d(width))
                setattr(self, name, layer)
                channels = width
        self.relu = nn.ReLU()
        self.pool: Pool = settings.pool
        features = channels if settings.pool == "mean" else channels * _positions(shape)
        self.embed = nn.Sequential(nn.Linear(features, settings.embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(settings.dropout)
        self.classifier = nn.Linear(settings.embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of clips."""
        x, maps = self.pixels(x), {}
        for number, block in enumerate(BLOCKS):
            for name in block:
                x = self.relu(self.get_submodule(name)(x))
            if number < len(BLOCKS) - 1:
                x = F.max_pool3d(x, (1 if number == 0 else 2, 2, 2), ceil_mode=True)
            maps[f"block{number + 1}"] = x
        # (batch, channels, t, h, w) -> (batch, embedding_size)
        embedding = self.embed(x.mean(dim=(2, 3, 4)) if self.pool == "mean" else x.flatten(1))
        return Outputs(self.classifier(self.dropout(embedding)), embedding, with_planes(maps))


def _positions(shape: Shape) -> int:
    """Places of the last feature map of a clip of `shape`; pools round up: 2 x 7 x 7 at 16 x 112 x 112."""
    frames, height, width = shape[1:]
    return math.ceil(frames / 8) * math.ceil(height / 16) * math.ceil(width / 16)


def build_c3d_lean(settings: C3DLeanSettings, shape: Shape, classes: int) -> C3DLean:
    """Build the network for clips of shape (channels, frames, height, width)."""
    return C3DLean(shape, classes, settings)
