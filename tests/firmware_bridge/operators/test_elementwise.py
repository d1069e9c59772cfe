"""ADD, SUB and MUL against LiteRT's reference kernels: two tensors, constants on either side, broadcasts."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, random_scale, random_zero
from tests.firmware_bridge.operators.each import CHECKED, HALF, emitted, fields, operator, tensor
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.operators.elementwise import shares_input

OPTIONS = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}
SHAPE = (1, 4, 5, 6)
OTHERS = [SHAPE, (1, 1, 1, 6), (1, 4, 1, 1), (1, 1, 5, 1), (), (6,), (1, 4, 1, 6), (1,)]


def activation(generator: np.random.Generator) -> dict[str, int]:
    return {"fusedActivationFunction": int(generator.integers(0, 4))}


@pytest.mark.parametrize("constant_first", [False, True])
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", list(OPTIONS))
def test_with_a_constant(workbench: Workbench, name: str, other: tuple[int, ...], constant_first: bool) -> None:
    generator = np.random.default_rng(len(OTHERS) * len(other) + constant_first)
    scales = [random_scale(generator) for _ in range(2)]
    output = float(np.float32(scales[0] * scales[1] * 100 if name == "MUL" else 1.3 * max(scales)))
    data = generator.integers(-128, 128, other).astype(np.int8)
    model = HandMade(
        [
            Value(SHAPE, (scales[0],), random_zero(generator)),
            Value(other, (scales[1],), random_zero(generator), np.asarray(data, np.int8)),
            Value(SHAPE, (output,), random_zero(generator)),
        ],
        [Step(name, (1, 0) if constant_first else (0, 1), 2, (OPTIONS[name], activation(generator)))],
    )
    check(workbench, model, generator)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", list(OPTIONS))
def test_of_two_computed_tensors_of_other_scales(workbench: Workbench, name: str, seed: int) -> None:
    """y = x * c, then x (+, -, *) y: the last one writes over x or y, and saturates with seed 2."""
    generator = np.random.default_rng(seed)
    scales = [random_scale(generator) for _ in range(2)]
    output = scales[0] * scales[1] * 100 if name == "MUL" else 1.3 * max(scales)
    output = float(np.float32(output / (8 if seed == 2 else 1)))
    model = HandMade(
        [
            Value(SHAPE, (scales[0],), random_zero(generator)),
            Value((1,), (0.01,), 3, np.array([77], np.int8)),
            Value(SHAPE, (scales[1],), random_zero(generator)),
            Value(SHAPE, (output,), random_zero(generator)),
        ],
        [
            Step("MUL", (0, 1), 2, ("MulOptions", {})),
            Step(name, (0, 2), 3, (OPTIONS[name], activation(generator))),
        ],
    )
    check(workbench, model, generator)


def test_a_tensor_with_itself(workbench: Workbench) -> None:
    generator = np.random.default_rng(0)
    model = HandMade([Value(SHAPE), Value(SHAPE, (0.9,), -5)], [Step("MUL", (0, 0), 1, ("MulOptions", {}))])
    check(workbench, model, generator)


def test_a_broadcast_in_which_the_smaller_tensor_is_computed(workbench: Workbench) -> None:
    """mean(x) * x, as squeeze-and-excite does."""
    generator = np.random.default_rng(0)
    model = HandMade(
        [
            Value(SHAPE, (0.05,), 7),
            Value((2,), (), 0, np.array([1, 2], np.int32)),
            Value((1, 1, 1, 6), (0.02,), -3),
            Value(SHAPE, (0.04,), 1),
        ],
        [
            Step("MEAN", (0, 1), 2, ("ReducerOptions", {"keepDims": True})),
            Step("MUL", (2, 0), 3, ("MulOptions", {})),
        ],
    )
    check(workbench, model, generator)


def test_six_axes_that_do_not_merge_are_refused(workbench: Workbench) -> None:
    shape, other = (2, 2, 2, 2, 2, 2), (2, 1, 2, 1, 2, 1)
    model = HandMade(
        [Value(shape), Value(other, (0.1,), 0, np.ones(other, np.int8)), Value(shape)],
        [Step("ADD", (0, 1), 2, ("AddOptions", {}))],
    )
    with pytest.raises(BundleError, match=r"0, ADD: the firmware does not have broadcasting over 6 axes"):
        workbench.answers(model.pack(), [])


@pytest.mark.parametrize(
    ("first", "second", "shared"), [(SHAPE, SHAPE, "t0"), ((1, 1, 1, 6), SHAPE, "t1"), (SHAPE, (6,), "t0")]
)
def test_the_output_takes_the_place_of_the_first_input_of_its_shape(
    first: tuple[int, ...], second: tuple[int, ...], shared: str
) -> None:
    model = HandMade([Value(first), Value(second), Value(SHAPE)], [Step("ADD", (0, 1), 2, ("AddOptions", {}))])
    (operator,) = read_graph(model.pack()).operators
    taken = shares_input(operator)
    assert taken is not None
    assert taken.name == shared


def test_of_another_shape_or_a_constant_no_input_is_overwritten() -> None:
    values = [Value((1, 1, 1, 6)), Value(SHAPE, data=np.ones(SHAPE, np.int8)), Value(SHAPE)]
    (operator,) = read_graph(HandMade(values, [Step("ADD", (0, 1), 2, ("AddOptions", {}))]).pack()).operators
    assert shares_input(operator) is None


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ((*CHECKED, 2), (*HALF, 2), "broadcasting over 5 axes"),
        ((1, 8), (1, 4), r"shapes \(1, 4\) and \(1, 8\)"),
        ((4, 2), (2, 2), r"shapes \(2, 2\) and \(4, 2\)"),
        ((4, 2), (3,), r"shapes \(3,\) and \(4, 2\)"),
    ],
)
def test_what_cannot_be_broadcast_is_refused(
    name: str, first: tuple[int, ...], second: tuple[int, ...], problem: str
) -> None:
    for inputs in ((tensor(0, first), tensor(1, second)), (tensor(0, second), tensor(1, first))):
        with pytest.raises(BundleError, match=problem):
            emitted(operator(name, inputs, tensor(2, first)))


@pytest.mark.parametrize("name", ["ADD", "MUL"])
def test_four_axes_that_do_not_merge_are_not_too_many(name: str) -> None:
    for inputs in ((tensor(0, CHECKED), tensor(1, HALF)), (tensor(0, HALF), tensor(1, CHECKED))):
        assert len(emitted(operator(name, inputs, tensor(2, CHECKED)))) == 1


@pytest.mark.parametrize(
    ("output", "other", "size", "second"),
    [
        ((4, 5, 6), (4, 5, 6), "{1, 1, 1, 120}", "{0, 0, 0, 1}"),
        ((4, 5, 6), (6,), "{1, 1, 20, 6}", "{0, 0, 0, 1}"),
        ((4, 5, 6), (4, 1, 1), "{1, 1, 4, 30}", "{0, 0, 1, 0}"),
        ((4, 5, 6), (5, 1), "{1, 4, 5, 6}", "{0, 0, 1, 0}"),
        ((4, 5, 6), (4, 1, 6), "{1, 4, 5, 6}", "{0, 6, 0, 1}"),
        ((4, 1, 6), (4, 1, 6), "{1, 1, 1, 24}", "{0, 0, 0, 1}"),
        ((4, 5, 6), (), "{1, 1, 1, 120}", "{0, 0, 0, 0}"),
        ((1, 1), (1, 1), "{1, 1, 1, 1}", "{0, 0, 0, 0}"),
    ],
)
def test_neighbouring_axes_that_lie_in_one_piece_are_one(
    output: tuple[int, ...], other: tuple[int, ...], size: str, second: str
) -> None:
    full, part = tensor(0, output), tensor(1, other)
    found = fields(operator("ADD", (full, part), tensor(2, output)), "vskd_broadcast")
    assert (found["size"], found["second"]) == (size, second)
    turned = fields(operator("ADD", (part, full), tensor(2, output)), "vskd_broadcast")
    assert (turned["size"], turned["first"]) == (size, second)
    assert turned["second"] == found["first"]
