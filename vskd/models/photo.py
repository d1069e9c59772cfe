"""What the networks for photographs share: normalise, stem, body, pool, classify."""

from typing import ClassVar

from torch import Tensor, nn

from vskd.models.normalise import photo_normalisation
from vskd.network import Network, NetworkSettings, Outputs, PretrainedPart
from vskd.schema import BelowOne


class PhotoSettings(NetworkSettings):
    """Settings of every network for photographs; the embedding has the width of the network's last map."""

    dropout: BelowOne = 0.0


class PhotoNetwork(Network):
    """Base of the networks for photographs. Parameters keep their public names, so that public files load by name.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        features: the convolutional part; its first `stem_layers` layers make the map "shallow", all of it "deep".
        classifier: see `classify`; it holds the layer `head`.
        embedding_size: channels of the map "deep".

    Shape:
        input: (batch, in_channels, height, width), float in 0..1, sides of at least 32; normalised here.
        output: logits (batch, classes), embedding (batch, embedding_size), features "shallow" and "deep", each
        (batch, channels, height, width).

    Attributes:
        head: name of the layer whose size depends on the classes; other weights can come from another data set.
        stem: name of the first convolution, whose size depends on the input's channels.
        stem_layers: how many layers of `features` make the map "shallow".
        embedding_size: width of the embedding.

    Raises:
        SettingError: in_channels is neither 1 nor 3.
    """

    head: ClassVar[str]
    stem: ClassVar[str]
    stem_layers: ClassVar[int] = 1

    def __init__(
        self, in_channels: int, features: nn.Sequential, classifier: nn.Sequential, embedding_size: int
    ) -> None:
        super().__init__()
        self.normalise = photo_normalisation(in_channels)
        self.features = features
        self.classifier = classifier
        self.embedding_size = embedding_size
        for layer in classifier:
            if isinstance(layer, nn.Dropout):
                layer.inplace = False  # in place it would drop values of the embedding itself

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of images."""
        shallow = self.forward_stem(self.normalise(x))
        deep = self.forward_body(shallow)
        return self.classify(deep, {"shallow": shallow, "deep": deep})

    def forward_stem(self, x: Tensor) -> Tensor:
        """Normalised image -> the map "shallow"."""
        return run(self.features, x, stop=self.stem_layers)

    def forward_body(self, shallow: Tensor) -> Tensor:
        """The map "shallow" -> the map "deep"."""
        return run(self.features, shallow, start=self.stem_layers)

    def classify(self, deep: Tensor, features: dict[str, Tensor]) -> Outputs:
        """The map "deep", pooled = embedding, through the classifier."""
        embedding = deep.mean(dim=(2, 3))  # (batch, channels, height, width) -> (batch, channels)
        return Outputs(self.classifier(embedding), embedding, features)

    def pretrained_part(self) -> PretrainedPart:
        """The whole network, whose head may be of another data set."""
        return PretrainedPart(self, self.stem, self.head)


class ConvolutionHeadNetwork(PhotoNetwork):
    """A photo network that classifies every position by a 1x1 convolution and then averages (the SqueezeNets)."""

    def classify(self, deep: Tensor, features: dict[str, Tensor]) -> Outputs:
        """The map "deep" through the classifier; its pooled values are the embedding."""
        return Outputs(self.classifier(deep).flatten(1), deep.mean(dim=(2, 3)), features)


def run(layers: nn.Sequential, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
    """`x` through some of the layers, without giving them new names as a slice in the constructor would."""
    for layer in list(layers)[start:stop]:
        x = layer(x)
    return x


def first_convolution(in_channels: int, like: nn.Conv2d) -> nn.Conv2d:
    """A stem for another number of input channels, He-initialised; `like` itself where it fits."""
    if like.in_channels == in_channels:
        return like
    convolution = nn.Conv2d(
        in_channels,
        like.out_channels,
        (like.kernel_size[0], like.kernel_size[1]),
        (like.stride[0], like.stride[1]),
        (int(like.padding[0]), int(like.padding[1])),
        bias=like.bias is not None,
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
