"""Records survive the way to C and back."""

import struct

import numpy as np

from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision
from vskd.firmware_bridge.stream_records import pack_calls, read_decisions


def test_the_records_that_c_reads() -> None:
    samples, times = np.array([[1.5, -2.0]], np.float32), np.array([2**40 + 1], np.uint64)
    packed = pack_calls([(samples, times), (samples[:0], None), (samples, None)])
    assert packed == (
        struct.pack("<iiffQ", 1, 1, 1.5, -2.0, 2**40 + 1)
        + struct.pack("<ii", 0, 0)
        + struct.pack("<iiff", 1, 0, 1.5, -2.0)
    )


def test_the_lines_that_c_writes() -> None:
    gap = Condition.GAP
    assert read_decisions(f"0 3 -1 12 345 6789012345678\n{int(gap)} -1 -1 0 2 0\n".encode()) == [
        Decision(Condition.OK, 3, -1, 12, 345, 6789012345678),
        Decision(gap, -1, -1, 0, 2, 0),
    ]
    assert read_decisions(b"") == []
