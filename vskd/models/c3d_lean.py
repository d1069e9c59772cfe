"""A lean 3-D student: the convolutions of the published C3D student, normalised, without its fully connected layers.

86 of 100 parameters of the published student are in fc6 and fc7. Here the last feature map is averaged over time and
place instead; batch normalisation behind each convolution lets it be trained from scratch in fewer epochs.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.models.c3d import BLOCKS, STUDENT, Pixels3d, with_planes
from vskd.network import Network, NetworkSettings, Outputs, Shape
from vskd.schema import BelowOne, Count, ShareOfOne


class C3DLeanSettings(NetworkSettings):
    """Settings of `C3DLean`.

    Attributes:
        width: share of the channels.
        embedding_size: width of the embedding.
        dropout: before the classifier.
    """

    width: ShareOfOne = 1.0
    embedding_size: Count = 128
    dropout: BelowOne = 0.3


class C3DLean(Network):
    """Eight convolutions with batch normalisation, the mean over time and place, the embedding, the classifier.

    Shape:
        input: (batch, 3, frames, height, width), 0..1, any of the last three.
        output: logits (batch, classes), embedding (batch, embedding_size), features "block1".."block5",
            see `with_planes`.
    """

    def __init__(self, classes: int, settings: C3DLeanSettings) -> None:
        super().__init__()
        self.embedding_size = settings.embedding_size
        self.pixels = Pixels3d("kinetics")
        channels = 3
        widths = STUDENT.narrowed(settings.width).convolutions
        for block, width in zip(BLOCKS, widths, strict=True):
            for name in block:
                layer = nn.Sequential(nn.Conv3d(channels, width, 3, padding=1, bias=False), nn.BatchNorm3d(width))
                setattr(self, name, layer)
                channels = width
        self.relu = nn.ReLU()
        self.embed = nn.Sequential(nn.Linear(channels, settings.embedding_size), nn.ReLU())
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
        embedding = self.embed(x.mean(dim=(2, 3, 4)))  # (batch, channels, t, h, w) -> (batch, embedding_size)
        return Outputs(self.classifier(self.dropout(embedding)), embedding, with_planes(maps))


def build_c3d_lean(settings: C3DLeanSettings, shape: Shape, classes: int) -> C3DLean:
    """Build the network for clips of shape (channels, frames, height, width), whatever their size."""
    return C3DLean(classes, settings)
