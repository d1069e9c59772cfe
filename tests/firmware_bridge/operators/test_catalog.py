"""An operator that the firmware lacks is refused by name, before anything is written."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Operator, Tensor, read_graph
from vskd.firmware_bridge.model_source import model_source
from vskd.firmware_bridge.operators.catalog import OPERATORS
from vskd.firmware_bridge.planner import Plan
from vskd.firmware_bridge.source import Source


def test_a_missing_operator_is_named() -> None:
    steps = [Step("LOGISTIC", (0,), 1), Step("HARD_SWISH", (1,), 2)]
    content = HandMade([Value((1, 4)), Value((1, 4)), Value((1, 4))], steps).pack()
    with pytest.raises(BundleError, match="no operator HARD_SWISH, LOGISTIC") as caught:
        model_source(read_graph(content), in_place=False)
    assert all(name in caught.value.action for name in OPERATORS)


def tensor(number: int, shape: tuple[int, ...], data: object = None, kind: str = "INT8") -> Tensor:
    content = None if data is None else np.array(data, np.int8 if kind == "INT8" else np.int32)
    return Tensor(number, f"t{number}", shape, kind, (0.1,), 0, content, 0)


def operator(name: str, inputs: Sequence[Tensor], output: Tensor, **options: int) -> Operator:
    usual = {"fusedActivationFunction": 0, "padding": 1, "strideH": 1, "strideW": 1, "weightsFormat": 0, "axis": 1}
    return Operator(name, 5, tuple(inputs), output, SimpleNamespace(**(usual | options)))


def emitted(one: Operator) -> list[str]:
    everything = Plan(1024, {tensor.index: 0 for tensor in (*one.inputs, one.output)})
    return OPERATORS[one.name].emit(one, Source(everything, in_place=False))


PICTURE, FLAT = tensor(0, (1, 4, 4, 2)), tensor(0, (1, 8))
WEIGHT = tensor(1, (3, 2, 2, 2), np.ones((3, 2, 2, 2)))
EACH = {
    "ADD": operator("ADD", (FLAT, tensor(1, (1, 8))), tensor(2, (1, 8))),
    "CONCATENATION": operator("CONCATENATION", (FLAT, tensor(1, (1, 8))), tensor(2, (1, 16))),
    "CONV_2D": operator("CONV_2D", (PICTURE, WEIGHT), tensor(2, (1, 3, 3, 3))),
    "DEPTHWISE_CONV_2D": operator(
        "DEPTHWISE_CONV_2D", (PICTURE, tensor(1, (1, 2, 2, 4), np.ones((1, 2, 2, 4)))), tensor(2, (1, 3, 3, 4))
    ),
    "FULLY_CONNECTED": operator("FULLY_CONNECTED", (FLAT, tensor(1, (3, 8), np.ones((3, 8)))), tensor(2, (1, 3))),
    "MAX_POOL_2D": operator("MAX_POOL_2D", (PICTURE,), tensor(2, (1, 3, 3, 2)), filterHeight=2, filterWidth=2),
    "MEAN": operator("MEAN", (PICTURE, tensor(1, (2,), [1, 2], "INT32")), tensor(2, (1, 2))),
    "MUL": operator("MUL", (FLAT, tensor(1, (1, 8))), tensor(2, (1, 8))),
    "PAD": operator("PAD", (FLAT, tensor(1, (2, 2), [[0, 0], [1, 2]], "INT32")), tensor(2, (1, 11))),
    "PADV2": operator(
        "PADV2",
        (FLAT, tensor(1, (2, 2), [[0, 0], [1, 2]], "INT32"), tensor(3, (1,), [-9])),
        tensor(2, (1, 11)),
    ),
    "RESHAPE": operator("RESHAPE", (FLAT, tensor(1, (2,), [2, 4], "INT32")), tensor(2, (2, 4))),
    "SUB": operator("SUB", (FLAT, tensor(1, (1, 8))), tensor(2, (1, 8))),
    "TRANSPOSE": operator("TRANSPOSE", (tensor(0, (2, 4)), tensor(1, (2,), [1, 0], "INT32")), tensor(2, (4, 2))),
}
"""One operator of each kind; its int8 tensors are told by their kind."""


def test_each_kind_is_tried() -> None:
    assert set(EACH) == set(OPERATORS)


@pytest.mark.parametrize("name", EACH)
def test_every_int8_tensor_of_another_kind_is_refused(name: str) -> None:
    one = EACH[name]
    assert emitted(one) or name == "RESHAPE"  # whose bytes are in their place
    for place, given in enumerate((*one.inputs, one.output)):
        if given.kind != "INT8":
            continue
        tensors = [*one.inputs, one.output]
        tensors[place] = replace(given, kind="INT16", name="wide")
        changed = replace(one, inputs=tuple(tensors[:-1]), output=tensors[-1])
        with pytest.raises(BundleError, match=rf"Operator 5, {name}: .*INT16 tensors \('wide'\)"):
            emitted(changed)


@pytest.mark.parametrize(
    ("name", "place", "problem"),
    [
        ("CONV_2D", 1, "groups of channels, or weights that are computed"),
        ("DEPTHWISE_CONV_2D", 1, "weights that do not fit the channels, or are computed"),
        ("FULLY_CONNECTED", 1, "shuffled or computed weights"),
        ("MEAN", 1, "axes that are computed"),
        ("PAD", 1, "padding of 2 axes, or by sizes that are computed"),
        ("PADV2", 2, "a value of padding that is computed"),
        ("TRANSPOSE", 1, "a permutation that is computed"),
    ],
)
def test_what_must_be_a_constant_is_refused_where_it_is_computed(name: str, place: int, problem: str) -> None:
    inputs = list(EACH[name].inputs)
    inputs[place] = replace(inputs[place], data=None)
    with pytest.raises(BundleError, match=problem):
        emitted(replace(EACH[name], inputs=tuple(inputs)))


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        (operator("CONV_2D", (tensor(0, (1, 4, 4, 4)), WEIGHT), tensor(2, (1, 3, 3, 3))), "groups of channels"),
        (
            operator(
                "DEPTHWISE_CONV_2D", (PICTURE, tensor(1, (1, 2, 2, 3), np.ones((1, 2, 2, 3)))), tensor(2, (1, 3, 3, 3))
            ),
            "do not fit the channels",
        ),
        (
            operator("FULLY_CONNECTED", (tensor(0, (1, 9)), EACH["FULLY_CONNECTED"].inputs[1]), tensor(2, (1, 3))),
            "shuf",
        ),
        (
            replace(EACH["CONCATENATION"], options=SimpleNamespace(fusedActivationFunction=1, axis=1)),
            "fused activation",
        ),
        (
            operator("MEAN", (tensor(0, (2, 2, 2, 2, 2)), tensor(1, (0,), [], "INT32")), tensor(2, (2, 2, 2, 2, 2))),
            "a mean of 5 axes",
        ),
        (
            operator("MEAN", (tensor(0, (2, 2, 2, 2, 2)), tensor(1, (5,), [0, 1, 2, 3, 4], "INT32")), tensor(2, (1,))),
            "a mean of 5 axes",
        ),
        (
            operator("PAD", (tensor(0, (1,) * 5), tensor(1, (5, 2), [[0, 0]] * 5, "INT32")), tensor(2, (1,) * 5)),
            "padding of 5 axes",
        ),
        (
            operator(
                "TRANSPOSE", (tensor(0, (2,) * 7), tensor(1, (7,), [6, 5, 4, 3, 2, 1, 0], "INT32")), tensor(2, (2,) * 7)
            ),
            "a transposition of 7 axes",
        ),
    ],
)
def test_forms_that_the_kernels_do_not_have(one: Operator, problem: str) -> None:
    with pytest.raises(BundleError, match=problem):
        emitted(one)


def test_of_six_axes_that_move_nothing_a_transposition_is_a_copy() -> None:
    one = operator(
        "TRANSPOSE", (tensor(0, (1,) * 7), tensor(1, (7,), [6, 5, 4, 3, 2, 1, 0], "INT32")), tensor(2, (1,) * 7)
    )
    assert emitted(one) == []
    assert OPERATORS["TRANSPOSE"].shares(one) is one.inputs[0]
    assert OPERATORS["TRANSPOSE"].shares(EACH["TRANSPOSE"]) is None


CHECKED = (2, 3, 2, 3)
"""Against `HALF` no two neighbouring axes are one."""
HALF = (2, 1, 2, 1)


@pytest.mark.parametrize(
    "one",
    [
        operator("ADD", (tensor(0, CHECKED), tensor(1, HALF)), tensor(2, CHECKED)),
        operator("MUL", (tensor(0, HALF), tensor(1, CHECKED)), tensor(2, CHECKED)),
        operator("MEAN", (tensor(0, CHECKED), tensor(1, (0,), [], "INT32")), tensor(2, CHECKED)),
        operator("MEAN", (tensor(0, CHECKED), tensor(1, (4,), [0, 1, 2, 3], "INT32")), tensor(2, (1,))),
        operator("MEAN", (tensor(0, (1, *CHECKED)), tensor(1, (1,), [0], "INT32")), tensor(2, CHECKED)),
        operator("PAD", (tensor(0, CHECKED), tensor(1, (4, 2), [[0, 1]] * 4, "INT32")), tensor(2, (3, 4, 3, 4))),
        operator("TRANSPOSE", (tensor(0, (2,) * 6), tensor(1, (6,), [5, 4, 3, 2, 1, 0], "INT32")), tensor(2, (2,) * 6)),
    ],
)
def test_forms_of_as_many_axes_as_the_kernels_have(one: Operator) -> None:
    assert len(emitted(one)) == 1


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


def fields(one: Operator, kind: str) -> dict[str, str]:
    """The constants of that kind that an operator declares."""
    source = Source(Plan(1024, {tensor.index: 0 for tensor in (*one.inputs, one.output)}), in_place=False)
    OPERATORS[one.name].emit(one, source)
    (text,) = (text for text in source.declarations if text.startswith(f"static const {kind} "))
    lines = [line.strip().rstrip(",") for line in text.splitlines()[1:-1]]
    return dict(line.removeprefix(".").split(" = ") for line in lines)


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
    one = operator("ADD", (tensor(0, output), tensor(1, other)), tensor(2, output))
    found = fields(one, "vskd_broadcast")
    assert (found["size"], found["second"]) == (size, second)
