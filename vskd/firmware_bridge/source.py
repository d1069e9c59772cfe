"""What an operator's generator writes into: constants with names, places in memory, and the weights."""

from collections.abc import Mapping, Sequence

import numpy as np

from vskd.firmware_bridge.graph import Tensor
from vskd.firmware_bridge.planner import ALIGNMENT, Plan

VALUES_PER_LINE = 20
WIDTHS = {"int8_t": 1, "int32_t": 4}
"""Bytes of the kinds of numbers that tables hold."""


class Source:
    """Collects the constants of one model.

    Args:
        plan: where activations lie.
        in_place: whether weights stay in the .tflite file; otherwise they are collected in `weights`.
    """

    def __init__(self, plan: Plan, *, in_place: bool) -> None:
        self.plan, self.in_place = plan, in_place
        self.weights = bytearray()
        self.declarations: list[str] = []
        self.table_bytes = 0
        self._weight_offsets: dict[int, int] = {}

    def read(self, tensor: Tensor) -> str:
        """A C expression of the place that is read: `arena + 16u` or `weights + 32u`."""
        if tensor.data is None:
            return f"arena + {self.plan.at(tensor)}"
        return f"weights + {self._weight_offset(tensor)}"

    def write(self, tensor: Tensor) -> str:
        """The place that is written."""
        return f"arena + {self.plan.at(tensor)}"

    def table(self, kind: str, name: str, values: Sequence[int]) -> str:
        """Declare a constant array and return its name."""
        rows = [values[i : i + VALUES_PER_LINE] for i in range(0, len(values), VALUES_PER_LINE)]
        body = ",\n    ".join(", ".join(c_integer(v) for v in row) for row in rows)
        self.table_bytes += WIDTHS[kind] * len(values)
        self.declarations.append(f"static const {kind} {name}[{len(values)}] = {{\n    {body}\n}};")
        return name

    def constants(self, kind: str, name: str, fields: Mapping[str, int | str | Sequence[int]]) -> str:
        """Declare a constant structure and return its address."""
        lines = ",\n    ".join(f".{field} = {_initializer(value)}" for field, value in fields.items())
        self.declarations.append(f"static const {kind} {name} = {{\n    {lines}\n}};")
        return f"&{name}"

    def _weight_offset(self, tensor: Tensor) -> int:
        if self.in_place:
            return tensor.file_offset
        if tensor.index not in self._weight_offsets:
            self.weights.extend(bytes(-len(self.weights) % ALIGNMENT))
            self._weight_offsets[tensor.index] = len(self.weights)
            self.weights.extend(np.ascontiguousarray(tensor.data).tobytes())
        return self._weight_offsets[tensor.index]


def c_integer(value: int) -> str:
    """A C99 constant of at most 32 bits; the most negative one has no literal of its own."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(int(value))


def _initializer(value: int | str | Sequence[int]) -> str:
    if isinstance(value, int):
        return c_integer(value)
    return value if isinstance(value, str) else "{" + ", ".join(c_integer(v) for v in value) + "}"
