"""What a .csv recording says about itself: rate, unit and which columns are the axes.

    # rate_hz: 50                comment lines `# rate_hz: NUMBER` and `# unit: UNIT` (or with `=`)
    # unit: g
    time_s,x,y,z                 column names; a unit may stand in brackets: `x [g]` or `x (m/s^2)`

A leading column of seconds, called as `TIME_COLUMNS` says, gives the rate where no comment does. Like `read_sensor`,
this counts columns without it.
"""

import csv
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from vskd.errors import DataError, is_number
from vskd.preprocessing.sensor.signals import TIME_COLUMNS

_HEAD_LINES = 4000  # enough to see the rate of the time column without reading hours of recording
_COMMENT = re.compile(r"^#\s*(rate_hz|unit)\s*[:=]\s*(\S+)\s*$", re.IGNORECASE)
_NAME_WITH_UNIT = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>[^\])]+)[\])]\s*$")


@dataclass(frozen=True)
class CsvHeader:
    """What is declared; None or empty where the file does not say.

    Attributes:
        rate_hz: samples per second.
        unit: unit of the axes.
        columns: the columns that hold the axes, in the contract's order, not counting a leading time column.
    """

    rate_hz: float | None = None
    unit: str | None = None
    columns: tuple[int, ...] = ()


def read_csv_header(file: Path, axes: tuple[str, ...], stream: str) -> CsvHeader:
    """Read the head of a .csv file.

    Args:
        file: comma-separated text.
        axes: names to look for among the columns, e.g. x, y, z; `ax` or `accelerometer_x` are found too.
        stream: e.g. `accelerometer`.

    Raises:
        DataError: the file cannot be read as text, or declares a rate that is no positive number, or two units.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            lines = [line.strip() for line in islice(handle, _HEAD_LINES)]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as text ({error})", "Give a .csv file of numbers") from error
    comments = {m[1].lower(): m[2] for m in map(_COMMENT.match, lines) if m}
    rows = list(csv.reader(line for line in lines if line and not line.startswith("#")))
    if not rows or is_number(rows[0][0]):
        return CsvHeader(_rate(file, comments), comments.get("unit"))
    has_time = rows[0][0].strip().lower() in TIME_COLUMNS
    names, units = _split_units(rows[0][1:] if has_time else rows[0])
    columns = _columns_of(names, axes, stream)
    declared = {units[c] for c in columns} - {""} | ({comments["unit"]} if "unit" in comments else set())
    if len(declared) > 1:
        raise DataError(f"{file}: declares several units: {', '.join(sorted(declared))}", "Give all axes in one unit")
    rate = _rate(file, comments)
    if rate is None and has_time:
        rate = _rate_of_times([row[0] for row in rows[1:]])
    return CsvHeader(rate, next(iter(declared), None), columns)


def _split_units(header: list[str]) -> tuple[list[str], list[str]]:
    names, units = [], []
    for cell in header:
        match = _NAME_WITH_UNIT.match(cell.strip())
        names.append((match["name"] if match else cell).strip().lower())
        units.append(match["unit"].strip() if match else "")
    return names, units


def _columns_of(names: list[str], axes: tuple[str, ...], stream: str) -> tuple[int, ...]:
    """The column of every axis, or nothing if any axis is not there exactly once."""
    found = []
    for axis in (a.lower() for a in axes):
        accepted = {axis, f"{stream[:1]}{axis}", f"{stream}_{axis}", f"acc_{axis}", f"accel_{axis}", f"gyro_{axis}"}
        matches = [n for n, name in enumerate(names) if name in accepted and _same_stream(name, stream)]
        if len(matches) != 1:
            return ()
        found.append(matches[0])
    return tuple(found)


def _same_stream(name: str, stream: str) -> bool:
    """`gyro_x` is no axis of an accelerometer, nor `acc_x` of a gyroscope."""
    prefix = name.partition("_")[0] if "_" in name else ""
    return not prefix or stream.startswith(prefix)


def _rate(file: Path, comments: dict[str, str]) -> float | None:
    if "rate_hz" not in comments:
        return None
    text = comments["rate_hz"]
    if not is_number(text) or not 0 < float(text) < float("inf"):
        raise DataError(f"{file}: rate_hz is '{text}', which is no positive number", "Write e.g. '# rate_hz: 50'")
    return float(text)


def _rate_of_times(cells: list[str]) -> float | None:
    """Samples per second, by the median step, to three digits; None if these are no plain seconds.

    Steps of a second and more are no seconds of a movement recording, but milliseconds or ticks of some clock.
    """
    if len(cells) < 2 or not all(map(is_number, cells)):
        return None
    step = float(np.median(np.diff(np.array([float(c) for c in cells]))))
    return float(f"{1.0 / step:.3g}") if 0 < step < 1 else None
