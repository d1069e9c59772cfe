"""The rewritten network says the same, and its int8 arithmetic is that of TFLite Micro."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import TinySeriesNet, random_inputs, seeded
from vskd.bundle.runtime import LiteRTModel
from vskd.export.convert.integer_form import PointwiseLinear, integer_form
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.convert.structure import operator_names
from vskd.export.int8.quantize import quantize_int8
from vskd.models.catalog import build_network, parse_network
from vskd.models.cnn1d import CNN1d
from vskd.models.rocket1d import Rocket1d
from vskd.models.separable_resnet1d import SeparableResNet1d
from vskd.network import Outputs


def _rocket() -> Rocket1d:
    return _answering(Rocket1d(3, 4, 24))


def _fixed_rocket() -> Rocket1d:
    network = build_network(parse_network({"name": "rocket1d-fixed", "kernels": 24}), shape=(3, 32), classes=4)
    assert isinstance(network, Rocket1d)
    network(torch.randn(16, 3, 32))
    return _answering(network)


def _answering(network: Rocket1d) -> Rocket1d:
    nn.init.normal_(network.classifier.weight)  # it begins at zero, and would hide what is in front of it
    return network


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5)])
def test_a_pointwise_convolution_is_the_linear_layer(bias: bool, shape: tuple[int, ...]) -> None:
    linear, x = nn.Linear(5, 7, bias=bias), torch.randn(shape)
    torch.testing.assert_close(PointwiseLinear(linear)(x), linear(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        TinySeriesNet,
        lambda: CNN1d(3, 4, embedding_size=10),
        lambda: SeparableResNet1d(3, 4),
        _rocket,
        _fixed_rocket,
    ],
)
def test_the_rewritten_network_says_the_same_and_the_network_stays(build: type[nn.Module]) -> None:
    network = seeded(build)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    rewritten, x = integer_form(network), torch.randn(4, 3, 32)
    torch.testing.assert_close(rewritten(x).logits, network(x).logits, rtol=1e-5, atol=1e-6)
    kinds = {type(part) for part in rewritten.modules()}
    assert kinds.isdisjoint({nn.BatchNorm1d, nn.Linear})
    after = network.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)


class _NormsThatStay(nn.Module):
    """One BatchNorm behind no convolution, and one behind a convolution whose output is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.convolution, self.second = nn.BatchNorm1d(3), nn.Conv1d(3, 4, 1), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Outputs:
        x = self.convolution(self.first(x))
        x = (x + self.second(x)).mean(dim=2)
        return Outputs(x, x)


def test_a_norm_that_cannot_be_folded_stays() -> None:
    network, x = seeded(_NormsThatStay), torch.randn(2, 3, 8)
    rewritten = integer_form(network)
    assert sum(isinstance(part, nn.BatchNorm1d) for part in rewritten.modules()) == 2
    torch.testing.assert_close(rewritten(x).logits, network(x).logits)


class _Untraceable(TinySeriesNet):
    def forward(self, x: Tensor) -> Outputs:
        if x.sum() > 0:
            x = x + 0.0
        return super().forward(x)


def test_a_network_that_decides_by_its_values_keeps_its_norm() -> None:
    network, x = seeded(_Untraceable), torch.randn(2, 3, 32)
    rewritten = integer_form(network)
    assert any(isinstance(part, nn.BatchNorm1d) for part in rewritten.modules())
    torch.testing.assert_close(rewritten(x).logits, network(x).logits, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def series_int8() -> bytes:
    network = LogitsOnly(integer_form(seeded(lambda: CNN1d(3, 4, embedding_size=10))))
    return quantize_int8(convert_float(network, torch.zeros(1, 3, 32)), random_inputs(16, (3, 32)))


def test_the_converted_network_has_neither_fully_connected_layers_nor_norms(series_int8: bytes) -> None:
    names = operator_names(series_int8)
    assert set(names) == {"RESHAPE", "TRANSPOSE", "CONV_2D", "MAX_POOL_2D", "MEAN"}
    assert names.count("CONV_2D") == 6


def test_tflite_micro_gives_the_integers_of_the_reference_kernels(series_int8: bytes) -> None:
    micro = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the package 'tflite-micro'")
    interpreter, reference = micro.Interpreter.from_bytes(series_int8), LiteRTModel(series_int8, reference_kernels=True)
    generator = np.random.default_rng(0)
    for _ in range(50):
        x = generator.integers(-128, 128, reference.input_shape).astype(np.int8)
        interpreter.set_input(x, 0)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_output(0), reference.raw(x))


class _Watched(nn.Module):
    """A convolution of which a feature is made that the logits do not need, its norm, and a norm behind a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv1d(3, 4, 1), nn.BatchNorm1d(4)
        self.layer, self.last = nn.Linear(4, 2), nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Outputs:
        x = self.convolution(x)
        features = {"flat": x.flatten(1)}
        x = self.norm(x).mean(dim=2)
        return Outputs(self.last(self.layer(x)), x, features)


def test_a_feature_keeps_no_norm_from_being_folded_and_one_behind_a_layer_stays() -> None:
    network, x = seeded(_Watched), torch.randn(2, 3, 8)
    rewritten = integer_form(network)
    assert [name for name, part in rewritten.named_modules() if isinstance(part, nn.BatchNorm1d)] == ["last"]
    torch.testing.assert_close(rewritten(x).logits, network(x).logits)


def test_features_that_hardly_vary_are_standardised_as_they_were() -> None:
    """Where the constant that is added to the variance counts; and twice is the same as once."""
    network, x = seeded(_rocket), torch.randn(4, 3, 32)
    with torch.no_grad():
        network.standardise.running_var.fill_(1e-5)
    once = integer_form(network)
    torch.testing.assert_close(once(x).logits, network(x).logits, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(integer_form(once)(x).logits, once(x).logits)


def test_a_layer_by_itself_stays_one() -> None:
    layer, x = nn.Linear(3, 2), torch.randn(4, 3)
    rewritten = integer_form(layer)
    assert type(rewritten) is nn.Linear and torch.equal(rewritten(x), layer(x))
