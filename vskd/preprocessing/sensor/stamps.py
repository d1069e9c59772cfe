"""Time stamps as they are written, to seconds since the first one."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from vskd.preprocessing.sensor.delimited import is_decimal

Seconds = npt.NDArray[np.float64]

RATES_HZ = (5.0, 2000.0)
"""Rates of movement recordings. They span less than a factor of 1000, so that a step fits one unit of time at most."""
_EPOCHS = ((1e8, 4e9, 1.0, "s"), (1e11, 4e12, 1e-3, "ms"), (1e14, 4e15, 1e-6, "us"), (1e17, 4e18, 1e-9, "ns"))
"""Least and greatest count since 1970, by unit: the years 1973 to 2096."""
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_CLOCK = re.compile(
    r"(?P<date>\d[\d\-./]*\d)?[ T_]*(?P<h>\d{1,2})[:\-](?P<m>\d{2})[:\-](?P<s>\d{2})"
    r"(?:[.,:_](?P<f>\d+))?\s*(?P<half>[AaPp][Mm])?"
)
DAY_S = 86400.0


def parse_stamps(cells: Sequence[str], unit_s: float | None = None) -> tuple[Seconds, str] | None:
    """Read time stamps: numbers in a unit of time, or dates and times of day.

    Args:
        cells: one for each sample.
        unit_s: how many seconds the numbers' unit is; None: by their size, if they count from 1970, else by the step,
            if that makes a rate between 5 and 2000 Hz in some unit.

    Returns:
        Seconds since the first stamp, and what the stamps are; None where they cannot be read, or in no unit make such
        a rate.
    """
    if len(cells) < 2:
        return None
    if all(is_decimal(cell) for cell in cells):
        return scale_counts(_counts(cells), float(cells[0].replace(",", ".")), unit_s)
    seconds = _iso(cells)
    if seconds is not None:
        return seconds, "dates and times"
    seconds = _times_of_day(cells)
    return None if seconds is None else (seconds, "times of day")


def scale_counts(counts: Seconds, first: float, unit_s: float | None = None) -> tuple[Seconds, str] | None:
    """Numbers as time stamps; see `parse_stamps`.

    Args:
        counts: of each sample, less the first.
        first: the first itself.
        unit_s: how many seconds their unit is.
    """
    if not np.isfinite(counts).all():
        return None
    factor = (unit_s, _name(unit_s)) if unit_s else _unit_of(counts, first)
    return (counts * factor[0], f"in {factor[1]}") if factor else None


def start_of(cell: str) -> float | None:
    """One time stamp as seconds since 1970, by which files are put side by side; a time without a zone counts as UTC.

    None where it does not say a day (a count from a start, a time of day), or says it ambiguously (`03/04/2021`).

    >>> start_of("20181016_13:37:28.612"), start_of("1309539264.5"), start_of("13:37:28")
    (1539697048.612, 1309539264.5, None)
    """
    if is_decimal(cell):
        value = float(cell.replace(",", "."))
        return next((value * factor for least, most, factor, _ in _EPOCHS if least <= value <= most), None)
    match = _CLOCK.fullmatch(cell.strip())
    day = match["date"] if match else None
    try:
        if match is None or day is None:
            time = datetime.fromisoformat(cell.strip())
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        midnight = datetime.strptime(re.sub(r"[-./]", "", day), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return midnight.timestamp() + _day_seconds(match)


def is_local(cell: str) -> bool:
    """Whether a time stamp says a day and no offset from UTC: when that was depends on where it was.

    >>> is_local("20181016_13:37:28"), is_local("2018-10-16T13:37:28+09:00"), is_local("1309539264.5")
    (True, False, False)
    """
    if is_decimal(cell) or start_of(cell) is None:
        return False
    match = _CLOCK.fullmatch(cell.strip())
    return match is not None or datetime.fromisoformat(cell.strip()).tzinfo is None


def counts_from_1970(values: npt.NDArray[np.float64]) -> bool:
    """Whether all numbers count one unit of time since 1970, from a year of this or the last century's end on.

    >>> counts_from_1970(np.array([1309539264.03, 1309539264.08])), counts_from_1970(np.array([0.1, 2.0]))
    (True, False)
    """
    return any(least <= values.min() and values.max() <= most for least, most, *_ in _EPOCHS)


def _counts(cells: Sequence[str]) -> Seconds:
    """Numbers since the first; whole ones exactly, however large."""
    if all(cell.strip().lstrip("+-").isdecimal() for cell in cells):
        first = int(cells[0])
        return np.array([int(cell) - first for cell in cells], dtype=np.float64)
    values = np.array([float(cell.replace(",", ".")) for cell in cells], dtype=np.float64)
    return np.asarray(values - values[0], dtype=np.float64)


def _name(unit_s: float) -> str:
    return next((name for factor, name in _UNITS if np.isclose(factor, unit_s)), f"{unit_s:g} s")


def _unit_of(counts: Seconds, first: float) -> tuple[float, str] | None:
    for least, most, factor, name in _EPOCHS:
        if least <= first <= most:
            return factor, name
    if len(counts) > 2 and (np.diff(counts) == counts[1]).all() and counts[1] == 1:
        return None  # a number of the row
    steps = np.abs(np.diff(counts))
    if not steps.any():
        return None
    typical = np.median(steps[steps > 0])
    for factor, name in _UNITS:
        if RATES_HZ[0] <= 1 / (typical * factor) <= RATES_HZ[1]:
            return factor, name
    return None


def _iso(cells: Sequence[str]) -> Seconds | None:
    try:
        times = [datetime.fromisoformat(cell.strip()) for cell in cells]
        first = times[0]
        # In whole microseconds: seconds since 1970 as a double have no more digits than that, and lose some in sums.
        return np.array([(time - first).total_seconds() for time in times], dtype=np.float64)
    except (ValueError, TypeError):
        return None


def _times_of_day(cells: Sequence[str]) -> Seconds | None:
    """Times of day; each midnight is a day later, and so is each other date that does not say which day it is."""
    seconds = np.empty(len(cells))
    days: dict[str, int] = {}
    midnights = 0
    for n, cell in enumerate(cells):
        match = _CLOCK.fullmatch(cell.strip())
        if match is None:
            return None
        day = days.get(match["date"] or "")
        if day is None:
            day = days[match["date"] or ""] = _day_number(match["date"] or "", next(iter(days), ""), len(days))
        seconds[n] = _day_seconds(match) + DAY_S * (day + midnights)
        if not match["date"] and n and seconds[n] < seconds[n - 1] - DAY_S / 2:
            midnights += 1
            seconds[n] += DAY_S
    return np.asarray(seconds - seconds[0], dtype=np.float64)


def _day_number(date: str, first: str, otherwise: int) -> int:
    """Days since the first date, where both are written with the year first; else `otherwise`, e.g. of `03/04/2021`."""
    try:
        day, start = (datetime.strptime(re.sub(r"[-./]", "", one), "%Y%m%d") for one in (date, first or date))
    except ValueError:
        return otherwise
    return (day - start).days


def _day_seconds(match: re.Match[str]) -> float:
    """Seconds since midnight of a time of day."""
    hour = int(match["h"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    return hour * 3600 + int(match["m"]) * 60 + int(match["s"]) + float(f"0.{match['f'] or 0}")
