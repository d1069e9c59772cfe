"""MobileNetV3-Small, the student of the dangerous-driving system, with a choice of width and activation.

Source: Howard et al., "Searching for MobileNetV3", ICCV 2019 (arXiv 1905.02244), in torchvision's implementation.
Public weights: torchvision mobilenet_v3_small IMAGENET1K_V1, width 1.0 (library BSD-3-Clause, the weights' licence is
not stated).

Points of deviation: as published, the deeper half uses hard-swish, x * relu6(x + 3) / 6, which int8 runtimes split
into several slow operations; `activation` can replace it by relu or relu6 everywhere. The gates of squeeze-and-excite
stay hard-sigmoids. Public weights load with every activation, but were trained with hard-swish.
"""

from typing import ClassVar, Literal

from torch import nn

from vskd.models.photo import PhotoNetwork, first_convolution
from vskd.models.torchvision_shim import load_torchvision

Activation = Literal["hard-swish", "relu", "relu6"]
_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "relu6": nn.ReLU6}


class MobileNetV3Small(PhotoNetwork):
    """See `PhotoNetwork`; parameter names are torchvision's.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the last layer.
        width: multiplies the channels of every layer, which are then rounded to multiples of 8; above 0.
        activation: what stands where the publication has hard-swish.

    Shape:
        at 224 x 224 and width 1: "shallow" (batch, 16, 112, 112), "deep" (batch, 576, 7, 7), embedding (batch, 576);
        the classifier's hidden layer has 1024 values. Width 0.75: 432 channels in "deep", 768 hidden values.
    """

    head: ClassVar[str] = "classifier.3"
    stem: ClassVar[str] = "features.0.0"

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dropout: float = 0.3,
        width: float = 1.0,
        activation: Activation = "hard-swish",
    ) -> None:
        reference = load_torchvision().models.mobilenet_v3_small(num_classes=classes, dropout=dropout, width_mult=width)
        reference.features[0][0] = first_convolution(in_channels, reference.features[0][0])
        if activation != "hard-swish":
            _replace(reference, nn.Hardswish, _ACTIVATIONS[activation])
        embedding_size: int = reference.classifier[0].in_features
        super().__init__(in_channels, reference.features, reference.classifier, embedding_size)


def _replace(module: nn.Module, old: type[nn.Module], new: type[nn.Module]) -> None:
    """Replace every activation `old` inside `module` by a `new` one, in place."""
    for name, child in module.named_children():
        if isinstance(child, old):
            setattr(module, name, new())
        else:
            _replace(child, old, new)
