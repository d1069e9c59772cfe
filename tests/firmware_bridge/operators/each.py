"""One operator of each kind of the catalog, made by hand, and what its generator says of it."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.operators.catalog import OPERATORS
from vskd.firmware_bridge.planner import Plan
from vskd.firmware_bridge.source import Source


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
CHECKED = (2, 3, 2, 3)
"""Against `HALF` no two neighbouring axes are one."""
HALF = (2, 1, 2, 1)


def fields(one: Operator, kind: str) -> dict[str, str]:
    """The constants of that kind that an operator declares."""
    source = Source(Plan(1024, {tensor.index: 0 for tensor in (*one.inputs, one.output)}), in_place=False)
    OPERATORS[one.name].emit(one, source)
    (text,) = (text for text in source.declarations if text.startswith(f"static const {kind} "))
    lines = [line.strip().rstrip(",") for line in text.splitlines()[1:-1]]
    return dict(line.removeprefix(".").split(" = ") for line in lines)


def check_kinds_of(name: str) -> None:
    """Each of its int8 tensors is refused where it is of another kind."""
    one = EACH[name]
    assert emitted(one) or name == "RESHAPE"  # whose bytes are in their place
    tensors = [*one.inputs, one.output]
    for place, given in enumerate(tensors):
        if given.kind != "INT8":
            continue
        changed = [*tensors[:place], replace(given, kind="INT16", name="wide"), *tensors[place + 1 :]]
        with pytest.raises(BundleError, match=rf"Operator 5, {name}: .*INT16 tensors \('wide'\)"):
            emitted(replace(one, inputs=tuple(changed[:-1]), output=changed[-1]))


def computed(name: str, place: int) -> Operator:
    """The operator with an input that is a constant otherwise."""
    inputs = list(EACH[name].inputs)
    inputs[place] = replace(inputs[place], data=None)
    return replace(EACH[name], inputs=tuple(inputs))
