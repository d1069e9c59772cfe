"""FULLY_CONNECTED: TFLite Micro's integers, at most one step from LiteRT's, which scales in float64."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import (
    HandMade,
    Step,
    Value,
    Workbench,
    full_range,
    random_scale,
    random_zero,
    reference,
)
from tests.firmware_bridge.operators.each import EACH, check_kinds_of, emitted, operator, tensor
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source


def layer(generator: np.random.Generator, *, bias: bool) -> HandMade:
    depth, channels = (int(n) for n in generator.integers(1, 40, 2))
    given, weights = random_scale(generator), tuple(random_scale(generator) for _ in range(channels))
    weight = generator.integers(-127, 128, (channels, depth)).astype(np.int8)
    output = float(np.float32(given * np.mean(weights) * 74 * 74 * np.sqrt(depth) / 60))
    values = [
        Value((1, depth), (given,), random_zero(generator)),
        Value(weight.shape, weights, 0, weight),
        Value((1, channels), (output,), random_zero(generator)),
    ]
    if bias:
        content = generator.integers(-9_000, 9_000, channels).astype(np.int32)
        values.append(Value(content.shape, tuple(given * w for w in weights), 0, content))
    options = {"fusedActivationFunction": int(generator.integers(0, 4)), "weightsFormat": 0}
    inputs = (0, 1, 3) if bias else (0, 1, -1)
    return HandMade(values, [Step("FULLY_CONNECTED", inputs, 2, ("FullyConnectedOptions", options))])


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_at_most_one_step_from_litert(workbench: Workbench, bias: bool, seed: int) -> None:
    generator = np.random.default_rng(seed)
    content = layer(generator, bias=bias).pack()
    inputs = full_range((1, _depth(content)), generator, 40)
    found, expected = workbench.answers(content, inputs).astype(int), reference(content, inputs).astype(int)
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found != expected) < 0.01


@pytest.mark.parametrize("seed", range(4))
def test_exactly_what_tflite_micro_gives(workbench: Workbench, seed: int) -> None:
    micro = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the package 'tflite-micro'")
    generator = np.random.default_rng(seed)
    content = layer(generator, bias=True).pack()
    inputs = full_range((1, _depth(content)), generator, 40)
    interpreter, expected = micro.Interpreter.from_bytes(content), []
    for x in inputs:
        interpreter.set_input(x, 0)
        interpreter.invoke()
        expected.append(interpreter.get_output(0).reshape(-1).copy())
    np.testing.assert_array_equal(workbench.answers(content, inputs), np.stack(expected))


def _depth(content: bytes) -> int:
    return read_graph(content).input.shape[1]


@pytest.mark.parametrize("computed", [False, True])
def test_weights_that_are_shuffled_or_computed_are_refused(computed: bool) -> None:
    square = np.ones((6, 6), np.int8)
    weight = Value((6, 6)) if computed else Value((6, 6), data=square)
    layer = Step("FULLY_CONNECTED", (0, 2, -1), 3, ("FullyConnectedOptions", {"weightsFormat": 0 if computed else 1}))
    steps = [Step("MUL", (0, 1), 2, ("MulOptions", {})), layer] if computed else [layer]
    model = HandMade([Value((6, 6)), Value((6, 6), data=square), weight, Value((6, 6))], steps)
    with pytest.raises(BundleError, match="FULLY_CONNECTED: the firmware does not have shuffled or computed weights"):
        model_source(read_graph(model.pack()), in_place=False)


def test_other_kinds_and_inputs_that_are_no_rows_are_refused() -> None:
    check_kinds_of("FULLY_CONNECTED")
    nine = operator("FULLY_CONNECTED", (tensor(0, (1, 9)), EACH["FULLY_CONNECTED"].inputs[1]), tensor(2, (1, 3)))
    with pytest.raises(BundleError, match="shuffled or computed weights"):
        emitted(nine)


def test_several_rows_are_multiplied_one_by_one() -> None:
    """16 values are two rows of 8, for 3 outputs each."""
    one = operator("FULLY_CONNECTED", (tensor(0, (4, 4)), EACH["FULLY_CONNECTED"].inputs[1]), tensor(2, (2, 3)))
    (statement,) = emitted(one)
    assert statement == "vskd_fully_connected(&layer_5, 2, 8, 3, weights + 0, arena + 0, arena + 0);"
