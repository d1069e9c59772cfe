"""A sensor's samples with their clock: rows kept in the order of the file, an even clock through their stamps."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, rounded
from vskd.preprocessing.sensor.clock import Clock, fit_clock
from vskd.preprocessing.sensor.delimited import read_delimited
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.signals import Signal, read_sensor, table_signal
from vskd.preprocessing.sensor.stamps import is_local, parse_stamps, start_of
from vskd.preprocessing.sensor.stated import read_part

LONGEST_BRIDGE_S = 1.0
MOST_BRIDGED = 0.25
"""Of a recording's duration."""


def bridgeable(gaps: Sequence[float], seconds: float) -> bool:
    """Whether a recording with gaps can be seen as a whole: none is longer than 1 s, all together than a quarter.

    Args:
        gaps: in seconds.
        seconds: the recording's length, gaps included.
    """
    return max(gaps) <= LONGEST_BRIDGE_S and sum(gaps) <= MOST_BRIDGED * seconds


@dataclass(frozen=True)
class Timed:
    """Samples and when they were taken.

    Attributes:
        signal: float32 (axes, samples), in the order of the file.
        rate_hz: samples per second of the even clock.
        times: (samples,) seconds; even, but at the breaks.
        absolute: whether `times` are comparable with those of other files; else they begin at 0.
        clock: what the stamps say; one without breaks where there are none.
        local: whether `times` are local times of a zone that nobody states, comparable only with others of it.
        first_row_s: when the recording's first row was taken, by `times`; before `times` begins where its cells are
            empty.
    """

    signal: Signal
    rate_hz: float
    times: npt.NDArray[np.float64]
    absolute: bool = False
    clock: Clock = field(default_factory=lambda: Clock(None))
    local: bool = False
    first_row_s: float = 0.0

    def pieces(self) -> list[Signal]:
        """The signal cut at its gaps."""
        return np.split(self.signal, self.clock.breaks, axis=1)

    def bridged(self, source: Path | str) -> Signal:
        """The signal as one, evenly spaced; gaps are bridged by straight lines.

        Args:
            source: for messages.

        Raises:
            DataError: a gap is longer than 1 s, or all gaps together than a quarter of the recording.
        """
        if not self.clock.breaks:
            return self.signal
        spans = np.diff(self.times)[np.array(self.clock.breaks) - 1]
        seconds = float(self.times[-1] - self.times[0])
        if not bridgeable(spans.tolist(), seconds):
            raise DataError(
                f"{source}: {len(spans)} gaps in time, the longest {rounded(spans.max(), 2)} s, together "
                f"{spans.sum() / seconds:.0%} of the recording: too much is missing to see it as a whole",
                "Remove this recording, or use sliding windows, which do not reach across a gap",
            )
        times = np.arange(self.times[0], self.times[-1] + 0.5 / self.rate_hz, 1 / self.rate_hz)
        return np.stack([np.interp(times, self.times, row) for row in self.signal]).astype(np.float32)


def read_timed(
    path: Path,
    *,
    axes: Sequence[str],
    rate_hz: float,
    variable: str = "",
    columns: Sequence[int] = (),
    stream: str = "accelerometer",
    time_column: int | None = None,
    reading: Reading | None = None,
) -> Timed:
    """Read one sensor stream of a recording, and fit an even clock to its time stamps where it has some.

    Args:
        path, axes, variable, columns, stream: see `read_sensor`.
        rate_hz: nominal rate of the device.
        time_column: of the time stamps; None: the nominal rate counts.
        reading: what somebody stated of the file; None: nothing, and the recording is all of it.

    Raises:
        DataError: as `read_sensor`; or the stamps cannot be read, or the clock is broken (see `fit_clock`).
    """
    if reading is not None:
        part = read_part(
            path,
            axes=axes,
            rate_hz=rate_hz,
            columns=columns,
            reading=reading,
            variable=variable,
            time_column=time_column,
        )
        timed = _clocked(part.signal, part.stamps, part.start, rate_hz, path, part.first)
        return replace(timed, local=part.local)
    if time_column is None:
        signal = read_sensor(path, axes=axes, variable=variable, columns=columns, stream=stream)
        return Timed(signal, rate_hz, np.arange(signal.shape[1]) / rate_hz)
    table = read_delimited(path)
    if time_column >= table.width:
        raise DataError(f"{path}: has {table.width} columns and no column {time_column} of times", "Check the file")
    signal = table_signal(table, axes, columns, stream)
    cells = table.cells(time_column)
    read = parse_stamps(cells)
    if read is None:
        raise DataError(f"{path}: column {time_column} cannot be read as times, e.g. '{cells[0]}'", "Check the file")
    return replace(_clocked(signal, read[0], start_of(cells[0]), rate_hz, path), local=is_local(cells[0]))


def _clocked(
    signal: Signal,
    stamps: npt.NDArray[np.float64] | None,
    start: float | None,
    rate_hz: float,
    path: Path,
    first: float = 0.0,
) -> Timed:
    """A signal with an even clock through its stamps; `start` is when the file began, in seconds since 1970."""
    clock = Clock(None) if stamps is None else fit_clock(stamps, path, rate_hz)
    if stamps is None or not clock.period_s:
        return Timed(signal, rate_hz, np.arange(signal.shape[1]) / rate_hz)
    times, day = clock.sample_times(stamps), start or 0.0
    return Timed(
        signal, 1 / clock.period_s, times + day, start is not None, clock, first_row_s=day + min(first, float(times[0]))
    )
