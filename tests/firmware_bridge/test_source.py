"""What the generators write into: places in memory, constants with names, and the array of weights."""

import numpy as np
import pytest

from vskd.firmware_bridge.graph import Tensor
from vskd.firmware_bridge.planner import Plan
from vskd.firmware_bridge.source import Source, c_integer

PLAN = Plan(64, {0: 0, 3: 48})


def tensor(index: int, data: list[int] | None = None, kind: str = "INT8", file_offset: int = 0) -> Tensor:
    content = None if data is None else np.array(data, {"INT8": np.int8, "INT32": np.int32}[kind])
    shape = (4,) if content is None else content.shape
    return Tensor(index, f"t{index}", shape, kind, (0.1,), 0, content, file_offset)


def test_what_is_computed_lies_in_the_arena() -> None:
    source = Source(PLAN, in_place=False)
    assert (source.read(tensor(0)), source.write(tensor(3))) == ("arena + 0", "arena + 48")
    assert source.read(tensor(3)) == source.write(tensor(3))
    assert (bytes(source.weights), source.declarations) == (b"", [])


def test_weights_are_collected_once_each_at_multiples_of_sixteen() -> None:
    source = Source(PLAN, in_place=False)
    first, second = tensor(5, [1, -1, 2]), tensor(6, [-2, 258], "INT32")
    assert [source.read(t) for t in (first, second, first, second)] == [
        "weights + 0",
        "weights + 16",
        "weights + 0",
        "weights + 16",
    ]
    assert bytes(source.weights) == b"\x01\xff\x02" + bytes(13) + b"\xfe\xff\xff\xff\x02\x01\x00\x00"


def test_in_place_they_stay_in_the_file() -> None:
    source = Source(PLAN, in_place=True)
    assert source.read(tensor(5, [1, 2], file_offset=1234)) == "weights + 1234"
    assert bytes(source.weights) == b""


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (20, 1), (21, 2), (45, 3)])
def test_a_table_has_twenty_values_a_line(count: int, lines: int) -> None:
    source = Source(PLAN, in_place=False)
    assert source.table("int32_t", "bias_2", list(range(count))) == "bias_2"
    (declared,) = source.declarations
    head, *rows, tail = declared.split("\n")
    assert (head, tail) == (f"static const int32_t bias_2[{count}] = {{", "};")
    assert len(rows) == lines
    assert [int(value) for row in rows for value in row.strip().rstrip(",").split(", ")] == list(range(count))
    assert all(row.endswith(",") for row in rows[:-1])


def test_a_structure_of_numbers_lists_and_names() -> None:
    source = Source(PLAN, in_place=False)
    fields = {"low": -128, "size": [1, -(2**31)], "table": "shift_1"}
    assert source.constants("vskd_layer", "layer_1", fields) == "&layer_1"
    assert source.declarations == [
        "static const vskd_layer layer_1 = {\n    .low = -128,\n    .size = {1, (-2147483647 - 1)},\n"
        "    .table = shift_1\n};"
    ]


def test_the_most_negative_number_has_no_literal() -> None:
    assert [c_integer(v) for v in (-(2**31), -(2**31) + 1, 0, 2**31 - 1)] == [
        "(-2147483647 - 1)",
        "-2147483647",
        "0",
        "2147483647",
    ]


def test_bytes_of_tables_are_counted_by_kind() -> None:
    source = Source(PLAN, in_place=False)
    assert source.table_bytes == 0
    source.table("int32_t", "a", [1, 2, 3])
    source.table("int8_t", "b", [1] * 7)
    assert source.table_bytes == 3 * 4 + 7


def test_a_structure_is_no_table_and_weights_keep_their_order_in_memory() -> None:
    source = Source(PLAN, in_place=False)
    source.constants("vskd_layer", "layer", {"low": 1, "sizes": [1, 2]})
    assert source.table_bytes == 0
    turned = np.array([[1, 2, 3], [4, 5, 6]], np.int8).T
    source.read(Tensor(9, "t9", (3, 2), "INT8", (0.1,), 0, turned, 0))
    assert bytes(source.weights) == bytes([1, 4, 2, 5, 3, 6])
