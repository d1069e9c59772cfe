"""PAD, PADV2, RESHAPE, TRANSPOSE and CONCATENATION against LiteRT's reference kernels: values move, none changes."""

import itertools

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check
from vskd.errors import BundleError

SCALE, ZERO = (0.07,), 11


def value(*shape: int) -> Value:
    return Value(shape, SCALE, ZERO)


def constant(content: object) -> Value:
    data = np.array(content, np.int32)
    return Value(data.shape, (), 0, data)


@pytest.mark.parametrize("paddings", [((0, 0), (1, 2), (3, 0), (0, 0)), ((0, 0), (0, 1), (0, 0), (2, 1))])
@pytest.mark.parametrize("fill", [None, -100])
def test_padding(workbench: Workbench, paddings: tuple[tuple[int, int], ...], fill: int | None) -> None:
    shape = (1, 3, 4, 2)
    padded = tuple(n + before + after for n, (before, after) in zip(shape, paddings, strict=True))
    values = [value(*shape), constant(paddings), value(*padded)]
    step = Step("PAD", (0, 1), 2, ("PadOptions", {}))
    if fill is not None:
        values.append(Value((1,), SCALE, ZERO, np.array([fill], np.int8)))
        step = Step("PADV2", (0, 1, 3), 2, ("PadV2Options", {}))
    check(workbench, HandMade(values, [step]), np.random.default_rng(0))


def test_padding_of_three_axes(workbench: Workbench) -> None:
    values = [value(1, 3, 4), constant(((0, 0), (2, 1), (1, 0))), value(1, 6, 5)]
    check(workbench, HandMade(values, [Step("PAD", (0, 1), 2, ("PadOptions", {}))]), np.random.default_rng(0))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_transposition(workbench: Workbench, order: tuple[int, ...]) -> None:
    shape = (1, 3, 4, 5)
    values = [value(*shape), constant(order), value(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))


def test_transposition_of_six_axes(workbench: Workbench) -> None:
    shape, order = (1, 2, 3, 2, 3, 2), (0, 4, 2, 5, 1, 3)
    values = [value(*shape), constant(order), value(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_concatenation_with_a_constant_and_itself(workbench: Workbench, axis: int) -> None:
    other, shape = [1, 3, 4, 5], [1, 3, 4, 5]
    other[axis] = 2
    shape[axis] = 2 * shape[axis] + 2
    data = np.random.default_rng(0).integers(-128, 128, other).astype(np.int8)
    values = [value(1, 3, 4, 5), Value(tuple(other), SCALE, ZERO, data), value(*shape)]
    step = Step("CONCATENATION", (0, 1, 0), 2, ("ConcatenationOptions", {"axis": axis}))
    check(workbench, HandMade(values, [step]), np.random.default_rng(0))


def test_a_reshape_whose_input_is_needed_later_is_a_copy(workbench: Workbench) -> None:
    """reshape(x) doubled, concatenated with reshape(x) of x as it was."""
    values = [value(1, 12), constant((1, 3, 4)), value(1, 3, 4), value(1, 3, 4), value(1, 3, 4), value(1, 6, 4)]
    steps = [
        Step("RESHAPE", (0, 1), 2, ("ReshapeOptions", {"newShape": [1, 3, 4]})),
        Step("ADD", (2, 2), 3, ("AddOptions", {})),
        Step("RESHAPE", (0, 1), 4, ("ReshapeOptions", {"newShape": [1, 3, 4]})),
        Step("CONCATENATION", (3, 4), 5, ("ConcatenationOptions", {"axis": 1})),
    ]
    check(workbench, HandMade(values, steps), np.random.default_rng(0))


def test_rescaling_in_a_concatenation_is_refused(workbench: Workbench) -> None:
    values = [value(1, 4), Value((1, 8), (0.1,), ZERO)]
    model = HandMade(values, [Step("CONCATENATION", (0, 0), 1, ("ConcatenationOptions", {"axis": 1}))])
    with pytest.raises(BundleError, match="CONCATENATION: the firmware does not have inputs and output of different"):
        workbench.answers(model.pack(), [])
