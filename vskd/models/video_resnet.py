"""R(2+1)D-18 and MC3-18: residual networks of 18 layers on clips, as teachers.

Source: Tran, Wang, Torresani, Ray, LeCun & Paluri, "A Closer Look at Spatiotemporal Convolutions for Action
Recognition", CVPR 2018 (arXiv 1711.11248), in torchvision's implementation, whose parameter names they have.
"""

from typing import Literal

from torch import Tensor, nn

from vskd.models.c3d import Pixels3d, with_planes
from vskd.models.torchvision_shim import load_torchvision
from vskd.network import Network, NetworkSettings, Outputs, PretrainedPart, Shape
from vskd.schema import BelowOne

LAYERS = ("layer1", "layer2", "layer3", "layer4")
FEATURE_WIDTH = 512


class VideoResNetSettings(NetworkSettings):
    """Settings of `VideoResNet`; `dropout` stands before the classifier."""

    dropout: BelowOne = 0.0


class VideoResNet(Network):
    """One of torchvision's video networks; the embedding is the mean of the last feature map.

    Args:
        kind: `r2plus1d_18` factors 3-D convolutions into 2-D and 1-D ones, `mc3_18` is 2-D behind its first layers.
        classes: number of classes.
        dropout: before the classifier.

    Shape:
        input: (batch, 3, frames, height, width), 0..1.
        output: logits (batch, classes), embedding (batch, 512), features "layer1".."layer4", see `with_planes`.
    """

    embedding_size = FEATURE_WIDTH

    def __init__(self, kind: Literal["r2plus1d_18", "mc3_18"], classes: int, dropout: float) -> None:
        super().__init__()
        reference = getattr(load_torchvision().models.video, kind)()
        self.pixels = Pixels3d("kinetics")
        self.stem = reference.stem
        self.layer1, self.layer2, self.layer3, self.layer4 = (getattr(reference, name) for name in LAYERS)
        self.dropout, self.fc = nn.Dropout(dropout), nn.Linear(FEATURE_WIDTH, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of clips."""
        x, maps = self.stem(self.pixels(x)), {}
        for name in LAYERS:
            x = self.get_submodule(name)(x)
            maps[name] = x
        embedding = x.mean(dim=(2, 3, 4))  # (batch, 512, t, h, w) -> (batch, 512)
        return Outputs(self.fc(self.dropout(embedding)), embedding, with_planes(maps))

    def pretrained_part(self) -> PretrainedPart:
        """All of it; the classifier where it fits."""
        return PretrainedPart(self, head="fc")


def build_r2plus1d(settings: VideoResNetSettings, shape: Shape, classes: int) -> VideoResNet:
    """Build R(2+1)D-18 for clips of shape (channels, frames, height, width), whatever their size."""
    return VideoResNet("r2plus1d_18", classes, settings.dropout)


def build_mc3(settings: VideoResNetSettings, shape: Shape, classes: int) -> VideoResNet:
    """Build MC3-18 for clips of shape (channels, frames, height, width), whatever their size."""
    return VideoResNet("mc3_18", classes, settings.dropout)
