"""Read a file as somebody stated that it is to be read: columns, unit, clock, and the part that is the recording."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.sensor.clock import fit_clock
from vskd.preprocessing.sensor.delimited import read_delimited
from vskd.preprocessing.sensor.device_file import DEVICES, read_device
from vskd.preprocessing.sensor.open_samples import open_samples
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.samples import Samples, TextSamples
from vskd.preprocessing.sensor.signals import Signal, check_columns, to_signal
from vskd.preprocessing.sensor.stamps import Seconds, is_local, start_of
from vskd.preprocessing.sensor.time_zone import utc_offsets
from vskd.preprocessing.text_file import TEXT

EDGE = 1e-2
"""Of a sample's time: so much earlier it belongs to a part, so that rounding of times decides nothing."""
FILES_KEPT = 4
"""Files whose numbers are remembered, since many recordings may be parts of one."""


@dataclass(frozen=True)
class Part:
    """The part of a file that is a recording.

    Attributes:
        signal: float32 (axes, samples), in the stream's unit, in the order of the file.
        stamps: (samples,) seconds since the file's first sample; None where the file has no clock.
        start: seconds since 1970 of the file's first sample; None where the stamps do not say a day.
        local: whether that is a local time of a zone that nobody states, taken for UTC.
        first: stamp of the part's first row, whether or not its cells are empty; 0 where the file has no clock.
    """

    signal: Signal
    stamps: Seconds | None
    start: float | None
    local: bool = False
    first: float = 0.0


@dataclass(frozen=True)
class _Numbers:
    """Columns of a whole file as they are written, (axes, rows), and its clock.

    `evened` are times of its rows by nominal rate: many recordings may be parts of one long file, and a clock is fitted
    to all of it.
    """

    values: npt.NDArray[np.float64]
    stamps: Seconds | None
    start: float | None
    local: bool = False
    evened: dict[float, Seconds] = field(default_factory=dict, repr=False, compare=False)

    def times(self, rate_hz: float, path: Path) -> Seconds:
        """When the rows were taken, by an even clock, so that single late stamps move no border."""
        if rate_hz not in self.evened:
            count = self.values.shape[1]
            self.evened[rate_hz] = (
                np.arange(count) / rate_hz if self.stamps is None else _even(self.stamps, rate_hz, path)
            )
        return self.evened[rate_hz]


def open_stated(path: Path, separator: str = "", variable: str = "") -> Samples:
    """Open a file of samples; `separator` is the name of a text file's, empty where it is to be found.

    Raises:
        DataError: as `open_samples`.
    """
    if path.suffix.lower() in TEXT:
        return TextSamples(read_delimited(path, separator))
    return read_device(path) if path.suffix.lower() in DEVICES else open_samples(path, variable)


def read_part(
    path: Path,
    *,
    axes: Sequence[str],
    rate_hz: float,
    columns: Sequence[int],
    reading: Reading,
    variable: str = "",
    time_column: int | None = None,
) -> Part:
    """Read the part of a file that is a recording.

    A row with an empty cell is a row that was lost: where the file has a clock it is left out, so that a gap in time
    remains; without a clock it is refused, because nobody could see that something is missing.

    Args:
        path: text, .npy or .mat.
        axes, rate_hz, columns, variable, time_column: see `read_timed`.
        reading: what is stated.

    Raises:
        DataError: the file is unreadable, lacks a column, its times cannot be read, or the part is not in it.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path}: no such file", "Check the path") from error
    state = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    stated = (reading.separator, reading.time_unit_s, reading.time_zone, variable)
    numbers = _numbers(path, state, tuple(axes), tuple(columns), time_column, *stated)
    part = _rows(numbers, reading, rate_hz, path)
    values = (numbers.values[:, part] - reading.offset) * np.array(reading.factors or (1.0,) * len(axes))[:, None]
    stamps = None if numbers.stamps is None else numbers.stamps[part]
    first = 0.0
    if stamps is not None:
        whole = ~np.isnan(values).any(axis=0)
        first = float(stamps[0])
        values, stamps = values[:, whole], stamps[whole]
    if reading.limit:
        values = np.clip(values, -reading.limit, reading.limit)
    return Part(to_signal(list(values), axes, path), stamps, numbers.start, numbers.local, first)


@lru_cache(maxsize=FILES_KEPT)
def _numbers(
    path: Path,
    state: tuple[int, ...],
    axes: tuple[str, ...],
    columns: tuple[int, ...],
    time_column: int | None,
    separator: str,
    time_unit_s: float | None,
    time_zone: str,
    variable: str,
) -> _Numbers:
    """The columns of a file; `state` is that of the file, by which the memory knows that it did not change."""
    samples = open_stated(path, separator, variable)
    wanted = check_columns(samples.width, axes, columns, path)
    values = np.stack([_column(samples, c) for c in wanted])
    if time_column is None:
        return _Numbers(values, *_declared_clock(samples))
    if time_column >= samples.width:
        raise DataError(f"{path}: has {samples.width} columns and no column {time_column} of times", "Check the file")
    read = samples.stamps(time_column, time_unit_s)
    if read is None:
        raise DataError(
            f"{path}: column {time_column} cannot be read as times",
            "Check the file, or state the unit of its times in dataset.yaml",
        )
    stamps, start, local = read[0], start_of(samples.first(time_column)), is_local(samples.first(time_column))
    if not time_zone:
        return _Numbers(values, stamps, start, local)
    if start is None or not local:
        raise DataError(
            f"{path}: its times ('{samples.first(time_column)}') are no local times of {time_zone}: they "
            f"{'say no day' if start is None else 'say themselves when it was'}",
            "Leave the time zone out",
        )
    offsets = utc_offsets(start + stamps, time_zone, path)
    return _Numbers(values, stamps - (offsets - offsets[0]), start - float(offsets[0]))


def _declared_clock(samples: Samples) -> tuple[Seconds | None, float | None]:
    """Stamps and start where the first rows say when the file began and at which rate."""
    if "start" not in samples.declared or not isinstance(samples, TextSamples):
        return None, None
    rate_hz = float(samples.declared["rate_hz"])
    return np.arange(len(samples.table.rows)) / rate_hz, start_of(samples.declared["start"])


def _column(samples: Samples, column: int) -> npt.NDArray[np.float64]:
    """A column as numbers; an empty cell of text is NaN."""
    if isinstance(samples, TextSamples):
        return samples.table.numbers(column, empty=True)
    return np.asarray(samples.numbers(column), dtype=np.float64)


def _rows(numbers: _Numbers, reading: Reading, rate_hz: float, path: Path) -> slice:
    """The rows of the part.

    Raises:
        DataError: the file ends before the part does, or has no sample in it.
    """
    count = numbers.values.shape[1]
    if reading.rows is None and reading.seconds is None:
        return slice(0, count)
    if reading.rows is not None:
        first, behind = reading.rows
        if behind > count:
            raise DataError(f"{path}: has {count} data rows, and {first} to {behind} are asked for", "Correct them")
        return slice(first, behind)
    start, end = reading.seconds or (0.0, 0.0)
    times = numbers.times(rate_hz, path)
    rounding = EDGE / rate_hz
    inside = np.flatnonzero((times >= start - rounding) & (times < end - rounding))
    if inside.size < 2 or end > times[-1] + 1.0:
        raise DataError(
            f"{path}: lasts {times[-1]:.3f} s, and {start:g} to {end:g} s are asked for",
            "Correct start and end; they are seconds since the file's first sample",
        )
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _even(stamps: Seconds, rate_hz: float, path: Path) -> Seconds:
    clock = fit_clock(stamps, path, rate_hz)
    return clock.sample_times(stamps) if clock.period_s else stamps
