"""What every network of the catalog must fulfil. A network added to the catalog is tested by itself."""

import copy
import json
import re
import typing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from vskd.errors import SettingError, nearest
from vskd.models.catalog import NETWORKS, AnyNetwork, build_network, parse_network
from vskd.models.weights.pretrained import load_pretrained
from vskd.models.weights.state import load_state, save_state
from vskd.network import AXES, FeatureTaps, Network, NetworkSettings, Outputs, Shape, TensorKind, layer_shapes
from vskd.schema import Strict, explain, parse

CLASSES, WIDTH = 5, 12
SIZES = {"segments": 4, "samples": 64, "height": 48, "width": 48, "frames": 8}
OF_CLIPS = {"height": 32, "width": 32}
SMALL = {"embedding_size": WIDTH, "feature_size": WIDTH, "feature_init_std": 0.1, "dropout": 0.2}
NARROW = {"width": 0.0625, "parts": 4}
"""Of networks of clips, which are wide, or cut a clip into more parts than the small one has frames."""


NOT_TRAINED = {"rocket1d-fixed": "matches."}
"""How the parameters begin that a network leaves as they were drawn."""


def variants(name: str) -> list[str]:
    """`name`, once for each value of a setting that has a few: `trn/backbone=resnet18`."""
    fields = NETWORKS[name].settings.model_fields
    chosen = {
        key: typing.get_args(field.annotation)
        for key, field in fields.items()
        if key != "name" and typing.get_origin(field.annotation) is typing.Literal
    }
    return [f"{name}/{key}={value}" for key, values in chosen.items() for value in values] or [name]


def settings_of(case: str) -> NetworkSettings:
    name, _, choice = case.partition("/")
    fields = NETWORKS[name].settings.model_fields
    wanted = {**SMALL, **NARROW} if NETWORKS[name].kind == "clip" else SMALL
    small = {key: value for key, value in wanted.items() if key in fields}
    return parse_network({"name": name, **small, **(dict([choice.split("=")]) if choice else {})})


def shape_of(name: str) -> Shape:
    entry = NETWORKS[name]
    sizes = {**SIZES, **(OF_CLIPS if entry.kind == "clip" else {}), "channels": max(entry.channels, default=4)}
    return tuple(sizes[axis] for axis in AXES[entry.kind])


@dataclass(frozen=True)
class Case:
    name: str
    network: Network
    shape: Shape
    kind: TensorKind

    def batch(self, size: int) -> Tensor:
        return torch.rand(size, *self.shape) * (255 if self.kind == "frames" else 1)


CASES = [case for name in sorted(NETWORKS) for case in variants(name)]


@pytest.fixture(scope="module", params=CASES)
def fresh(request: pytest.FixtureRequest) -> Case:
    """As it was built: to draw millions of weights takes longer than to copy them."""
    torch.manual_seed(0)
    settings = settings_of(request.param)
    shape = shape_of(settings.name)
    network = build_network(settings, shape=shape, classes=CLASSES)
    return Case(settings.name, network, shape, NETWORKS[settings.name].kind)


@pytest.fixture
def case(fresh: Case) -> Case:
    """One of the test's own."""
    torch.manual_seed(1)
    return replace(fresh, network=copy.deepcopy(fresh.network))


def test_forward_and_backward(case: Case) -> None:
    outputs = case.network.train()(case.batch(3))
    assert isinstance(outputs, Outputs)
    assert outputs.logits.shape == (3, CLASSES)
    assert outputs.embedding.shape == (3, case.network.embedding_size)
    assert outputs.features
    assert all(feature.shape[0] == 3 for feature in outputs.features.values())
    (outputs.logits.square().sum() + outputs.embedding.square().sum()).backward()
    for name, parameter in case.network.named_parameters():
        if name.startswith(NOT_TRAINED.get(case.name, "-")):
            assert not parameter.requires_grad and parameter.grad is None
            continue
        assert parameter.grad is not None, f"{name} has no gradient"
        assert torch.isfinite(parameter.grad).all(), f"{name} has a gradient that is not finite"


def test_evaluation_is_deterministic_and_takes_one_recording(case: Case) -> None:
    network, x = case.network.eval(), case.batch(3)
    with torch.no_grad():
        first = network(x)
        torch.manual_seed(5)
        assert torch.equal(first.logits, network(x).logits)
        alone = network(x[:1])
    assert alone.logits.shape == (1, CLASSES)
    torch.testing.assert_close(alone.logits, first.logits[:1], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(alone.embedding, first.embedding[:1], rtol=1e-3, atol=1e-4)


def test_every_part_of_a_sample_counts(case: Case) -> None:
    """Each channel, and each eighth of every other axis: a network that never looks at one learns from less."""
    heard = what_is_heard(case)
    for axis, size in enumerate(case.shape):
        name = AXES[case.kind][axis]
        parts = size if name in ("channels", "segments") else 8
        others = [other for other in range(len(case.shape)) if other != axis]
        for number, part in enumerate(heard.sum(others).tensor_split(parts)):
            assert part.any(), (name, number)


def what_is_heard(case: Case) -> Tensor:
    """Where a sample moves the embedding: by its slope, or, where a network counts and so has none, by its answers."""
    network, x = case.network.eval(), case.batch(1).requires_grad_()
    embedding = network(x).embedding
    if embedding.requires_grad:
        (slope,) = torch.autograd.grad(embedding.square().sum(), x, allow_unused=True)
        if slope is not None:
            return slope[0].abs()
    with torch.no_grad():
        ways = torch.eye(x.numel()).view(-1, *case.shape) * 10
        return (network(x + ways).embedding != embedding).any(1).view(case.shape)


def perturb(network: nn.Module) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
        for name, buffer in network.named_buffers():
            if "running" in name:
                buffer.uniform_(0.5, 1.5)


def test_state_survives_safetensors(case: Case, tmp_path: Path) -> None:
    network, x = case.network, case.batch(2)
    network.train()(x)  # moves the running statistics away from their first values
    network.eval()
    with torch.no_grad():
        expected = network(x).logits
        save_state(network, tmp_path / "n.safetensors", {"step": "1"})
        perturb(network)
        assert not torch.equal(network(x).logits, expected)
        assert load_state(network, tmp_path / "n.safetensors") == {"step": "1"}
        assert torch.equal(network(x).logits, expected)


def test_pretrained_weights_go_where_the_network_says(case: Case, tmp_path: Path) -> None:
    part = case.network.pretrained_part()
    assert any(module is part.module for module in case.network.modules())
    for layer in filter(None, (part.stem, part.head)):
        assert part.module.get_submodule(layer).weight.ndim > 1
    expected = {name: tensor.clone() for name, tensor in part.module.state_dict().items()}
    save_state(part.module, tmp_path / "p.safetensors", {})
    perturb(case.network)
    load_pretrained(case.network, tmp_path / "p.safetensors")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in part.module.state_dict().items())


def test_the_embedding_is_as_wide_as_the_settings_say() -> None:
    for name in NETWORKS:
        settings = settings_of(name)
        wanted = getattr(settings, "embedding_size", getattr(settings, "feature_size", None))
        network = build_network(settings, shape=shape_of(name), classes=2)
        assert wanted is None or network.embedding_size == wanted == WIDTH


def test_every_layer_with_weights_can_be_tapped(case: Case) -> None:
    """Convolutions above all; with the batch first, also where a frame network sees all frames at once."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
    layers = {path: module for path, module in case.network.named_modules() if isinstance(module, kinds)}
    assert layers
    shapes = layer_shapes(case.network, case.shape, layers)
    taps = FeatureTaps(case.network, layers)
    features = taps.collect(case.network(case.batch(3))).features
    taps.remove()
    assert {layer: tuple(feature.shape) for layer, feature in features.items()} == {
        layer: (3, *shape) for layer, shape in shapes.items()
    }
    fixed = NOT_TRAINED.get(case.name, "-")
    assert all(feature.requires_grad != layer.startswith(fixed) for layer, feature in features.items())
    frames = case.shape[:1] if case.kind == "frames" else ()
    for layer, module in layers.items():
        if isinstance(module, kinds[:3]):
            assert shapes[layer][len(frames)] == module.out_channels
            assert shapes[layer][: len(frames)] == frames


def test_parameter_groups_hold_every_parameter_once(case: Case) -> None:
    groups = case.network.parameter_groups(0.1, 0.01)
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(id(parameter) for parameter in case.network.parameters())
    torch.optim.SGD(groups, lr=0.1).step()


@pytest.mark.parametrize("pretrained", [False, True])
def test_starting_and_reseeding_make_training_repeatable(case: Case, pretrained: bool) -> None:
    case.network.start_from(pretrained=pretrained)
    case.network.train()
    x, logits = case.batch(2), []
    for _ in range(2):
        case.network.reseed(3)
        torch.manual_seed(3)
        with torch.no_grad():
            logits.append(case.network(x).logits)
    assert torch.equal(*logits)


def another(annotation: object, value: object) -> object:
    """A value of a setting that is not `value`."""
    if typing.get_origin(annotation) is typing.Literal:
        return next(choice for choice in typing.get_args(annotation) if choice != value)
    return value + 1 if isinstance(value, int) else 0.6 * value + 0.2  # type: ignore[operator]


def fingerprint(settings: NetworkSettings) -> list[object]:
    torch.manual_seed(0)
    network = build_network(settings, shape=shape_of(settings.name), classes=CLASSES)
    sums = {name: tensor.double().sum().item() for name, tensor in network.state_dict().items()}
    return [repr(network), sums]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_setting_reaches_the_network(name: str) -> None:
    settings = settings_of(name)
    before = fingerprint(settings)
    assert fingerprint(settings) == before
    for key, field in NETWORKS[name].settings.model_fields.items():
        if key != "name":
            other = {**settings.model_dump(), key: another(field.annotation, getattr(settings, key))}
            assert fingerprint(parse_network(other)) != before, key


def test_descriptions_say_how_large_a_network_is() -> None:
    """Width and depth of a variant are in nothing else that a user sees; counted with few classes."""
    said = {n: re.search(r"\(([\d.]+) M parameters\)$", entry.description) for n, entry in NETWORKS.items()}
    figures = {name: found[1] for name, found in said.items() if found}
    assert len(figures) >= 13
    for name, figure in figures.items():
        with torch.device("meta"):
            network = build_network(parse_network(name), shape=shape_of(name), classes=CLASSES)
        millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
        assert f"{millions:.{len(figure.partition('.')[2])}f}" == figure, name


@pytest.mark.parametrize("name", CASES)
def test_settings_survive_json(name: str) -> None:
    settings = settings_of(name)
    content = json.loads(json.dumps(settings.model_dump()))
    assert next(iter(content)) == "name"
    read = parse(AnyNetwork, content)
    assert (type(read), read) == (type(settings), settings)
    assert parse_network(content) == settings


class Role(Strict):
    """Where a recipe has the settings."""

    network: AnyNetwork


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_key_of_another_network_is_refused_with_the_nearest(name: str) -> None:
    own = sorted(NETWORKS[name].settings.model_fields)
    others = {key for entry in NETWORKS.values() for key in entry.settings.model_fields} - set(own)
    wrong = {*others, *(f"{key}s" for key in own)}
    for key in wrong:
        with pytest.raises(ValidationError) as caught:
            parse(Role, {"network": {"name": name, key: 3}})
        assert explain(caught.value, Role) == [f"network.{key}: unknown key (of {name}), {nearest(key, own)}"]
        with pytest.raises(SettingError, match=f"Network '{name}': {key}: unknown key, "):
            parse_network({"name": name, key: 3})


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_samples_of_another_shape_are_refused(name: str) -> None:
    settings, shape, axes = settings_of(name), shape_of(name), AXES[NETWORKS[name].kind]
    with pytest.raises(SettingError, match=rf"A sample of network '{name}' is \({', '.join(axes)}\), not "):
        build_network(settings, shape=(*shape, 2), classes=2)
    for position, axis in enumerate(axes):
        with pytest.raises(SettingError, match=f"{axis} of network '{name}' is 0"):
            build_network(settings, shape=(*shape[:position], 0, *shape[position + 1 :]), classes=2)
    with pytest.raises(SettingError, match=f"classes of network '{name}' is 0"):
        build_network(settings, shape=shape, classes=0)


@pytest.mark.parametrize("name", CASES)
def test_first_weights_tell_two_samples_apart(name: str) -> None:
    """Through ten layers without normalisation a signal can vanish before the first step; then nothing is learned."""
    torch.manual_seed(0)
    shape = shape_of(name.partition("/")[0])
    network = build_network(settings_of(name), shape=shape, classes=CLASSES).train()
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
    with torch.no_grad():
        spread = network(torch.rand(4, *shape)).embedding.std(dim=0).mean()
    assert spread > 5e-4
