"""A recording that fits a sensor contract, and several streams of one as the channels that a model takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import SensorContract

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recorded:
    """A recording that fits the contract.

    Attributes:
        signal: float32 (channels, samples), in the contract's unit.
        rate_hz: samples per second.
        notes: what was assumed, and what may surprise.
        understood: what the file was understood to be, as (what, how) pairs.
        breaks: samples before which there is a gap; windows do not reach across.
        times: float64 (samples,), seconds since the first by the file's clock; None where it has none.
    """

    signal: FloatArray
    rate_hz: float
    notes: tuple[str, ...]
    understood: tuple[tuple[str, str], ...] = ()
    breaks: tuple[int, ...] = ()
    times: npt.NDArray[np.float64] | None = field(default=None, compare=False)


def stacked(parts: Sequence[Recorded], contract: SensorContract) -> Recorded:
    """Streams of one file as the channels that the model takes: each divided by its limit."""
    scaled = [
        part.signal / np.float32(stream.limit) if stream.limit != 1 else part.signal
        for part, stream in zip(parts, contract.streams, strict=True)
    ]
    first, *_ = parts  # of one file, and so with one clock
    understood = first.understood[:1]
    for part, stream in zip(parts, contract.streams, strict=True):
        understood += tuple((f"{stream.stream} {what}", how) for what, how in part.understood[1:3])
    return Recorded(
        np.concatenate(scaled),
        first.rate_hz,
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        understood + first.understood[3:],
        first.breaks,
        first.times,
    )
