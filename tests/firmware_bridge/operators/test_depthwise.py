"""DEPTHWISE_CONV_2D against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, random_scale, random_zero
from tests.firmware_bridge.operators.each import PICTURE, check_kinds_of, computed, emitted, operator, tensor
from vskd.errors import BundleError


@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_random_layers(workbench: Workbench, multiple: int, padding: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    height, width, depth = (int(n) for n in generator.integers([3, 3, 1], [9, 9, 7]))
    kernel, stride = generator.integers(1, 4, 2), int(generator.integers(1, 3))
    sizes = [
        -(-n // stride) if padding == 0 else (n - k) // stride + 1 for n, k in zip((height, width), kernel, strict=True)
    ]
    channels, given = depth * multiple, random_scale(generator)
    weights = tuple(random_scale(generator) for _ in range(channels))
    weight = generator.integers(-127, 128, (1, *kernel, channels)).astype(np.int8)
    bias = generator.integers(-9_000, 9_000, channels).astype(np.int32)
    output = float(np.float32(given * np.mean(weights) * 74 * 74 * np.sqrt(kernel.prod()) / (600 if seed == 2 else 60)))
    options = {
        "padding": padding,
        "strideH": stride,
        "strideW": stride,
        "depthMultiplier": multiple,
        "fusedActivationFunction": int(generator.integers(0, 4)),
    }
    model = HandMade(
        [
            Value((1, height, width, depth), (given,), random_zero(generator)),
            Value(weight.shape, weights, 0, weight, axis=3),
            Value(bias.shape, tuple(given * w for w in weights), 0, bias),
            Value((1, *sizes, channels), (output,), random_zero(generator)),
        ],
        [Step("DEPTHWISE_CONV_2D", (0, 1, 2), 3, ("DepthwiseConv2DOptions", options))],
    )
    check(workbench, model, generator)


FIT = r"DEPTHWISE_CONV_2D: the firmware does not have weights that do not fit the channels, or are computed"


def test_other_kinds_computed_weights_and_other_channels_are_refused() -> None:
    check_kinds_of("DEPTHWISE_CONV_2D")
    with pytest.raises(BundleError, match=FIT):
        emitted(computed("DEPTHWISE_CONV_2D", 1))
    weight = tensor(1, (1, 2, 2, 3), np.ones((1, 2, 2, 3)))
    with pytest.raises(BundleError, match=FIT):
        emitted(operator("DEPTHWISE_CONV_2D", (PICTURE, weight), tensor(2, (1, 3, 3, 3))))
