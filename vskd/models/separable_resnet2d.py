"""A compact residual network of separable convolutions on small images, such as GAF images; see `separable`."""

from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.models.separable import SeparableBlock, convolution, norm
from vskd.network import Network, NetworkSettings, Outputs, Shape
from vskd.schema import BelowOne, Count

STEM_CHANNELS, STEM_KERNEL, KERNEL = 32, 5, 3
# (channels, pooling in pixels)
BLOCKS: tuple[tuple[int, int], ...] = ((64, 2), (128, 2), (192, 1), (192, 1))
MINIMUM_PIXELS = 8


class SeparableResNet2dSettings(NetworkSettings):
    """Settings of `SeparableResNet2d`."""

    embedding_size: Count = 128
    dropout: BelowOne = 0.0


class SeparableResNet2d(Network):
    """A stem, four separable residual blocks, global average pooling, an embedding and a classifier.

    Args:
        in_channels: of the images.
        classes: number of classes.
        embedding_size: width of the semantic embedding.
        dropout: probability of dropping an embedding value before the classifier; the embedding itself stays whole.

    Shape:
        input: (batch, in_channels, height, width), float, 8 pixels or more.
        output: logits (batch, classes), embedding (batch, embedding_size), features "stem" (batch, 32, height / 2,
            width / 2) and "block1".."block4", (batch, channels, height / 4, / 8, / 8, / 8, ...).
    """

    def __init__(self, in_channels: int, classes: int, embedding_size: int = 128, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        stem = convolution(2, in_channels, STEM_CHANNELS, STEM_KERNEL)
        self.stem = nn.Sequential(stem, norm(2, STEM_CHANNELS), nn.ReLU(), nn.MaxPool2d(2))
        self.blocks = nn.ModuleDict()
        width = STEM_CHANNELS
        for number, (channels, pooling) in enumerate(BLOCKS, start=1):
            layers: list[nn.Module] = [SeparableBlock(2, width, channels, KERNEL)]
            if pooling > 1:
                layers.append(nn.MaxPool2d(pooling))
            self.blocks[f"block{number}"] = nn.Sequential(*layers)
            width = channels
        self.embed = nn.Sequential(nn.Linear(width, embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of images."""
        features = {"stem": (x := self.stem(x))}
        for name, block in self.blocks.items():
            features[name] = x = block(x)
        embedding = self.embed(x.mean(dim=(2, 3)))  # (batch, 192, height / 8, width / 8) -> (batch, embedding_size)
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)


def build_separable_resnet2d(settings: SeparableResNet2dSettings, shape: Shape, classes: int) -> SeparableResNet2d:
    """Build the network for images of shape (channels, height, width).

    Raises:
        SettingError: the images are too small.
    """
    channels, height, width = shape
    if min(height, width) < MINIMUM_PIXELS:
        problem = f"An image of {height}x{width} pixels is too small for network '{settings.name}'"
        raise SettingError(problem, f"Give it images of {MINIMUM_PIXELS} pixels or more on either side")
    return SeparableResNet2d(channels, classes, settings.embedding_size, settings.dropout)
