"""Front and network as one module: what fits, where its first weights come from, and what a finished run gives back."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vskd.distillation.model import Model, channels_last, initial_weights, load_model, networks_of, new_model
from vskd.distillation.run import RunFolder
from vskd.errors import CheckpointError, RecipeError, RunError
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.weights.state import save_state
from vskd.network import AXES, Network, Outputs
from vskd.preprocessing.sensor.encodings import build_encoding
from vskd.recipe.roles import Role
from vskd.schema import parse

WINDOW = {"modality": "window", "streams": ["accelerometer"]}


def seen(kind: str, shape: tuple[int, ...], front: nn.Module | None = None, name: str = "accelerometer") -> Any:
    """Inputs as far as a model asks."""
    sees = SimpleNamespace(modality="window")
    return SimpleNamespace(kind=kind, network_shape=shape, front=lambda: front or nn.Identity(), name=name, sees=sees)


def role(**network: Any) -> Role:
    made: Role = parse(Role, {"sees": WINDOW, "network": network})
    return made


def encoded(network: str, method: str) -> Model:
    encoding = build_encoding(method, "fixed", 4.0, 16)
    shape = tuple(encoding(torch.zeros(1, 3, 32)).shape[1:])
    torch.manual_seed(0)
    return new_model(role(name=network, embedding_size=12), seen(encoding.kind, shape, encoding), 4).eval()


@pytest.mark.parametrize(
    ("network", "method"), [("cnn1d", "raw"), ("resnet18-small-stem", "gasf"), ("resnet18-small-stem", "gasf+gadf")]
)
def test_forward_is_the_network_on_what_stands_in_front(network: str, method: str) -> None:
    built, windows = encoded(network, method), torch.randn(2, 3, 32)
    with torch.inference_mode():
        outputs = built(windows)
        direct = built.network(build_encoding(method, "fixed", 4.0, 16)(windows))
    assert outputs.logits.shape == (2, 4)
    assert outputs.embedding.shape == (2, 12)
    torch.testing.assert_close(outputs.logits, direct.logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_a_front_the_model_is_its_network(channels: int) -> None:
    torch.manual_seed(0)
    model = new_model(role(name="squeezenet-lw"), seen("image", (channels, 32, 32)), 5).eval()
    images = torch.rand(2, channels, 32, 32)
    outputs = model(images)
    assert torch.equal(outputs.logits, model.network(images).logits)
    assert outputs.logits.shape == (2, 5)
    assert {"shallow", "deep"} <= outputs.features.keys()
    assert all(name.startswith("network.") for name in model.state_dict())


@pytest.mark.parametrize(
    ("name", "kind", "needle"),
    [
        ("resnet18", "series", "Network 'resnet18' reads an image, but what it sees .* gives a series"),
        ("cnn1d", "image", "Network 'cnn1d' reads a series, but what it sees .* gives an image"),
        ("trn", "image", "Network 'trn' reads frames of a clip"),
        ("convnext-tiny", "frames", "gives frames of a clip.*choose a network that reads frames of a clip: trn"),
    ],
)
def test_what_does_not_fit_is_refused_with_those_that_do(name: str, kind: str, needle: str) -> None:
    with pytest.raises(RecipeError, match=needle):
        new_model(role(name=name), seen(kind, (3, 32)), 4)


def test_a_shape_that_the_network_refuses_is_a_mistake_of_the_recipe() -> None:
    with pytest.raises(RecipeError, match="network 'squeezenet-lw': channels of network 'squeezenet-lw' is 2"):
        new_model(role(name="squeezenet-lw"), seen("image", (2, 32, 32)), 4)


def test_networks_are_listed_by_what_they_read() -> None:
    listed = [name for kind in AXES for name in networks_of(kind)]
    assert sorted(listed) == sorted(NETWORKS)
    series = ("cnn1d", "separable-resnet1d", "separable-resnet1d-050", "rocket1d", "rocket1d-050", "rocket1d-fixed")
    assert networks_of("series") == series


def test_first_weights_follow_torchs_seed() -> None:
    one, other = encoded("cnn1d", "raw").state_dict(), encoded("cnn1d", "raw").state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_settings_of_the_network_reach_it() -> None:
    model = new_model(role(name="cnn1d", embedding_size=12, dropout=0.75), seen("series", (3, 32)), 4)
    assert model.network.embedding_size == 12
    windows, dropped = torch.randn(400, 3, 32), []
    handle = model.network.dropout.register_forward_hook(lambda _, x, y: dropped.append((x[0] > 0, y > 0)))
    model(windows)
    handle.remove()
    ((alive, kept),) = dropped
    assert kept[alive].float().mean().item() == pytest.approx(0.25, abs=0.05)


def test_channels_last_changes_the_layout_only() -> None:
    layer = nn.Conv2d(3, 4, 3)
    before = layer.weight.detach().clone()
    channels_last(layer)
    assert torch.equal(layer.weight, before)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=4)])
def test_channels_last_reaches_weights_of_one_input_channel(layer: nn.Conv2d) -> None:
    """`contiguous` would leave them, and the maps behind them, with channels first: half as fast on grey images."""
    channels_last(layer)
    images = torch.rand(2, layer.in_channels, 8, 8).contiguous()
    assert layer.weight.stride(1) == 1
    assert layer(images).stride(1) == 1


def test_channels_last_of_clips_changes_the_layout_only() -> None:
    layer = nn.Conv3d(3, 4, 3)
    before, values = layer(clip := torch.rand(2, 3, 5, 6, 7)), layer.weight.detach().clone()
    channels_last(layer)
    assert torch.equal(layer.weight, values)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(layer(clip), before)


def test_a_new_models_convolutions_are_channels_last() -> None:
    convolutions = [p for p in encoded("resnet18-small-stem", "gasf").parameters() if p.ndim == 4]
    assert convolutions
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in convolutions)


class Told(Network):
    """Keeps what it is told of its weights."""

    embedding_size = 2

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.told: list[tuple[bool, Tensor]] = []

    def forward(self, x: Tensor) -> Outputs:
        return Outputs(self.layer(x), x)

    def start_from(self, *, pretrained: bool) -> None:
        self.told.append((pretrained, self.layer.weight.detach().clone()))


def test_weights_of_the_recipe_are_loaded_and_the_network_is_told_afterwards(tmp_path: Path) -> None:
    trained, network = Told(), Told()
    save_state(trained, tmp_path / "trained.safetensors", {})
    initial_weights(network, str(tmp_path / "trained.safetensors"))
    ((pretrained, weight),) = network.told
    assert pretrained
    assert torch.equal(weight, trained.layer.weight)


def test_without_weights_the_network_stays_as_it_is_and_is_told_so() -> None:
    network = Told()
    before = network.layer.weight.detach().clone()
    initial_weights(network, None)
    ((pretrained, weight),) = network.told
    assert not pretrained
    assert torch.equal(weight, before)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    network = Told()
    with pytest.raises(CheckpointError, match="nowhere"):
        initial_weights(network, str(tmp_path / "nowhere.safetensors"))
    assert network.told == []


@pytest.mark.parametrize("pretrained", [True, False])
def test_batch_norm_of_a_pretrained_frame_network_is_frozen_but_for_the_first(tmp_path: Path, pretrained: bool) -> None:
    """Partial BatchNorm, as in the source; from scratch the layers must learn."""
    settings = parse_network({"name": "trn", "backbone": "resnet18", "feature_size": 4})
    network = build_network(settings, shape=(2, 3, 32, 32), classes=2)
    weights = tmp_path / "body.safetensors"
    save_state(network.pretrained_part().module, weights, {})
    initial_weights(network, str(weights) if pretrained else None)
    network.train()
    layers = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.training for m in layers] == [True] + [not pretrained] * (len(layers) - 1)
    assert [m.weight.requires_grad for m in layers] == [True] + [not pretrained] * (len(layers) - 1)


def test_a_run_that_has_not_finished_has_no_model(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        load_model(tmp_path, seen("series", (3, 32)), 4)
    assert not RunFolder(tmp_path).complete


class Layout(Network):
    """Notes how the numbers that it is given lie in memory."""

    embedding_size = 2

    def forward(self, x: Tensor) -> Outputs:
        self.seen = x
        said = x.flatten(1)[:, :2]
        return Outputs(said, said)


class Doubling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


@pytest.mark.parametrize(
    ("front", "shape", "last"),
    [
        (Doubling(), (2, 3, 4, 5), True),
        (nn.Identity(), (2, 3, 4, 5), False),  # what the caller gave stays as it is
        (Doubling(), (2, 3, 4), False),
        (Doubling(), (2, 3, 4, 5, 6), False),
    ],
)
def test_images_that_a_front_makes_lie_channels_last(front: nn.Module, shape: tuple[int, ...], last: bool) -> None:
    """Convolutions on the CPU are faster with it."""
    network, samples = Layout(), torch.rand(shape)
    Model(front, network)(samples)
    assert torch.equal(network.seen, front(samples))
    assert network.seen.is_contiguous() != last
    assert not last or network.seen.is_contiguous(memory_format=torch.channels_last)
