"""CONV_2D against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, random_scale, random_zero
from tests.firmware_bridge.operators.each import PICTURE, WEIGHT, check_kinds_of, computed, emitted, operator, tensor
from vskd.errors import BundleError
from vskd.firmware_bridge.operators.convolution import emit
from vskd.firmware_bridge.planner import Plan
from vskd.firmware_bridge.source import Source

SAME, VALID = 0, 1


def convolution(generator: np.random.Generator, *, saturating: bool = False, dilation: int = 1) -> HandMade:
    """A random layer; a saturating one has a small output step, so that most answers lie at the ends."""
    height, width, depth, channels = (int(n) for n in generator.integers([3, 3, 1, 1], [9, 9, 7, 7]))
    kernel, stride = generator.integers(1, 4, 2), generator.integers(1, 3, 2)
    padding = int(generator.integers(0, 2))
    sizes = [
        -(-n // s) if padding == SAME else (n - k) // s + 1
        for n, k, s in zip((height, width), kernel, stride, strict=True)
    ]
    given = random_scale(generator)
    weights = tuple(random_scale(generator) for _ in range(channels))
    spread = given * np.mean(weights) * 74 * 74 * np.sqrt(kernel.prod() * depth)
    output = float(np.float32(spread / (600 if saturating else 60)))
    weight = generator.integers(-127, 128, (channels, *kernel, depth)).astype(np.int8)
    bias = generator.integers(-20_000, 20_000, channels).astype(np.int32)
    options = {
        "padding": padding,
        "strideH": int(stride[0]),
        "strideW": int(stride[1]),
        "fusedActivationFunction": 0 if saturating else int(generator.integers(0, 4)),
        "dilationHFactor": dilation,
        "dilationWFactor": dilation,
    }
    return HandMade(
        [
            Value((1, height, width, depth), (given,), random_zero(generator)),
            Value(weight.shape, weights, 0, weight),
            Value(bias.shape, tuple(given * w for w in weights), 0, bias),
            Value((1, *sizes, channels), (output,), random_zero(generator)),
        ],
        [Step("CONV_2D", (0, 1, 2), 3, ("Conv2DOptions", options))],
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_layers(workbench: Workbench, seed: int) -> None:
    generator = np.random.default_rng(seed)
    check(workbench, convolution(generator), generator, in_place=bool(seed % 2))


@pytest.mark.parametrize("seed", range(4))
def test_layers_that_saturate(workbench: Workbench, seed: int) -> None:
    generator = np.random.default_rng(100 + seed)
    model = convolution(generator, saturating=True)
    answers = check(workbench, model, generator)
    assert np.mean(np.isin(answers, (-128, 127))) > 0.5


def test_a_dilated_window_is_refused(workbench: Workbench) -> None:
    with pytest.raises(BundleError, match=r"0, CONV_2D: the firmware does not have dilated windows"):
        workbench.answers(convolution(np.random.default_rng(0), dilation=2).pack(), [])


GROUPS = r"CONV_2D: the firmware does not have groups of channels, or weights that are computed"


def test_other_kinds_computed_weights_and_groups_are_refused() -> None:
    check_kinds_of("CONV_2D")
    with pytest.raises(BundleError, match=GROUPS):
        emitted(computed("CONV_2D", 1))
    with pytest.raises(BundleError, match=GROUPS):
        emitted(operator("CONV_2D", (tensor(0, (1, 4, 4, 4)), WEIGHT), tensor(2, (1, 3, 3, 3))))


def test_without_a_bias_it_is_zero() -> None:
    one = operator("CONV_2D", (PICTURE, WEIGHT), tensor(2, (1, 3, 3, 3)))
    source = Source(Plan(1024, {0: 16, 2: 64}), in_place=False)
    assert emit(one, source) == ["vskd_conv_2d(&window_5, &layer_5, weights + 0, arena + 16, arena + 64);"]
    assert any(text.startswith("static const int32_t bias_5[3] = {\n    0, 0, 0\n}") for text in source.declarations)
