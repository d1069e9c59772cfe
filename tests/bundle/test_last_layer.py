"""The classifier at a model's end: read, asked and replaced, in float and in int8, with nothing else changed."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import CLASSES, IMAGE, random_inputs
from vskd.bundle.last_layer import LARGEST_BIAS, LastLayer
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert.deploy_form import deploy_form
from vskd.export.convert.integer_form import integer_form
from vskd.export.convert.litert import convert_float
from vskd.export.int8.quantize import quantize_int8
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.network import Network

INPUTS = np.stack(random_inputs(24, IMAGE, seed=5))


def answers_of(model: bytes, x: np.ndarray = INPUTS) -> np.ndarray:
    return LiteRTModel(model, reference_kernels=True).predict(x)


@pytest.fixture(params=["float32", "int8", "int8 with float ends"])
def model(request: pytest.FixtureRequest, tiny_float: bytes) -> bytes:
    if request.param == "float32":
        return tiny_float
    ends = {"input_type": "float32", "output_type": "float32"} if "ends" in request.param else {}
    return quantize_int8(tiny_float, random_inputs(16, IMAGE), **ends)


def test_weights_are_those_of_the_network(model: bytes, tiny_network: Network):
    layer, head = LastLayer(model), tiny_network.head
    step = np.abs(head.weight.detach().numpy()).max(axis=1, keepdims=True) / 127
    assert layer.weight.shape == (CLASSES, 16)
    assert np.abs(layer.weight - head.weight.detach().numpy()).max() <= step.max() / 2 + 1e-6
    assert layer.bias == pytest.approx(head.bias.detach().numpy(), abs=1e-3)


def test_features_are_what_the_classifier_sees(model: bytes, tiny_network: Network):
    layer = LastLayer(model)
    asked = layer.asked(INPUTS)
    with torch.no_grad():
        expected = tiny_network(torch.from_numpy(INPUTS)).embedding.numpy()
    assert asked == pytest.approx(expected[:, None], abs=0.05)
    assert np.abs(asked[:, 0] @ layer.weight.T + layer.bias - answers_of(model)).max() < 0.05


def test_the_same_weights_give_the_same_bytes(model: bytes):
    """Of steps alone: rounding their quotient is exact. Answers that were not cut off are held already."""
    layer, held = LastLayer(model), answers_of(model)
    asked = layer.asked(INPUTS)
    answers = asked[:, 0] @ layer.weight.T + layer.bias
    inside = ((answers >= held.min()) & (answers <= held.max())).all(axis=1)
    assert inside.sum() > len(INPUTS) / 2
    assert layer.replaced(layer.weight, layer.bias, asked[inside]) == model


@pytest.mark.parametrize("size", [0.01, 1.0, 30.0], ids=["smaller", "as large", "larger"])
def test_other_weights_give_their_answers(model: bytes, size: float):
    layer, generator = LastLayer(model), np.random.default_rng(1)
    asked = layer.asked(INPUTS)
    weight = layer.weight + size * generator.standard_normal(layer.weight.shape)
    bias = layer.bias + size * generator.standard_normal(CLASSES)
    expected = asked[:, 0] @ weight.T + bias
    content = layer.replaced(weight, bias, asked)
    changed = LastLayer(content)
    assert np.array_equal(changed.asked(INPUTS), asked)  # nothing in front of it was touched
    step = (expected.max() - expected.min()) / 255
    assert np.abs(answers_of(content) - expected).max() <= 5 * max(step, 0.02)
    assert changed.weight == pytest.approx(weight, abs=np.abs(weight).max() / 127)
    assert len(content) == len(model)


def test_answers_of_before_are_still_held(tiny_int8: bytes):
    """The output's range grows with the new answers and never shrinks."""
    layer = LastLayer(tiny_int8)
    nothing = np.zeros((1, 1, layer.weight.shape[1]))
    small = layer.replaced(layer.weight, np.zeros(CLASSES), nothing)
    assert LiteRTModel(small).output_quantization == LiteRTModel(tiny_int8).output_quantization
    large = layer.replaced(layer.weight, np.array([90.0, 0, 0, -40]), nothing)
    scale, zero = LiteRTModel(large).output_quantization
    assert scale * (127 - zero) >= 90 - scale and scale * (-128 - zero) <= -40 + scale


def test_a_bias_that_is_huge_beside_its_weights_does_not_overflow(tiny_int8: bytes):
    layer = LastLayer(tiny_int8)
    weight, bias = 1e-9 * layer.weight, np.array([50.0, -50.0, 1.0, 0.0])
    content = layer.replaced(weight, bias, layer.asked(INPUTS[:2]))
    assert LastLayer(content).bias == pytest.approx(bias, rel=1 / LARGEST_BIAS * 4, abs=1e-6)
    assert answers_of(content, INPUTS[:2]) == pytest.approx(np.tile(bias, (2, 1)), abs=0.5)


@pytest.fixture(scope="module", params=["float32", "int8"])
def averaging(request: pytest.FixtureRequest) -> bytes:
    """A model that classifies each of four places and averages the answers: SqueezeNet_LW, as it is exported."""
    torch.manual_seed(0)
    network = deploy_form(SqueezeNetLW(1, CLASSES).eval(), channels_last_width=64)
    content = convert_float(integer_form(network), torch.zeros(1, *PICTURE))
    return quantize_int8(content, random_inputs(8, PICTURE)) if request.param == "int8" else content


PICTURE = (64, 64, 1)


@pytest.mark.parametrize("size", [0.01, 1.0, 30.0], ids=["smaller", "as large", "larger"])
def test_a_classifier_of_places_is_one_of_the_mean_place(averaging: bytes, size: float):
    layer, generator = LastLayer(averaging), np.random.default_rng(1)
    x = np.stack(random_inputs(6, PICTURE, seed=5))
    asked, logits = layer.asked(x), answers_of(averaging, x)
    features = asked.mean(axis=1)
    assert layer.weight.shape == (CLASSES, 128) and asked.shape == (6, 4, 128)
    step = 2 * np.abs(logits).max() / 255
    assert np.abs(features @ layer.weight.T + layer.bias - logits).max() < 2 * step
    weight = layer.weight + size * generator.standard_normal(layer.weight.shape)
    bias = layer.bias + size * generator.standard_normal(CLASSES)
    content = layer.replaced(weight, bias, asked)
    assert np.array_equal(LastLayer(content).asked(x), asked) and len(content) == len(averaging)
    # an answer at one place may lie far beyond their mean, and is held all the same
    largest = np.abs(asked @ weight.T + bias).max()
    assert np.abs(answers_of(content, x) - (features @ weight.T + bias)).max() <= 0.02 * largest


class _Odd(nn.Module):
    """Ends otherwise than in a linear layer with a bias."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self.end, self.head = end, nn.Linear(48, CLASSES, bias=end != "no bias")
        self.wide = nn.Conv2d(3, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.end == "several places":
            return self.wide(x).flatten(1)
        y = self.head(torch.nn.functional.avg_pool2d(x, 4).flatten(1))
        return y.softmax(dim=1) if self.end == "softmax" else torch.relu(y) if self.end == "activation" else y


@pytest.mark.parametrize("end", ["softmax", "activation", "several places"])
def test_a_model_that_ends_otherwise_is_refused(end: str):
    torch.manual_seed(0)
    with pytest.raises(BundleError, match="does not end in a linear classifier"):
        LastLayer(convert_float(_Odd(end).eval(), torch.zeros(1, *IMAGE)))
