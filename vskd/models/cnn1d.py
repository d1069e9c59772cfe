"""A compact 1-D convolutional network on the raw sensor window.

Of the fully convolutional kind of Wang, Yan & Oates, "Time Series Classification from Scratch", IJCNN 2017, with max
pooling between the blocks. Convolution, BatchNorm (folded at export), ReLU, max pooling, mean and Linear only: all of
them have int8 kernels in LiteRT and TFLite Micro.
"""

from torch import Tensor, nn

from vskd.models.window_length import require_samples
from vskd.network import Network, NetworkSettings, Outputs, Shape
from vskd.schema import BelowOne, Count

# (channels, kernel in samples, pooling in samples); at 50 Hz the last block looks at 1.1 s (54 samples).
BLOCKS: tuple[tuple[int, int, int], ...] = ((64, 7, 2), (128, 5, 2), (128, 5, 2), (128, 3, 1))
MINIMUM_SAMPLES = 8


class CNN1dSettings(NetworkSettings):
    """Settings of `CNN1d`."""

    embedding_size: Count = 300
    dropout: BelowOne = 0.0


class CNN1d(Network):
    """Four convolution blocks, global average pooling, an embedding and a classifier (about 220,000 parameters).

    Args:
        in_channels: sensor axes.
        classes: number of classes.
        embedding_size: width of the semantic embedding.
        dropout: probability of dropping an embedding value before the classifier; the embedding itself stays whole.

    Shape:
        input: (batch, in_channels, samples), float, samples >= 8.
        output: logits (batch, classes), embedding (batch, embedding_size), features "block1".."block4", each
        (batch, channels, samples / pooling).
    """

    def __init__(self, in_channels: int, classes: int, embedding_size: int = 300, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.blocks = nn.ModuleDict()
        width = in_channels
        for number, (channels, kernel, pooling) in enumerate(BLOCKS, start=1):
            self.blocks[f"block{number}"] = _block(width, channels, kernel, pooling)
            width = channels
        self.embed = nn.Sequential(nn.Linear(width, embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of windows."""
        features = {}
        for name, block in self.blocks.items():
            x = block(x)
            features[name] = x
        embedding = self.embed(x.mean(dim=2))  # (batch, 128, samples / 8) -> (batch, embedding_size)
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)


def build_cnn1d(settings: CNN1dSettings, shape: Shape, classes: int) -> CNN1d:
    """Build the network for windows of shape (channels, samples).

    Raises:
        SettingError: the windows are too short.
    """
    channels, samples = shape
    require_samples(settings, samples, MINIMUM_SAMPLES)
    return CNN1d(channels, classes, settings.embedding_size, settings.dropout)


def _block(in_channels: int, out_channels: int, kernel: int, pooling: int) -> nn.Sequential:
    convolution = nn.Conv1d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    layers: list[nn.Module] = [convolution, nn.BatchNorm1d(out_channels), nn.ReLU()]
    if pooling > 1:
        layers.append(nn.MaxPool1d(pooling))
    return nn.Sequential(*layers)
