"""Which columns of some files are the axes, and which is the clock. By names where there are any."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.datasets.importing.stated import Stated
from vskd.datasets.sensors.folder_description import Column
from vskd.errors import DataError, SettingError, first_few, nearest
from vskd.preprocessing.sensor.column_names import columns_by_name, meaning, other_sensor, time_columns, time_unit
from vskd.preprocessing.sensor.samples import Samples, counts_on, may_be_clock
from vskd.preprocessing.sensor.stamps import start_of

AXES = ("x", "y", "z")
MOST_BY_ONE = 0.9
"""Share of the steps of a sample's number that are 1; the others say that samples were lost."""


@dataclass(frozen=True)
class ChosenColumns:
    """Columns of the axes and of the clock, as they are written to dataset.yaml, and who says so.

    Attributes:
        columns, time: by name where the files have names.
        numbers, time_number: the same by number.
        source: of the axes.
        time_seconds: how many seconds the header says that the unit of the clock is.
        counts_samples: whether the clock is a number of each sample.
        unit: of the axes, as the header says; empty where it does not.
    """

    columns: tuple[Column, ...]
    numbers: tuple[int, ...]
    source: str
    time: Column | None
    time_number: int | None
    time_source: str
    time_seconds: float | None
    unit: str
    counts_samples: bool = False


def choose_columns(path: Path, samples: Samples, stated: Stated) -> ChosenColumns:
    """The columns of one stream.

    Args:
        path: one of the files, which are all built alike.
        samples: its content.
        stated: names columns, or leaves them to be found.

    Raises:
        DataError: they cannot be told; --columns, --stream or --time is named.
        SettingError: --axes names no three axes, or --signs is given beside it.
    """
    numbers, source, clock = _axes(path, samples, stated)
    time, time_source, seconds = _time(path, samples, stated, numbers, clock)
    units = {samples.units[k] for k in numbers if samples.units and samples.units[k]}
    if len(units) > 1:
        raise DataError(f"{path}: the axes are in several units: {', '.join(sorted(units))}", "Convert the files")
    if stated.axes and stated.signs:
        raise SettingError("--axes and --signs are both given", "Leave --signs out: --axes says them, e.g. -y,x,z")
    numbers = _turned(numbers, stated.axes)
    return ChosenColumns(
        tuple(_written(samples, k) for k in numbers),
        numbers,
        source,
        None if time is None else _written(samples, time),
        time,
        time_source,
        seconds,
        next(iter(units), samples.declared.get("unit", "")),
        time is not None and stated.time_unit in (None, "samples") and numbers_samples(samples, time),
    )


def _turned(numbers: tuple[int, ...], axes: Sequence[str]) -> tuple[int, ...]:
    """The columns in the order of `axes`, e.g. -y, x, z; of their signs see `Stated.axis_signs`.

    Raises:
        SettingError: these are not the three axes.
    """
    if not axes:
        return numbers
    order = [AXES.index(axis.lstrip("+-")) for axis in axes if axis.lstrip("+-") in AXES]
    if sorted(order) != list(range(len(AXES))) or len(numbers) != len(AXES):
        raise SettingError(f"--axes is {','.join(axes)}", "Name x, y and z once each, e.g. -y,x,z")
    return tuple(numbers[k] for k in order)


def numbers_samples(samples: Samples, column: int) -> bool:
    """Whether a column counts samples: whole numbers, most of them one more than the number before."""
    try:
        values = np.asarray(samples.numbers(column), dtype=np.float64)
    except DataError:
        return False
    steps = np.diff(values)
    whole = np.isfinite(values).all() and (values == np.round(values)).all()
    return bool(steps.size > 2 and whole and (steps == 1).mean() > MOST_BY_ONE and (steps >= 1).all())


def _written(samples: Samples, column: int) -> Column:
    """A column by its name, where that names one only."""
    name = samples.names[column] if samples.names else ""
    return name if name and samples.names.count(name) == 1 else column


def number_of(path: Path, samples: Samples, column: str, flag: str) -> int:
    """The number of a column that a flag names.

    Raises:
        DataError: the file has no such column, or several of this name.
    """
    places = [k for k, name in enumerate(samples.names) if name == column]
    if len(places) > 1:
        raise DataError(
            f"{path}: has {len(places)} columns '{column}': {', '.join(map(str, places))}",
            f"Name one by its number with {flag}, counted from 0",
        )
    if places:
        return places[0]
    if column.isdecimal() and int(column) < samples.width:
        return int(column)
    raise DataError(
        f"{path}: has no column '{column}', {nearest(column, samples.names or [str(n) for n in range(samples.width)])}",
        f"Correct {flag}; without names, columns are counted from 0",
    )


def _axes(path: Path, samples: Samples, stated: Stated) -> tuple[tuple[int, ...], str, int | None]:
    """Numbers of the axes' columns, who says so, and a nameless column that is a clock."""
    if stated.columns:
        return tuple(number_of(path, samples, c, "--columns") for c in stated.columns), "--columns", None
    stream = stated.stream
    other = "" if any(meaning(name, AXES).quantity for name in samples.names) else other_sensor(path.stem, stream)
    if other:
        raise DataError(
            f"{path}: its name says {other}, and the {stream} is to be read",
            f"Say --stream {other.split(' and ')[0].replace(' ', '-')}, or the columns with --columns",
        )
    if samples.names:
        choice = columns_by_name(samples.names, AXES, stream)
        if choice.problem:
            raise DataError(
                f"{path}: no columns of the {stream} were recognised: {choice.problem}",
                "Name the columns of x, y and z with --columns, e.g. --columns ax,ay,az, or by number, counted from 0: "
                "--columns 4,5,6; another sensor with --stream",
            )
        return choice.columns, "names", None
    return _nameless(path, samples, stated)


def _nameless(path: Path, samples: Samples, stated: Stated) -> tuple[tuple[int, ...], str, int | None]:
    """All columns of three, or all but a first or last of four that counts on as a clock does."""
    aside = [int(c) for c in (*stated.named_columns, stated.time) if c and c.isdecimal()]
    rest = [k for k in range(samples.width) if k not in aside]
    counting = [k for k in rest if counts_on(samples, k)]
    alone = stated.time is None and len(counting) == 1
    clocks = [k for k in counting if alone and k in (rest[0], rest[-1])]
    axes = tuple(k for k in rest if k not in clocks)
    if len(axes) != len(AXES) or (counting and not clocks):
        raise DataError(
            f"{path}: has {samples.width} columns without names, and which are x, y and z cannot be told",
            "Name them by number with --columns, e.g. --columns 1,2,3 (counted from 0), and the clock with --time",
        )
    return axes, "order: they have no names", next(iter(clocks), None)


def _time(
    path: Path, samples: Samples, stated: Stated, axes: Sequence[int], clock: int | None
) -> tuple[int | None, str, float | None]:
    """The column of time stamps, who says so, and the seconds in its unit as far as the header says."""
    if stated.time is not None:
        column = None if stated.time == "none" else number_of(path, samples, stated.time, "--time")
        if column is None or not samples.names:
            return column, "--time", None
        return column, "--time", time_unit(samples.names[column], samples.units[column] if samples.units else "")
    if not samples.names and clock is None and stated.columns:
        counting = [k for k in range(samples.width) if k not in axes and counts_on(samples, k)]
        if len(counting) > 1:
            raise DataError(f"{path}: the columns {counting} all count on as a clock does", "Name one with --time")
        clock = next(iter(counting), None)
    if clock is not None:
        return clock, "it counts on", None
    named = [c for c in time_columns(samples.names, samples.units, stated.stream) if c.index not in axes]
    read = [c for c in named if samples.stamps(c.index, c.seconds) is not None]
    if len(read) > 1:
        names = first_few([f"'{c.name}'" for c in read], 5, ", ")
        raise DataError(f"{path}: several columns may be the clock: {names}", "Name one with --time")
    if named and not read:
        raise DataError(
            f"{path}: column '{named[0].name}' is named like a clock and cannot be read as one: its steps make no rate "
            "from 5 to 2000 Hz in any unit, or it counts rows",
            "Say its unit with --time-unit, or --time none and the rate with --rate",
        )
    if read:
        (one,) = read
        return one.index, "name", one.seconds
    return *_by_content(path, samples, axes, stated), None


def _by_content(path: Path, samples: Samples, axes: Sequence[int], stated: Stated) -> tuple[int | None, str]:
    """The one column that must be a clock whatever it is called, since it holds dates or counts on; and why.

    Raises:
        DataError: there are several.
    """
    aside = {number_of(path, samples, c, "the column") for c in stated.named_columns}
    rest = [k for k in range(samples.width) if k not in aside and k not in axes]
    counting = [k for k in rest if may_be_clock(samples, k)]
    dated = [k for k in counting if _is_dated(samples, k)]
    found = dated or counting
    if len(found) > 1:
        names = ", ".join(f"'{_written(samples, k)}'" for k in found)
        raise DataError(f"{path}: several columns may be the clock: {names}", "Name one with --time, or --time none")
    why = "it holds dates" if dated else "it counts on" if found else ""
    return next(iter(found), None), why


def _is_dated(samples: Samples, column: int) -> bool:
    return start_of(samples.first(column)) is not None
