"""A compact residual network of separable convolutions on small images, such as GAF images; see `separable`."""

from vskd.errors import SettingError
from vskd.models.separable import SeparableResNet
from vskd.network import NetworkSettings, Shape
from vskd.schema import BelowOne, Count

# (channels, kernel in pixels, pooling in pixels)
STEM = 32, 5, 2
BLOCKS: tuple[tuple[int, int, int], ...] = ((64, 3, 2), (128, 3, 2), (192, 3, 1), (192, 3, 1))
MINIMUM_PIXELS = 8


class SeparableResNet2dSettings(NetworkSettings):
    """Settings of `SeparableResNet2d`."""

    embedding_size: Count = 128
    dropout: BelowOne = 0.0


class SeparableResNet2d(SeparableResNet):
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
        super().__init__(2, in_channels, classes, STEM, BLOCKS, embedding_size, dropout)


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
