"""Several sensors of one recording as one signal: put side by side by absolute time, at one rate."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, rounded
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.sensor.signals import Signal
from vskd.preprocessing.sensor.timed import Timed

LEAST_OVERLAP = 0.5
"""Of the longest stream's duration, in which all of them must be there."""
SAME_RATE = 0.02
"""Rates that differ by less are one rate by two clocks: interpolated, not filtered."""

Times = npt.NDArray[np.float64]


def joined(parts: Sequence[Timed], names: Sequence[str], source: Path | str, rate_hz: float) -> Timed:
    """Streams of one recording with their channels one below the other.

    Streams with time stamps that name a day are joined by them; streams without any begin together. Each is filtered
    against aliasing where its rate is higher than `rate_hz`, then read at common times within the span that all cover.
    Where one of them has a gap the result has one.

    Args:
        parts: at least one.
        names: of the streams, for messages.
        source: for messages.
        rate_hz: of the result.

    Returns:
        Signal (all channels, samples); that of streams with the same times at this rate is not resampled.

    Raises:
        DataError: some streams have absolute times and others not, or they overlap by less than half of the longest.
    """
    if len({part.absolute for part in parts}) > 1:
        bare = ", ".join(name for name, part in zip(names, parts, strict=True) if not part.absolute)
        raise DataError(
            f"{source}: {bare}: has no time stamps that name a day, and other streams of the recording have",
            "Give all streams a clock, or none",
        )
    if len({part.local for part in parts if part.absolute}) > 1:
        local = ", ".join(name for name, part in zip(names, parts, strict=True) if part.local)
        raise DataError(
            f"{source}: {local}: its time stamps are local times of a zone that nobody states, and those of other "
            "streams say when they were",
            "State the zone: `time: {zone: Europe/Berlin}` in dataset.yaml, --time-zone of `vskd datasets import`",
        )
    first = parts[0]
    if first.rate_hz == rate_hz and all(_same_times(first, part) for part in parts):
        return Timed(np.concatenate([p.signal for p in parts]), rate_hz, first.times, first.absolute, first.clock)
    start, stop = max(p.times[0] for p in parts), min(p.times[-1] for p in parts)
    longest = max(p.times[-1] - p.times[0] for p in parts)
    if stop - start < LEAST_OVERLAP * longest:
        raise DataError(f"{source}: {_overlap_text(parts, names, stop - start)}", "Leave out one of these streams")
    grid = start + np.arange(int((stop - start) * rate_hz + 1e-6) + 1) / rate_hz
    read = [_read_at(part, grid, rate_hz) for part in parts]
    there = np.logical_and.reduce([covered for _, covered in read])
    signal = np.concatenate([values for values, _ in read])[:, there]
    places = np.flatnonzero(there)
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    gaps = tuple(float(g) for g in np.diff(places)[breaks - 1] / rate_hz)
    clock = Clock(rate_hz, tuple(int(b) for b in breaks), gaps, (), 1 / rate_hz)
    return Timed(np.asarray(signal, dtype=np.float32), rate_hz, grid[there], first.absolute, clock)


def _same_times(one: Timed, other: Timed) -> bool:
    return one.clock.breaks == other.clock.breaks and np.array_equal(one.times, other.times)


def _overlap_text(parts: Sequence[Timed], names: Sequence[str], overlap: float) -> str:
    base = min(part.times[0] for part in parts)
    spans = ", ".join(
        f"{name} {p.times[0] - base:.2f} to {p.times[-1] - base:.2f} s" for name, p in zip(names, parts, strict=True)
    )
    return f"the streams overlap by {rounded(max(overlap, 0.0), 2)} s only ({spans})"


def _read_at(part: Timed, grid: Times, rate_hz: float) -> tuple[Signal, npt.NDArray[np.bool_]]:
    """Values of a stream at the times `grid`, (axes, times), and which of the times lie in no gap of it."""
    covered = np.zeros(len(grid), dtype=bool)
    values = np.zeros((len(part.signal), len(grid)), dtype=np.float32)
    starts = np.split(part.times, part.clock.breaks)
    for piece, times in zip(part.pieces(), starts, strict=True):
        here = (grid >= times[0] - 1e-9) & (grid <= times[-1] + 1e-9)
        if part.rate_hz > (1 + SAME_RATE) * rate_hz:
            piece = resampled(piece, part.rate_hz, rate_hz)
            times = times[0] + np.arange(piece.shape[1]) / rate_hz
        values[:, here] = [np.interp(grid[here], times, row) for row in piece]
        covered |= here
    return values, covered
