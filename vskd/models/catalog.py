"""Which networks exist. To add one: write models/<name>.py and add one line here; the contract tests then run on it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from torch import nn

from vskd.errors import RecipeError
from vskd.models.cnn1d import CNN1d
from vskd.models.resnet18 import ResNet18
from vskd.models.trn import MultiScaleTRN, build_trn
from vskd.recipe import nearest

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
    """

    input_kind: InputKind
    build: BuildNetwork
    description: str
    weights: str = "none: trained from scratch"


@dataclass(frozen=True)
class TeacherEntry:
    """A teacher network; `build` takes the backbone's name and the options of `build_trn`."""

    build: Callable[..., MultiScaleTRN]
    description: str
    weights: str


_RESNET18_WEIGHTS = "torchvision resnet18 IMAGENET1K_V1 (library BSD-3-Clause, weights' licence not stated), optional"

NETWORKS: Mapping[str, NetworkEntry] = {
    "resnet18": NetworkEntry("image", ResNet18, "ResNet18, original stem (11.3 M parameters)", _RESNET18_WEIGHTS),
    "resnet18-small-stem": NetworkEntry(
        "image", partial(ResNet18, stem="small"), "ResNet18, 3x3 stem without max pool, for images up to 64 pixels"
    ),
    "cnn1d": NetworkEntry("series", CNN1d, "1-D CNN on the raw window (0.2 M parameters)"),
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
        in_channels: channels of the encoded window.
        classes: number of classes.
        embedding_size: width of the semantic embedding.
        dropout: before the classifier, 0 <= dropout < 1.

    Raises:
        RecipeError: unknown name, or a size out of range.
    """
    entry = get_network(name)
    for field, value in (("in_channels", in_channels), ("classes", classes), ("embedding_size", embedding_size)):
        if value < 1:
            raise RecipeError(f"{field} of network '{name}' is {value}", f"Set {field} to 1 or more")
    if not 0 <= dropout < 1:
        raise RecipeError(f"dropout of network '{name}' is {dropout}", "Set dropout to at least 0 and below 1")
    return entry.build(in_channels, classes, embedding_size, dropout)
