"""EfficientNetV2-S, the teacher of the dangerous-driving system (20,185,174 parameters at 6 classes), and smaller ones.

Source: Tan & Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021 (arXiv 2104.00298), in torchvision's
implementation. Public weights: torchvision efficientnet_v2_s IMAGENET1K_V1 (library BSD-3-Clause, the weights' licence
is not stated).

Points of deviation: `width` and `depth` shrink every stage by the rules of Tan & Le, "EfficientNet", ICML 2019; the
paper itself has no network smaller than S in PyTorch's library. For these there are no public weights.
"""

from functools import partial
from typing import ClassVar, NamedTuple

from torch import nn

from vskd.models.photo import PhotoNetwork, first_convolution
from vskd.models.torchvision_shim import load_torchvision

EMBEDDING_SIZE = 1280


class _Stage(NamedTuple):
    """One row of the paper's table 4."""

    fused: bool
    expansion: int
    stride: int
    in_channels: int
    out_channels: int
    layers: int


_STAGES = (
    _Stage(True, 1, 1, 24, 24, 2),
    _Stage(True, 4, 2, 24, 48, 4),
    _Stage(True, 4, 2, 48, 64, 4),
    _Stage(False, 4, 2, 64, 128, 6),
    _Stage(False, 6, 1, 128, 160, 9),
    _Stage(False, 6, 2, 160, 256, 15),
)


class EfficientNetV2(PhotoNetwork):
    """See `PhotoNetwork`; parameter names are torchvision's.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the last layer.
        drop_path: largest probability of skipping a block in training.
        width: multiplies the channels of every stage, which are then rounded to multiples of 8; 1 is S.
        depth: multiplies the layers of every stage, rounded up; 1 is S.

    Shape:
        at 224 x 224 and width 1: "shallow" (batch, 24, 112, 112), "deep" (batch, 1280, 7, 7), embedding (batch, 1280).
    """

    head: ClassVar[str] = "classifier.1"
    stem: ClassVar[str] = "features.0.0"

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dropout: float = 0.2,
        drop_path: float = 0.2,
        width: float = 1.0,
        depth: float = 1.0,
    ) -> None:
        models = load_torchvision().models.efficientnet
        stages = []
        for stage in _STAGES:
            kind = models.FusedMBConvConfig if stage.fused else models.MBConvConfig
            channels = (kind.adjust_channels(c, width) for c in (stage.in_channels, stage.out_channels))
            layers = models.MBConvConfig.adjust_depth(stage.layers, depth)
            stages.append(kind(stage.expansion, 3, stage.stride, *channels, layers))
        reference = models.EfficientNet(
            stages,
            dropout=dropout,
            stochastic_depth_prob=drop_path,
            num_classes=classes,
            norm_layer=partial(nn.BatchNorm2d, eps=1e-3),
            last_channel=EMBEDDING_SIZE,
        )
        reference.features[0][0] = first_convolution(in_channels, reference.features[0][0])
        super().__init__(in_channels, reference.features, reference.classifier, EMBEDDING_SIZE)
