"""A residual network of separable 1-D convolutions on the raw sensor window; see `separable`."""

from torch import Tensor, nn

from vskd.models.separable import SeparableBlock, convolution, norm
from vskd.models.window_length import require_samples
from vskd.network import Network, NetworkSettings, Outputs, Shape
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


class SeparableResNet1d(Network):
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
        super().__init__()
        self.embedding_size = embedding_size
        last = int(STEM_CHANNELS * width)
        stem = convolution(1, in_channels, last, STEM_KERNEL)
        self.stem = nn.Sequential(stem, norm(1, last), nn.ReLU(), nn.MaxPool1d(STEM_POOLING))
        self.blocks = nn.ModuleDict()
        for number, (full, kernel, pooling) in enumerate(BLOCKS, start=1):
            channels = int(full * width)
            layers: list[nn.Module] = [SeparableBlock(1, last, channels, kernel)]
            if pooling > 1:
                layers.append(nn.MaxPool1d(pooling))
            self.blocks[f"block{number}"] = nn.Sequential(*layers)
            last = channels
        self.embed = nn.Sequential(nn.Linear(last, embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of windows."""
        features = {"stem": (x := self.stem(x))}
        for name, block in self.blocks.items():
            features[name] = x = block(x)
        embedding = self.embed(x.mean(dim=2))  # (batch, 128, samples / 16) -> (batch, embedding_size)
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)


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
