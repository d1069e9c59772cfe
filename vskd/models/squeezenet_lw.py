"""SqueezeNet_LW, the student of KRCA: two fire modules and one strided convolution (187,434 parameters at 10 classes).

Source: the public repository of KRCA (distracted-driver recognition by knowledge distillation), whose names of layers
are kept, so that its published files load by name; SqueezeNet itself: Iandola et al., 2016 (arXiv 1602.07360).

Points of deviation from the original implementation:
    - the map "shallow" is the stem's output after ReLU, by its own tensor; the original returns the tensor before the
      ReLU, which the in-place ReLU that follows overwrites with the same values;
    - the arguments `version` and `width_mult`, which the original ignores, are absent;
    - the network normalises its input itself.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from vskd.models.photo import ConvolutionHeadNetwork

EMBEDDING_SIZE = 128


class Fire(nn.Module):
    """Squeeze to few channels, then expand by 1x1 and 3x3 convolutions side by side, the 1x1 first.

    Shape:
        (batch, in_channels, height, width) -> (batch, 2 * expand, height, width).
    """

    def __init__(self, in_channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.squeeze_activation = nn.ReLU()
        self.expand_1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand_1x1_activation = nn.ReLU()
        self.expand_3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.expand_3x3_activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Both expansions, joined along channels."""
        x = self.squeeze_activation(self.squeeze(x))
        one = self.expand_1x1_activation(self.expand_1x1(x))
        three = self.expand_3x3_activation(self.expand_3x3(x))
        return torch.cat([one, three], dim=1)


class SqueezeNetLW(ConvolutionHeadNetwork):
    """See `PhotoNetwork`; 186,144 + 129 * classes parameters with three input channels. Initialised as torch does.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the classifier.

    Shape:
        at 224 x 224: "shallow" (batch, 96, 109, 109), "deep" (batch, 128, 7, 7), embedding (batch, 128).
    """

    head: ClassVar[str] = "classifier.1"
    stem: ClassVar[str] = "initial_conv"

    def __init__(self, in_channels: int, classes: int, dropout: float = 0.5) -> None:
        features = nn.Sequential(
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            nn.Conv2d(128, EMBEDDING_SIZE, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        # No ReLU between classifier and pooling, unlike torchvision's SqueezeNet.
        classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv2d(EMBEDDING_SIZE, classes, 1), nn.AdaptiveAvgPool2d(1))
        super().__init__(in_channels, features, classifier, EMBEDDING_SIZE)
        self.initial_conv = nn.Conv2d(in_channels, 96, 7, stride=2)

    def forward_stem(self, x: Tensor) -> Tensor:
        """Normalised image -> the map "shallow"."""
        return super().forward_stem(self.initial_conv(x))
