"""CONV_2D against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, random_scale, random_zero
from vskd.errors import BundleError

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
