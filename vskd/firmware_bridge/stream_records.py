"""Calls of push and decisions, as the host tool `vskd_stream_run` and the wasm module take and give them."""

import struct
from collections.abc import Sequence

from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision
from vskd.bundle.stream.synthetic_stream import Call, Samples, Times


def pack_calls(calls: Sequence[Call]) -> bytes:
    """What vskd_stream_run reads."""
    return b"".join(_record(samples, times) for samples, times in calls)


def _record(samples: Samples, times: Times | None) -> bytes:
    head = struct.pack("<ii", len(samples), times is not None)
    return head + samples.astype("<f4").tobytes() + (b"" if times is None else times.astype("<u8").tobytes())


def read_decisions(output: bytes) -> list[Decision]:
    """What vskd_stream_run writes."""
    numbers = [[int(word) for word in line.split()] for line in output.decode("ascii").splitlines()]
    return [Decision(Condition(status), *rest) for status, *rest in numbers]
