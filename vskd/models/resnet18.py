"""ResNet18: the student on encoded sensor images, and an alternative frame network for the teacher.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016 (torchvision's implementation); the
student's head after Ni et al., "Cross-modal Knowledge Distillation for Vision-to-Sensor Action Recognition", ICASSP
2022.
"""

from typing import Literal

from torch import Tensor, nn

from vskd.models.torchvision_shim import load_torchvision
from vskd.network import Network, NetworkSettings, Outputs, PretrainedPart, Shape
from vskd.schema import BelowOne, Count

FEATURE_WIDTH = 512
LAYERS = ("layer1", "layer2", "layer3", "layer4")
Stem = Literal["imagenet", "small"]


class ResNet18Body(nn.Module):
    """ResNet18 up to and including global average pooling; parameter names are torchvision's.

    Args:
        in_channels: channels of the input image.
        stem: "imagenet" is the original 7x7 stride-2 convolution and max pool (side / 4); "small" is a 3x3 stride-2
            convolution without the pool (side / 2), for inputs of about 64 pixels and less.

    Shape:
        input: (batch, in_channels, height, width); output: (batch, 512).
    """

    feature_width: int = FEATURE_WIDTH

    def __init__(self, in_channels: int = 3, stem: Stem = "imagenet") -> None:
        super().__init__()
        reference = load_torchvision().models.resnet18()
        kernel = 7 if stem == "imagenet" else 3
        if (in_channels, stem) != (3, "imagenet"):
            reference.conv1 = nn.Conv2d(in_channels, 64, kernel, stride=2, padding=kernel // 2, bias=False)
            nn.init.kaiming_normal_(reference.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.conv1, self.bn1, self.relu = reference.conv1, reference.bn1, reference.relu
        self.maxpool = reference.maxpool if stem == "imagenet" else nn.Identity()
        self.layer1, self.layer2, self.layer3, self.layer4 = (getattr(reference, name) for name in LAYERS)

    def forward_maps(self, x: Tensor) -> dict[str, Tensor]:
        """Feature maps "layer1".."layer4", each (batch, channels, height, width)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        maps = {}
        for name in LAYERS:
            x = self.get_submodule(name)(x)
            maps[name] = x
        return maps

    def forward_features(self, x: Tensor) -> Tensor:
        """Pooled features: (batch, in_channels, height, width) -> (batch, 512)."""
        return self.forward_maps(x)["layer4"].mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Same as `forward_features`."""
        return self.forward_features(x)

    def pretrained_part(self) -> PretrainedPart:
        """All of it."""
        return PretrainedPart(self, stem="conv1")


class ResNet18Settings(NetworkSettings):
    """Settings of `ResNet18`."""

    embedding_size: Count = 300
    dropout: BelowOne = 0.0


class ResNet18(Network):
    """The student of VSKD: pool(512) -> Linear -> ReLU = embedding -> Linear = logits. The input is not normalised.

    Args:
        in_channels: channels of the encoded window (sensor axes times channels per axis of the encoding).
        classes: number of classes.
        embedding_size: width of the semantic embedding; 300 in the source.
        dropout: probability of dropping an embedding value before the classifier; the embedding itself stays whole.
        stem: see `ResNet18Body`.

    Shape:
        input: (batch, in_channels, height, width), float.
        output: logits (batch, classes), embedding (batch, embedding_size), features "layer1".."layer4".
    """

    def __init__(
        self, in_channels: int, classes: int, embedding_size: int = 300, dropout: float = 0.0, stem: Stem = "imagenet"
    ) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.body = ResNet18Body(in_channels, stem)
        self.embed = nn.Sequential(nn.Linear(FEATURE_WIDTH, embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of encoded windows."""
        maps = self.body.forward_maps(x)
        embedding = self.embed(maps["layer4"].mean(dim=(2, 3)))  # (batch, 512, h, w) -> (batch, embedding_size)
        return Outputs(self.classifier(self.dropout(embedding)), embedding, maps)

    def pretrained_part(self) -> PretrainedPart:
        """The body; embedding and classifier are trained from scratch."""
        return self.body.pretrained_part()


def build_resnet18(settings: ResNet18Settings, shape: Shape, classes: int, *, stem: Stem = "imagenet") -> ResNet18:
    """Build the network for images of shape (channels, height, width)."""
    return ResNet18(shape[0], classes, settings.embedding_size, settings.dropout, stem)
