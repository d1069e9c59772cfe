"""EfficientNetV2-S, the teacher of the dangerous-driving system (20,185,174 parameters at 6 classes).

Source: Tan & Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021 (arXiv 2104.00298), in torchvision's
implementation. Public weights: torchvision efficientnet_v2_s IMAGENET1K_V1 (library BSD-3-Clause, the weights' licence
is not stated).
"""

from typing import ClassVar

from vskd.models.photo import PhotoNetwork, first_convolution
from vskd.models.torchvision_shim import load_torchvision

EMBEDDING_SIZE = 1280


class EfficientNetV2S(PhotoNetwork):
    """See `PhotoNetwork`; parameter names are torchvision's.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the last layer.
        drop_path: largest probability of skipping a block in training.

    Shape:
        at 224 x 224: "shallow" (batch, 24, 112, 112), "deep" (batch, 1280, 7, 7), embedding (batch, 1280).
    """

    head: ClassVar[str] = "classifier.1"
    stem: ClassVar[str] = "features.0.0"

    def __init__(self, in_channels: int, classes: int, dropout: float = 0.2, drop_path: float = 0.2) -> None:
        reference = load_torchvision().models.efficientnet_v2_s(
            weights=None, num_classes=classes, dropout=dropout, stochastic_depth_prob=drop_path
        )
        reference.features[0][0] = first_convolution(in_channels, reference.features[0][0])
        super().__init__(in_channels, reference.features, reference.classifier, EMBEDDING_SIZE)
