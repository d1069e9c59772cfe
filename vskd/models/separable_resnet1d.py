"""A residual network of separable 1-D convolutions on the raw sensor window; see `separable`."""

from vskd.models.separable import SeparableResNet
from vskd.models.window_length import require_samples
from vskd.network import NetworkSettings, Shape
from vskd.schema import BelowOne, Count

STEM_CHANNELS, STEM_KERNEL, STEM_POOLING = 48, 7, 4
# (channels, kernel in samples, pooling in samples)
BLOCKS: tuple[tuple[int, int, int], ...] = ((64, 9, 2), (96, 9, 2), (128, 7, 1))
MINIMUM_SAMPLES = 16


class SeparableResNet1dSettings(NetworkSettings):
    """Settings of `SeparableResNet1d`."""

    embedding_size: Count = 128
    dropout: BelowOne = 0.0


class HalfSeparableResNet1dSettings(SeparableResNet1dSettings):
    """The same at half the width, for microcontrollers."""

    embedding_size: Count = 64


class SeparableResNet1d(SeparableResNet):
    """A stem, three separable residual blocks, global average pooling, an embedding and a classifier.

    Args:
        in_channels: sensor axes.
        classes: number of classes.
        embedding_size: width of the semantic embedding.
        dropout: probability of dropping an embedding value before the classifier; the embedding itself stays whole.
        width: factor of the numbers of channels, 48, 64, 96 and 128.

    Shape:
        input: (batch, in_channels, samples), float, samples >= 16.
        output: logits (batch, classes), embedding (batch, embedding_size), features "stem" (batch, 48 * width,
            samples / 4) and "block1".."block3", (batch, channels * width, samples / 8, / 16, / 16).
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        embedding_size: int = 128,
        dropout: float = 0.0,
        width: float = 1.0,
    ) -> None:
        stem = int(STEM_CHANNELS * width), STEM_KERNEL, STEM_POOLING
        blocks = [(int(channels * width), kernel, pooling) for channels, kernel, pooling in BLOCKS]
        super().__init__(1, in_channels, classes, stem, blocks, embedding_size, dropout)


def build_separable_resnet1d(
    settings: SeparableResNet1dSettings, shape: Shape, classes: int, width: float = 1.0
) -> SeparableResNet1d:
    """Build the network for windows of shape (channels, samples).

    Raises:
        SettingError: the windows are too short.
    """
    channels, samples = shape
    require_samples(settings, samples, MINIMUM_SAMPLES)
    return SeparableResNet1d(channels, classes, settings.embedding_size, settings.dropout, width)
