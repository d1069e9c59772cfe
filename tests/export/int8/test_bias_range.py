"""Channels of almost no weight keep their biases in int8; all other channels keep their steps."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import random_inputs
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert.deploy_form import deploy_form
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import Bias, biases
from vskd.export.int8 import bias_range, quantize
from vskd.export.int8.bias_range import LARGEST, weight_ranges
from vskd.export.int8.quantize import quantize_int8
from vskd.models.squeezenet_lw import SqueezeNetLW

BIAS = (2.0, -1.0, 0.25)
SIDE = 32


class NeverOn(nn.Module):
    """Gives zero for all that is ever seen: the step of the next layer's input is the smallest that there is."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x - 100)


def layer(kind: str, scale: float) -> tuple[nn.Module, tuple[int, ...]]:
    """A layer of three channels, the weights of the first two scaled, and the shape of its input."""
    torch.manual_seed(0)
    inner, shape = {
        "convolution": (nn.Conv2d(4, 3, 3), (4, 6, 6)),
        "depthwise": (nn.Conv2d(3, 3, 3, groups=3), (3, 6, 6)),
        "linear": (nn.Linear(8, 3), (8,)),
        "zero input": (nn.Linear(8, 3), (8,)),
    }[kind]
    with torch.no_grad():
        inner.weight[:2] *= scale
        inner.bias.copy_(torch.tensor(BIAS))
    return nn.Sequential(NeverOn() if kind == "zero input" else nn.Identity(), inner, nn.Flatten()).eval(), shape


def quantized(module: nn.Module, inputs: list[np.ndarray]) -> tuple[bytes, bytes]:
    """Its float and its int8 model."""
    converted = convert_float(module, torch.from_numpy(inputs[0][None]))
    return converted, quantize_int8(converted, inputs)


def largest_error(module: nn.Module, model: bytes, inputs: list[np.ndarray]) -> tuple[float, float]:
    """Of an int8 model, and the step of its output."""
    run = LiteRTModel(model)
    with torch.no_grad():
        errors = [np.abs(run.predict(x[None]) - module(torch.from_numpy(x[None])).numpy()).max() for x in inputs]
    return float(np.max(errors)), float(np.diff(run.from_raw(np.array([0, 1], np.int8)))[0])


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-6, 1e-3])
@pytest.mark.parametrize("kind", ["convolution", "depthwise", "linear", "zero input"])
def test_an_output_is_right_to_a_step_or_two_however_small_its_weights(kind: str, scale: float):
    module, shape = layer(kind, scale)
    inputs = random_inputs(16, shape)
    _, model = quantized(module, inputs)
    error, step = largest_error(module, model, inputs)
    assert step < 0.1 and error < 2 * step


@pytest.mark.parametrize("kind", ["convolution", "depthwise", "linear"])
def test_the_bias_is_held_and_the_other_channel_is_left_alone(kind: str):
    module, shape = layer(kind, 1e-9)
    float_model, model = quantized(module, random_inputs(4, shape))
    (held,) = biases(model)
    np.testing.assert_allclose((held.values * held.scales)[:2], BIAS[:2], rtol=1e-6)
    assert np.abs(held.values).max() <= LARGEST
    largest = module[1].weight.detach().flatten(1).abs().amax(dim=1).numpy() / 127
    assert held.weight_scales[2] == pytest.approx(largest[2], rel=1e-6)
    assert (held.weight_scales[:2] > 10 * largest[:2]).all()
    assert weight_ranges(float_model, model) == {}


def test_where_all_biases_fit_nothing_is_changed(tiny_float: bytes, tiny_int8: bytes):
    assert weight_ranges(tiny_float, tiny_int8) == {}


def test_what_does_not_fit_in_the_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    """A quantizer that ignores the ranges that weights are given."""
    module, shape = layer("linear", 1e-9)
    real = quantize._quantized
    monkeypatch.setattr(
        quantize,
        "_quantized",
        lambda quantizer, ranges: real(quantizer, {k: v for k, v in ranges.items() if v["max"].size == 1}),
    )
    with pytest.raises(BundleError, match="do not hold what is computed"):
        quantized(module, random_inputs(4, shape))


def pictures(count: int, seed: int) -> list[np.ndarray]:
    """Noise of any brightness, channels last, in 0..1."""
    generator = np.random.default_rng(seed)
    return [(generator.random((SIDE, SIDE, 3)) * generator.random()).astype(np.float32) for _ in range(count)]


def squeezenet(scale: float) -> nn.Module:
    """A SqueezeNet_LW whose answers differ, with four stem filters scaled."""
    torch.manual_seed(0)
    network = SqueezeNetLW(3, 6).eval()
    dead = [0, 5, 17, 95]
    with torch.no_grad():
        network.classifier[1].weight *= 100
        network.initial_conv.weight[dead] *= scale
        network.initial_conv.bias[dead] = torch.tensor([2.0, -1.0, 3.0, 0.5])
    return deploy_form(network, channels_last_width=SIDE)


def test_squeezenet_with_almost_dead_stem_filters():
    """Error of the logits (deviation 0.85) with four filters scaled by 1e-6, and of the same network with four zeros.

    Largest and mean error with `minmax` ranges; before, the four biases were held as -0.023 each.

        steps from the weights alone  0.132  0.0271
        steps that hold the biases    0.063  0.0072
        the four filters pruned       0.063  0.0071
    """
    weak, checks = squeezenet(1e-6), pictures(16, 1)
    _, model = quantized(weak, pictures(32, 0))
    error, _ = largest_error(weak, model, checks)
    _, zeros = quantized(squeezenet(0.0), pictures(32, 0))
    assert error == pytest.approx(largest_error(weak, zeros, checks)[0], abs=0.02)
    assert error < 0.07


def held(weight: str, bias: list[float], step: float | list[float], weight_step: list[float]) -> tuple[Bias, Bias]:
    """A layer of two channels, before and after quantization."""
    values, shape = np.array(bias, np.float32), (2, 1)
    none = np.zeros(0)
    return (
        Bias(weight, shape, values, none, none),
        Bias(weight, shape, np.zeros(2, np.int32), np.array(step), np.array(weight_step)),
    )


def test_a_bias_of_exactly_the_largest_is_left_and_beyond_it_the_weight_gets_the_steps_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice as many as hold it; the other channel keeps its step. A weight of two layers gets what serves both."""
    limit = float(2**30)
    layers = [
        held("fits", [limit, -limit], 1.0, [0.5, 0.25]),
        held("one", [0.0, -2 * limit], [1.0, 1.0], [0.5, 0.25]),
        held("shared", [8 * limit, 0.0], 1.0, [1.0, 1.0]),
        held("shared", [4 * limit, 3 * limit], 1.0, [1.0, 1.0]),
    ]
    said = {b"float": [before for before, _ in layers], b"int8": [after for _, after in layers]}
    monkeypatch.setattr(bias_range, "biases", said.__getitem__)
    found = weight_ranges(b"float", b"int8")
    assert {name: asked["max"].tolist() for name, asked in found.items()} == {
        "one": [[127 * 0.5], [127 * 0.25 * 4]],
        "shared": [[127 * 16.0], [127 * 6.0]],
    }
    assert all((asked["min"] == -asked["max"]).all() for asked in found.values())
    assert all(asked["max"].dtype == np.float32 for asked in found.values())
