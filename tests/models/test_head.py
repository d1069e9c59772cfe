"""A head in place of a network's own classifier, against its parts computed one by one."""

import pytest
import torch
from torch import nn

from vskd.errors import SettingError
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.head import Headed, HeadSettings, _gives, linear_classifier
from vskd.models.weights.pretrained import load_pretrained
from vskd.models.weights.state import save_state
from vskd.network import AXES, FeatureTaps, Network, Outputs, Shape
from vskd.schema import parse

CLASSES, WIDTH = 4, 10
SIZES = {"segments": 3, "samples": 48, "height": 48, "width": 48, "frames": 8}
LINEAR = {
    *(
        "cnn1d",
        "rocket1d",
        "rocket1d-050",
        "rocket1d-fixed",
        "separable-resnet1d",
        "separable-resnet1d-050",
        "separable-resnet2d",
    ),
    *("resnet18", "resnet18-small-stem", "c3d-lean", "c3d-student", "c3d", "motion-maps", "r2plus1d-18", "mc3-18"),
    *("convnext-tiny", "convnext-atto", "efficientnet-lite0", "efficientnet-v2-s", "efficientnet-v2-s-050"),
}
"""Networks whose logits are one linear layer of their embedding."""
SMALL = {"embedding_size": 12, "width": 0.0625, "parts": 4, "dropout": 0.5}


def shape_of(name: str) -> Shape:
    entry = NETWORKS[name]
    return tuple({**SIZES, "channels": max(entry.channels, default=3)}[axis] for axis in AXES[entry.kind])


def network_of(name: str, seed: int = 0) -> Network:
    fields = NETWORKS[name].settings.model_fields
    settings = parse_network({"name": name, **{key: value for key, value in SMALL.items() if key in fields}})
    torch.manual_seed(seed)
    return build_network(settings, shape=shape_of(name), classes=CLASSES)


def headed(name: str = "cnn1d", width: int = WIDTH) -> Headed:
    return Headed(network_of(name), shape_of(name), CLASSES, width)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"c3d", "convnext-tiny", "efficientnet-v2-s", "r2plus1d-18"}))
def test_whose_classifier_is_linear(name: str) -> None:
    """The largest ones, which have smaller twins here, are left out."""
    network, shape = network_of(name), shape_of(name)
    if name not in LINEAR:
        with pytest.raises(SettingError, match=f"The classifier of {name} is not one linear layer"):
            linear_classifier(network, shape, name)
        return
    training = [module.training for module in network.modules()]
    path, layer = linear_classifier(network, shape, name)
    assert layer is network.get_submodule(path) and layer.out_features == CLASSES
    assert [module.training for module in network.modules()] == training
    made, x = Headed(network, shape, CLASSES, WIDTH).eval(), torch.rand(3, *shape)
    outputs = made(x)
    assert outputs.logits.shape == (3, CLASSES) and outputs.embedding.shape == (3, WIDTH) == (3, made.embedding_size)
    (outputs.logits.square().sum()).backward()
    assert all(parameter.grad is not None for parameter in made.parameters() if parameter.requires_grad)


def test_equals_its_parts() -> None:
    whole, made, x = network_of("cnn1d").eval(), headed().eval(), torch.randn(5, 3, 48)
    with torch.no_grad():
        own, found = whole(x), made(x)
        first, _, second = made.projector
        hidden = (own.embedding @ first.weight.T + first.bias).clamp(min=0)
        embedding = hidden @ second.weight.T + second.bias
        torch.testing.assert_close(found.embedding, embedding)
        torch.testing.assert_close(found.logits, embedding @ made.classifier.weight.T + made.classifier.bias)
    assert first.out_features == WIDTH // 2 and list(found.features) == list(own.features)


def test_it_drops_what_the_body_would_drop() -> None:
    made, x = headed().train(), torch.randn(5, 3, 48)
    assert not torch.equal(made(x).embedding, made(x).embedding)


def test_a_reused_classifier_is_the_other_ones_and_stays() -> None:
    made, other = headed(width=12), network_of("cnn1d", seed=5)
    _, theirs = linear_classifier(other, shape_of("cnn1d"), "it")
    made.reuse(theirs)
    assert torch.equal(made.classifier.weight, theirs.weight) and torch.equal(made.classifier.bias, theirs.bias)
    assert [p for p in made.classifier.parameters() if p.requires_grad] == []
    assert all(p.requires_grad for p in (*made.body.parameters(), *made.projector.parameters()))
    assert theirs.weight.requires_grad  # the teacher's own is left as it is
    path, again = linear_classifier(made, shape_of("cnn1d"), "it")  # and it can be handed on
    assert (path, again) == ("classifier", made.classifier)


def test_a_classifier_without_a_bias_has_one_of_zero() -> None:
    made = headed()
    made.reuse(nn.Linear(WIDTH, CLASSES, bias=False))
    assert not made.classifier.bias.any()


def test_a_classifier_of_another_embedding_is_refused() -> None:
    with pytest.raises(SettingError, match=r"10 values to 4 classes.*30 to 4.*width to 30"):
        headed().reuse(nn.Linear(30, CLASSES))


def test_every_parameter_is_in_one_group() -> None:
    for name in ("cnn1d", "c3d-student"):
        made = headed(name)
        made.start_from(pretrained=False)
        grouped = [id(p) for group in made.parameter_groups(0.1, 0.0) for p in group["params"]]
        assert sorted(grouped) == sorted(id(p) for p in made.parameters())


def test_pretrained_weights_go_into_the_body_without_its_classifier(tmp_path) -> None:
    whole, made = network_of("efficientnet-lite0", seed=3), headed("efficientnet-lite0")
    save_state(whole.pretrained_part().module, tmp_path / "p.safetensors", {})
    load_pretrained(made, tmp_path / "p.safetensors")
    state = whole.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in made.body.state_dict().items())


def test_features_are_seen_through_it() -> None:
    made, x = headed(), torch.randn(2, 3, 48)
    taps = FeatureTaps(made, ["block2", "body.blocks.block1", "projector.0"])
    found = taps.collect(made(x)).features
    assert {name: tuple(t.shape[1:]) for name, t in found.items()} == {
        "block2": (128, 12),
        "body.blocks.block1": (64, 24),
        "projector.0": (5,),
    }


def test_settings() -> None:
    assert parse(HeadSettings, {"width": 128}).width == 128


def test_looking_for_the_classifier_draws_nothing_from_torchs_own_generator() -> None:
    network = network_of("cnn1d")
    before = torch.get_rng_state()
    linear_classifier(network, shape_of("cnn1d"), "it")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("factor", "shift", "gives"),
    [(1.0, 0.0, True), (1 + 6e-5, 0.0, True), (1 + 1.5e-4, 0.0, False), (1.0, 7e-6, True), (1.0, 1.5e-5, False)],
)
def test_a_layer_that_gives_nearly_the_logits_gives_them(factor: float, shift: float, gives: bool) -> None:
    """Up to 1e-4 of a logit, and 1e-5 where it is near 0."""
    layer = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    said = Outputs(torch.tensor([[1.0 * factor, shift]]), torch.tensor([[1.0, 1.0]]))
    assert _gives(layer, said) == gives


@pytest.mark.parametrize("sizes", [(3, 2), (2, 3)])
def test_a_layer_of_another_size_gives_no_logits(sizes: tuple[int, int]) -> None:
    assert not _gives(nn.Linear(*sizes), Outputs(torch.zeros(1, 2), torch.zeros(1, 2)))


@pytest.mark.parametrize(("width", "hidden"), [(1, 1), (2, 1), (3, 1), (4, 2), (11, 5)])
def test_the_projector_is_half_as_wide_and_one_value_at_least(width: int, hidden: int) -> None:
    first, _, second = headed(width=width).projector
    assert (first.in_features, first.out_features, second.in_features, second.out_features) == (
        12,
        hidden,
        hidden,
        width,
    )


class Recorder(Network):
    """A linear network that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding_size, self.told = 3, []
        self.classifier = nn.Linear(3, CLASSES)

    def forward(self, x: torch.Tensor) -> Outputs:
        return Outputs(self.classifier(x), x)

    def reseed(self, seed: int) -> None:
        self.told.append(seed)

    def start_from(self, *, pretrained: bool) -> None:
        self.told.append(pretrained)


def test_what_the_head_is_told_is_handed_on_to_the_body() -> None:
    body = Recorder()
    made = Headed(body, (3,), CLASSES, 5)
    for pretrained in (True, False):
        made.start_from(pretrained=pretrained)
    made.reseed(7)
    assert body.told == [True, False, 7]
    assert made.pretrained_part().module is body.pretrained_part().module
