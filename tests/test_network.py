"""What every network returns cannot be changed by who receives it; any layer of any network can be seen."""

import dataclasses
from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.network import AXES, OUTPUT_LAYERS, FeatureTaps, Network, Outputs, layer_shapes, probe, whole


def test_features_are_optional_and_not_shared() -> None:
    first, second = (Outputs(torch.zeros(2, 3), torch.zeros(2, 5)) for _ in range(2))
    assert first.features == {} == second.features
    assert first.features is not second.features


def test_a_part_cannot_be_replaced() -> None:
    outputs = Outputs(torch.zeros(2, 3), torch.zeros(2, 5))
    with pytest.raises(dataclasses.FrozenInstanceError):
        outputs.logits = torch.ones(2, 3)  # type: ignore[misc]


def test_logits_come_first_then_the_embedding() -> None:
    """Networks give them by position."""
    logits, embedding = torch.zeros(2, 3), torch.ones(2, 5)
    outputs = Outputs(logits, embedding)
    assert outputs.logits is logits and outputs.embedding is embedding


def test_layers_are_found_by_name() -> None:
    logits, embedding, deep = torch.zeros(2, 3), torch.ones(2, 5), torch.ones(2, 7)
    outputs = Outputs(logits, embedding, {"deep": deep})
    assert outputs.layer("logits") is logits
    assert outputs.layer("embedding") is embedding
    assert outputs.layer("deep") is deep
    with pytest.raises(ValueError, match="no layer 'shallow' among the outputs, only logits, embedding, deep"):
        outputs.layer("shallow")


def test_fixed_outputs_have_no_gradient_and_are_whole() -> None:
    tensors = [torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True) * 3 for _ in range(3)]
    outputs = Outputs(tensors[0], tensors[1], {"deep": tensors[2]}).fixed()
    for layer in ("logits", "embedding", "deep"):
        tensor = outputs.layer(layer)
        assert (tensor.dtype, tensor.requires_grad) == (torch.float32, False)
        assert torch.equal(tensor, torch.full((2, 3), 3.0))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(torch.bfloat16, torch.float32), (torch.float16, torch.float32), (torch.float64, torch.float64)],
)
def test_whole_widens_and_never_narrows(given: torch.dtype, wanted: torch.dtype) -> None:
    assert whole(torch.zeros(1, dtype=given)).dtype == wanted


class Small(Network):
    """An activation in place, a convolution used twice, and layers that have the samples before the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding_size = 4
        self.stem = nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.ReLU(inplace=True))
        self.shared = nn.Conv1d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm1d(4)
        self.turned, self.recurrent = nn.Linear(4, 4), nn.GRU(4, 4)
        self.unused = nn.Linear(4, 4)
        self.classifier = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Outputs:
        """(batch, 2, samples) -> outputs."""
        deep = self.norm(self.shared(self.shared(self.stem(x))))
        by_time = self.recurrent(self.turned(deep.permute(2, 0, 1)))[0]  # (samples, batch, 4)
        embedding = by_time.mean(dim=0)
        return Outputs(self.classifier(embedding), embedding, {"deep": deep})


class Wrapper(nn.Module):
    """An encoding before a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Outputs:
        outputs: Outputs = self.network(2 * x)
        return outputs


@pytest.fixture
def network() -> Small:
    torch.manual_seed(0)
    return Small()


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def tapped(network: nn.Module, layers: Iterable[str], x: Tensor) -> Outputs:
    taps = FeatureTaps(network, layers)
    try:
        return taps.collect(network(x))
    finally:
        taps.remove()


X = torch.randn(3, 2, 8, generator=torch.Generator().manual_seed(0))


def test_a_tap_sees_what_the_module_gives_with_its_gradient(network: Small) -> None:
    """Also where an activation in place follows: the convolution's own values, not those after it."""
    features = tapped(network, ["stem.0"], X).features
    by_hand = nn.functional.conv1d(X, network.stem[0].weight, network.stem[0].bias, padding=1)
    assert (by_hand < 0).any()
    torch.testing.assert_close(features["stem.0"], by_hand)
    weight = network.stem[0].weight
    expected = torch.autograd.grad(by_hand.square().sum(), weight)[0]
    torch.testing.assert_close(torch.autograd.grad(features["stem.0"].square().sum(), weight)[0], expected)


def test_only_what_was_asked_for_is_collected(network: Small) -> None:
    outputs = tapped(network, ["deep", "logits", "stem.0", "embedding", "deep"], X)
    assert set(outputs.features) == {"deep", "stem.0"}
    assert outputs.layer("logits").shape == (3, 3) and outputs.layer("embedding").shape == (3, 4)
    assert tapped(network, [], X).features == {}


def test_taps_change_nothing_of_the_answer(network: Small) -> None:
    network.eval()
    plain, seen = network(X), tapped(network, ["stem.0", "shared", "norm"], X)
    assert torch.equal(plain.logits, seen.logits) and torch.equal(plain.embedding, seen.embedding)


def test_a_layer_used_twice_keeps_its_last_output(network: Small) -> None:
    network.eval()
    stem = network.stem(X)
    expected = network.shared(network.shared(stem))
    assert torch.equal(tapped(network, ["shared"], X).features["shared"], expected)
    assert not torch.equal(network.shared(stem), expected)


def test_taps_serve_a_training_loop_and_hold_nothing_between(network: Small) -> None:
    taps = FeatureTaps(network, ["stem", "deep"])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    seen = []
    for step in range(3):
        outputs = taps.collect(network(X + step))
        assert not taps._seen
        optimizer.zero_grad()
        (outputs.layer("stem").square().mean() + outputs.logits.square().mean()).backward()
        optimizer.step()
        seen.append(outputs.layer("stem").detach())
    assert not torch.equal(seen[0], seen[1])
    network(X)  # a forward pass that nobody collects, e.g. of validation
    latest = taps.collect(network(X[:1]))
    assert latest.layer("stem").shape[0] == 1
    taps.remove()
    network(X)
    assert hooks(network) == 0 and not taps._seen


def test_an_earlier_pass_is_not_taken_for_this_one(network: Small) -> None:
    taps = FeatureTaps(network, ["norm"])
    network(X)
    network.norm = nn.BatchNorm1d(4)  # no longer the tapped one
    with pytest.raises(SettingError, match="'norm' of Small is not called"):
        taps.collect(network(X))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("stem.O", r"There is no layer 'stem.O' in Small: did you mean 'stem\.[01]'\?"),
        ("dep", r"did you mean 'deep'\?"),
        ("logit", r"did you mean 'logits'\?"),
        ("xyzzy", "there are logits, embedding, deep, stem, .*"),
        ("", "There is no layer '' in Small"),
        ("unused", "Layer 'unused' of Small is not called by itself in a forward pass"),
        ("recurrent", "Layer 'recurrent' of Small gives a tuple"),
    ],
)
def test_layers_that_give_nothing_are_refused(network: Small, layer: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        layer_shapes(network, (2, 8), ["stem", layer])
    assert hooks(network) == 0
    assert network.training


@pytest.mark.parametrize("samples", [7, 8])
def test_a_layer_without_the_batch_first_is_refused(network: Small, samples: int) -> None:
    """8 rows can be divided by 1 and by 2, and yet are not the batch."""
    with pytest.raises(SettingError, match="Layer 'turned' of Small does not have the batch as its first axis"):
        layer_shapes(network, (2, samples), ["turned"])


class Frames(Network):
    """Sees the frames of all clips as one batch."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding_size = 2
        self.frame = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Outputs:
        """(batch, segments, 5) -> outputs."""
        embedding = self.frame(x.flatten(0, 1)).unflatten(0, x.shape[:2]).mean(dim=1)
        return Outputs(embedding, embedding)


def test_frames_go_back_to_their_clips() -> None:
    network, clips = Frames(), torch.randn(3, 4, 5)
    assert layer_shapes(network, (4, 5), ["frame"]) == {"frame": (4, 2)}
    torch.testing.assert_close(tapped(network, ["frame"], clips).features["frame"], network.frame(clips))


def test_a_network_in_a_wrapper(network: Small) -> None:
    """Paths are those of the network that is tapped, whoever calls it."""
    wrapper = Wrapper(network).eval()
    taps = FeatureTaps(network, ["stem.0", "deep"])
    outputs = taps.collect(wrapper(X))
    taps.remove()
    torch.testing.assert_close(outputs.layer("stem.0"), network.stem[0](2 * X))
    assert layer_shapes(wrapper, (2, 8), ["network.stem.0", "deep"]) == {"network.stem.0": (4, 8), "deep": (4, 8)}


def test_autocast_gives_features_in_bfloat16_with_gradients(network: Small) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        outputs = tapped(network, ["stem.0", "shared"], X)
    feature = outputs.layer("stem.0")
    assert feature.dtype == torch.bfloat16
    whole(feature).square().mean().backward()
    assert network.stem[0].weight.grad is not None and network.stem[0].weight.grad.dtype == torch.float32
    assert outputs.fixed().layer("shared").dtype == torch.float32


def test_a_network_in_bfloat16(network: Small) -> None:
    network.bfloat16()
    assert layer_shapes(network, (2, 8), ["stem.0"]) == {"stem.0": (4, 8)}
    assert tapped(network, ["stem.0"], X.bfloat16()).layer("stem.0").dtype == torch.bfloat16


def test_shapes_leave_network_and_random_numbers_as_they_were(network: Small) -> None:
    network.train()
    network.norm.eval()  # frozen
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    shapes = layer_shapes(network, (2, 8), ["deep", "stem.0", "logits", "embedding"])
    assert shapes == {"deep": (4, 8), "stem.0": (4, 8), "logits": (3,), "embedding": (4,)}
    assert torch.equal(torch.get_rng_state(), state)
    assert (network.training, network.stem.training, network.norm.training) == (True, True, False)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_mode_is_restored_after_an_error() -> None:
    network = nn.Linear(3, 2).train()
    with pytest.raises(RuntimeError):
        probe(network, (4,))
    assert network.training


def test_a_network_has_nothing_special_by_default(network: Small) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.reseed(3)
    network.start_from(pretrained=True)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())
    (group,) = network.parameter_groups(0.1, 0.0)
    assert [id(p) for p in group["params"]] == [id(p) for p in network.parameters()]
    part = network.pretrained_part()
    assert (part.module, part.stem, part.head) == (network, None, None)


def test_a_network_must_say_how_it_computes() -> None:
    with pytest.raises(TypeError, match="Network does not say how it computes: define forward"):
        Network()(torch.zeros(1))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["logits", "embedding", "deep", "last"])
def test_one_number_that_is_none_makes_an_answer_infinite(place: str, bad: float) -> None:
    parts = {name: torch.zeros(2, 3) for name in ("logits", "embedding", "deep", "last")}

    def outputs() -> Outputs:
        return Outputs(parts["logits"], parts["embedding"], {"deep": parts["deep"], "last": parts["last"]})

    assert outputs().finite
    parts[place][1, 2] = bad
    assert not outputs().finite


def test_an_answer_goes_to_a_device_as_a_whole() -> None:
    meta = torch.device("meta")
    moved = Outputs(torch.zeros(2, 3), torch.ones(2, 5), {"deep": torch.ones(2, 7)}).to(meta)
    for layer, width in (("logits", 3), ("embedding", 5), ("deep", 7)):
        assert moved.layer(layer).device == meta and moved.layer(layer).shape == (2, width)


class Namesakes(Network):
    """Its modules have the names of an output and of a feature; one module stands in it under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.deep = nn.Linear(2, 4), nn.Linear(4, 4)
        self.twin = self.deep
        self.total = nn.Identity()

    def forward(self, x: Tensor) -> Outputs:
        """(batch, 2) -> outputs."""
        hidden = self.deep(self.embedding(x))
        self.total(hidden.sum())
        return Outputs(hidden, 3 * hidden, {"deep": 2 * hidden})


def test_outputs_and_features_come_before_modules_of_their_names() -> None:
    network, x = Namesakes(), torch.ones(3, 2)
    hidden = network.deep(network.embedding(x))
    outputs = tapped(network, ["embedding", "deep", "twin"], x)
    assert set(outputs.features) == {"deep", "twin"}
    assert torch.equal(outputs.embedding, 3 * hidden) and torch.equal(outputs.layer("deep"), 2 * hidden)
    assert torch.equal(outputs.layer("twin"), hidden)
    with pytest.raises(SettingError, match="Layer 'total' of Namesakes does not have the batch as its first axis"):
        layer_shapes(network, (2,), ["total"])
    assert network(x).layer("deep") is not None and hooks(network) == 0


def test_a_layer_that_is_nowhere_is_told_the_first_twelve_there_are() -> None:
    network = Wrapper(nn.Sequential(*(nn.Identity() for _ in range(12)), Namesakes()))
    with pytest.raises(SettingError) as caught:
        layer_shapes(network, (2,), ["zzzzzzzz"])
    paths = ", ".join(["network", *(f"network.{n}" for n in range(8))])
    assert f"there are logits, embedding, deep, {paths} and 9 more" in str(caught.value)


def test_zeros_of_one_sample_in_the_networks_own_precision(network: Small) -> None:
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert probe(network.double(), (2, 8)).logits.shape == (1, 3)
    assert probe(network, (2, 8), batch=4).logits.requires_grad is False
    assert [tuple(x.shape) for x in seen] == [(1, 2, 8), (4, 2, 8)]
    assert all(x.dtype == torch.float64 and not x.any() for x in seen)


def test_the_axes_of_what_networks_take() -> None:
    assert dict(AXES) == {
        "series": ("channels", "samples"),
        "image": ("channels", "height", "width"),
        "frames": ("segments", "channels", "height", "width"),
        "clip": ("channels", "frames", "height", "width"),
    }
    assert OUTPUT_LAYERS == ("logits", "embedding")


def test_zeros_are_where_the_network_is() -> None:
    assert probe(Small().to("meta"), (2, 8)).logits.device.type == "meta"
