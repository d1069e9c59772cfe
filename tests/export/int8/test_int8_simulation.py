"""Simulated int8 is what LiteRT computes, and its gradient is the straight-through one."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import IMAGE, random_inputs, seeded
from tests.export.conftest import TinySeriesNet as SeriesNet
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert.deploy_form import SpaceToDepthConvolution, deploy_form
from vskd.export.convert.integer_form import PointwiseLinear
from vskd.export.convert.litert import LogitsOnly
from vskd.export.int8 import int8_simulation
from vskd.export.int8.int8_simulation import ActivationRounding, RoundedLayer, SimulatedInt8, round_weight
from vskd.models.efficientnet_lite import SameConvolution
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.squeezenet_lw import SqueezeNetLW


def calibrated(module: nn.Module, inputs: list[np.ndarray]) -> SimulatedInt8:
    simulated = SimulatedInt8(module, torch.from_numpy(inputs[0][None])).train()
    with torch.no_grad():
        for x in inputs:
            simulated(torch.from_numpy(x[None]))
    return simulated.eval()


def test_weights_are_rounded_per_channel_as_a_naive_loop_does():
    weight = torch.randn(5, 3, 2, 2) * torch.tensor([1e-3, 0.1, 1.0, 30.0, 0.0]).view(5, 1, 1, 1)
    expected = np.zeros(weight.shape, np.float32)
    for channel, values in enumerate(weight.numpy()):
        scale = np.abs(values).max() / 127
        expected[channel] = np.round(values / scale) * scale if scale else 0
    np.testing.assert_allclose(round_weight(weight).numpy(), expected, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize(("estimator", "high"), [("minmax", 4.0), ("moving-average", 0.95 * 4 + 0.05 * 2)])
def test_activation_ranges(estimator: str, high: float):
    rounding = ActivationRounding(estimator).train()
    x = torch.tensor([0.5, 4.0])
    rounding(x)
    rounding(x / 2)
    assert (rounding.low.item(), rounding.high.item()) == (0.0, pytest.approx(high))  # zero is always inside
    rounding.frozen = True
    rounding(x * 100)
    rounding.eval()(x * 100)
    assert rounding.high.item() == pytest.approx(high)
    values = rounding(torch.linspace(-1, high, 1000))
    assert len(values.unique()) == 256 and values.min() == 0 and 0 in values


def test_gradient_passes_the_rounding_and_stops_at_the_clipping():
    rounding = ActivationRounding("minmax").train()
    rounding(torch.tensor([-1.0, 1.0]))
    x = torch.tensor([0.3, 5.0], requires_grad=True)
    rounding.eval()(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [1.0, 0.0]


def test_simulation_is_what_litert_computes(tiny_network: nn.Module, tiny_int8: bytes):
    simulated = calibrated(LogitsOnly(tiny_network), random_inputs(16, IMAGE))  # as tiny_int8 was
    inputs = np.stack(random_inputs(32, IMAGE, seed=9))
    model = LiteRTModel(tiny_int8, reference_kernels=True)
    actual = model.predict(inputs)
    with torch.no_grad():
        expected = simulated(torch.from_numpy(inputs)).numpy()
        exact = tiny_network(torch.from_numpy(inputs)).logits.numpy()
    step = float(np.diff(model.from_raw(np.array([0, 1], np.int8)))[0])
    assert np.abs(actual - expected).max() <= 1.02 * step  # measured: 1.01; a sum near the middle of two steps
    assert np.abs(actual - expected).mean() < 0.5 * np.abs(actual - exact).mean()  # it predicts the error itself


@pytest.mark.parametrize("build", [lambda: SqueezeNetLW(1, 4), lambda: MobileNetV3Small(1, 4, width=0.75)])
def test_image_students_are_simulated_and_come_back_unharmed(build):
    torch.manual_seed(0)
    network = build().eval()
    x = torch.rand(2, 1, 64, 64)
    simulated = SimulatedInt8(deploy_form(network), x[:1])
    expected = network(x).logits
    torch.testing.assert_close(simulated.plain()(x), expected, rtol=1e-3, atol=1e-5)
    simulated.train()(x)
    assert not torch.equal(simulated.eval()(x), expected)
    simulated.train()(x).sum().backward()
    gradients = [p.grad for p in simulated.parameters() if p.requires_grad]
    assert len(gradients) >= 18
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)


def test_a_series_network_is_simulated_too():
    network = seeded(SeriesNet)
    x = torch.randn(2, 3, 64)
    torch.testing.assert_close(SimulatedInt8(LogitsOnly(network), x[:1]).plain()(x), network(x).logits)


class Untraceable(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


def test_untraceable_network_is_one_clear_error():
    with pytest.raises(BundleError, match="cannot be traced"):
        SimulatedInt8(Untraceable(), torch.ones(1, 4))


def test_a_convolution_of_a_class_of_its_own_is_rounded_with_its_batch_norm():
    network = nn.Sequential(SameConvolution(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU6()).eval()
    x = torch.rand(1, 3, 8, 8)
    simulated = SimulatedInt8(network, x)
    kinds = [type(module) for module in simulated.modules()]
    assert nn.BatchNorm2d not in kinds
    assert kinds.count(RoundedLayer) == 1
    torch.testing.assert_close(simulated.plain()(x), network(x))


@pytest.mark.parametrize(
    ("estimator", "low", "high"),
    [("minmax", -3.0, 4.0), ("moving-average", 0.95 * -1 + 0.05 * -3, 0.95 * 4 + 0.05 * 2)],
)
def test_values_are_those_of_256_even_steps_over_the_range(estimator: str, low: float, high: float):
    """Against a naive loop; zero is a step of its own."""
    rounding = ActivationRounding(estimator).train()
    rounding(torch.tensor([-1.0, 4.0]))
    rounding(torch.tensor([-3.0, 2.0]))
    assert (rounding.low.item(), rounding.high.item()) == pytest.approx((low, high))
    step = (high - low) / 255
    zero = round(-128 - low / step)
    x = torch.linspace(2 * low, 2 * high, 1001)
    expected = [step * (min(127, max(-128, round(v / step) + zero)) - zero) for v in x.tolist()]
    found = rounding.eval()(x).numpy()
    assert np.isclose(found, expected, atol=1e-5).mean() > 0.995  # the middle of two steps goes either way
    assert np.abs(found - np.array(expected)).max() <= 1.01 * step
    assert rounding(torch.zeros(1)).item() == 0


def test_before_anything_was_seen_nothing_is_rounded_and_evaluation_sees_nothing():
    rounding = ActivationRounding("minmax").eval()
    x = torch.tensor([0.123456, -7.0])
    assert torch.equal(rounding(x), x) and not rounding.seen
    rounding.train()(torch.zeros(3))
    assert rounding.seen and torch.isfinite(rounding(torch.zeros(3))).all()  # a range of nothing


def test_frozen_ranges_stay_in_every_part_of_a_network():
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    simulated = SimulatedInt8(network, torch.ones(1, 3)).train()
    simulated(torch.ones(2, 3))
    ranges = [m for m in simulated.modules() if isinstance(m, ActivationRounding)]
    before = [(m.low.item(), m.high.item()) for m in ranges]
    simulated(10 * torch.ones(2, 3))
    wider = [(m.low.item(), m.high.item()) for m in ranges]
    assert len(ranges) == 3 and all(a != b for a, b in zip(before, wider, strict=True))
    simulated.freeze_ranges()
    simulated(100 * torch.ones(2, 3))
    assert [(m.low.item(), m.high.item()) for m in ranges] == wider


def test_the_range_estimator_asked_for_is_that_of_every_tensor():
    network = nn.Sequential(nn.Linear(3, 2)).eval()
    for estimator in ("minmax", "moving-average"):
        simulated = SimulatedInt8(network, torch.ones(1, 3), estimator)
        kinds = {m.range_estimator for m in simulated.modules() if isinstance(m, ActivationRounding)}
        assert kinds == {estimator}
    assert {m.range_estimator for m in SimulatedInt8(network, torch.ones(1, 3)).modules() if hasattr(m, "seen")} == {
        "minmax"
    }


class Shared(nn.Module):
    """A convolution whose output goes two ways, one of them through a BatchNorm; and dead code behind."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x)
        return x + self.norm(x)


class NormFirst(nn.Module):
    """A BatchNorm in front of the convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.convolution = nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(self.norm(x))


@pytest.mark.parametrize(
    ("build", "norms"),
    [
        (Shared, 1),
        (NormFirst, 1),
        (lambda: nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)), 1),
        (lambda: nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.ReLU(), nn.BatchNorm2d(3)), 1),
    ],
)
def test_a_norm_that_cannot_be_folded_stays_and_the_answers_too(build: type[nn.Module], norms: int):
    network = seeded(build)
    x = torch.rand(2, 2, 4, 4)
    simulated = SimulatedInt8(network, x[:1])
    assert sum(isinstance(m, nn.BatchNorm2d) for m in simulated.plain().modules()) == norms
    torch.testing.assert_close(simulated.plain()(x), network(x))


class Joining(nn.Module):
    """Two layers side by side, joined; one of them clamped. The join has the scale of both."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.relu(self.one(x)), self.other(x)], dim=1).flatten(1)


class TwoWays(nn.Module):
    """A layer whose output is clamped on one way and used as it is on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        return torch.relu(x) + x


class Reshaped(nn.Module):
    """Only moved about: all of it keeps the input's scale."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, 2, 2).permute(0, 2, 1).flatten(1)


@pytest.mark.parametrize(
    ("build", "rounded"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU()), ["x", "relu"]),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU6(), nn.Dropout(), nn.Identity()), ["x", "relu6"]),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.Sigmoid()), ["x", "layer", "sigmoid"]),
        (Joining, ["x", "join"]),
        (TwoWays, ["x", "layer", "relu", "sum"]),
        (Reshaped, ["x"]),
    ],
)
def test_there_is_one_scale_for_each_tensor_of_the_int8_model(build, rounded: list[str]):
    """A clamp is fused into its layer; what passes values on, and a join's inputs, have none of their own."""
    module = build().eval()
    simulated = SimulatedInt8(module, torch.rand(1, 4))
    roundings = [m for m in simulated.modules() if isinstance(m, ActivationRounding)]
    assert len(roundings) == len(rounded)
    simulated.train()(torch.rand(8, 4) - 0.5)
    assert all(m.seen for m in roundings)


def test_a_rounding_is_read_by_all_that_follows_and_weights_alone_are_rounded():
    """Of a layer between two roundings, computed by hand: its bias stays as it is."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2)).eval()
    simulated = SimulatedInt8(network, torch.zeros(1, 3)).train()
    x = torch.tensor([[1.0, -0.333, 0.777]])
    before, after = (m for m in simulated.modules() if isinstance(m, ActivationRounding))
    found = simulated(x)
    with torch.no_grad():
        exact = before.eval()(x) @ round_weight(network[0].weight).T + network[0].bias
        torch.testing.assert_close(found, after.eval()(exact), rtol=0, atol=0)
        assert not torch.equal(before(x), x) and not torch.equal(found, exact)
        assert (before.low.item(), before.high.item()) == (pytest.approx(-0.333), 1.0)


def test_training_moves_the_plain_weights_and_the_module_keeps_its_own():
    network = nn.Sequential(nn.Linear(3, 2)).eval()
    simulated, own = SimulatedInt8(network, torch.zeros(1, 3)), network[0].weight.clone()
    optimizer = torch.optim.SGD(simulated.parameters(), lr=0.1)
    simulated.train()(torch.rand(4, 3)).sum().backward()
    optimizer.step()
    assert torch.equal(network[0].weight, own) and not network.training
    trained = simulated.plain()
    assert not torch.equal(trained.get_parameter("0.weight"), own) and not trained.training
    trained.get_parameter("0.weight").data.zero_()  # a copy
    assert simulated.plain().get_parameter("0.weight").abs().sum() > 0


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: PointwiseLinear(nn.Linear(3, 2)), (4, 3)),
        (lambda: SpaceToDepthConvolution(nn.Conv2d(2, 3, 5, stride=2)), (1, 2, 9, 9)),
    ],
)
def test_of_a_layer_of_layers_all_weights_are_rounded_and_no_bias(build, shape: tuple[int, ...]):
    torch.manual_seed(0)
    layer, x = build(), torch.rand(shape)
    rounded = copy.deepcopy(layer)
    with torch.no_grad():
        for inner in (m for m in rounded.modules() if isinstance(m, nn.Conv2d)):
            inner.weight.copy_(round_weight(inner.weight))
        torch.testing.assert_close(RoundedLayer(layer)(x), rounded(x), rtol=0, atol=0)
        assert not torch.equal(rounded(x), layer(x))


class Unused(nn.Module):
    """A layer that is clamped; what else is made of it nobody needs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        torch.sigmoid(x)
        return torch.relu(x)


class Picking(nn.Module):
    """Whole numbers on the way, and a length that is no tensor: neither has a scale. Nor has a constant."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.1, 0.2, 0.3, 0.4]))

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(x.size(0), -1) - self.mean
        return x.gather(1, x.argmax(dim=1, keepdim=True))


@pytest.mark.parametrize(("build", "rounded"), [(Unused, 2), (Picking, 3)])
def test_what_is_no_tensor_of_the_int8_model_has_no_scale(build: type[nn.Module], rounded: int):
    """Of the second: the input, the difference, what is picked."""
    simulated = SimulatedInt8(build().eval(), torch.rand(1, 4)).train()
    assert simulated(torch.rand(3, 4)).isfinite().all()
    roundings = [m for m in simulated.modules() if isinstance(m, ActivationRounding)]
    assert len(roundings) == rounded and all(m.seen for m in roundings)


def test_two_hundred_letters_of_why_a_network_cannot_be_traced_are_told(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise TypeError("x" * 1000)

    monkeypatch.setattr(int8_simulation._Tracer, "trace", refuse)
    with pytest.raises(BundleError, match="cannot be traced") as caught:
        SimulatedInt8(nn.Linear(4, 2), torch.ones(1, 4))
    assert caught.value.problem.count("x") == 200
