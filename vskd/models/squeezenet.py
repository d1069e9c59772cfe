"""SqueezeNet 1.0, the network that KRCA compares its student with (740,554 parameters at 10 classes).

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016 (arXiv 1602.07360), in
torchvision's implementation. Public weights: torchvision squeezenet1_0 IMAGENET1K_V1 (library BSD-3-Clause, the
weights' licence is not stated).
"""

from typing import ClassVar

from torch import nn

from vskd.models.photo import ConvolutionHeadNetwork, first_convolution
from vskd.models.torchvision_shim import load_torchvision

EMBEDDING_SIZE = 512


class SqueezeNet(ConvolutionHeadNetwork):
    """See `PhotoNetwork`; parameter names are torchvision's.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the classifier; KRCA's baseline has none, torchvision's default is 0.5.

    Shape:
        at 224 x 224: "shallow" (batch, 96, 109, 109), "deep" (batch, 512, 13, 13), embedding (batch, 512).
    """

    head: ClassVar[str] = "classifier.1"
    stem: ClassVar[str] = "features.0"
    stem_layers: ClassVar[int] = 2

    def __init__(self, in_channels: int, classes: int, dropout: float = 0.5) -> None:
        reference = load_torchvision().models.squeezenet1_0(num_classes=classes, dropout=dropout)
        features: nn.Sequential = reference.features
        features[0] = first_convolution(in_channels, reference.features[0])
        super().__init__(in_channels, features, reference.classifier, EMBEDDING_SIZE)
