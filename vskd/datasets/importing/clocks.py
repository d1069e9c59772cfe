"""Rate and unit of time of some files, by their clocks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vskd.datasets.importing.columns import ChosenColumns
from vskd.datasets.importing.stated import Stated
from vskd.datasets.sensors.folder_description import TIME_UNITS
from vskd.errors import DataError, is_number
from vskd.preprocessing.sensor.clock import PAUSE_S, fit_clock
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.stamps import RATES_HZ, Seconds, is_local, start_of
from vskd.preprocessing.sensor.time_zone import utc_offsets

SPREAD = 0.1
"""Of the rates of the middle half of the files; more are not one device at one setting."""
AGREE = 0.1
_OF_SAID = {"in s": "s", "in ms": "ms", "in us": "us", "in ns": "ns"}


@dataclass(frozen=True)
class Timing:
    """Rate and unit of time, and who says so.

    Attributes:
        broken: what is wrong with the clocks that are of no use, the file named.
        uneven: files with late, missing or repeated samples.
    """

    rate_hz: float
    rate_source: str
    unit: str
    unit_source: str
    broken: tuple[str, ...] = ()
    uneven: tuple[Path, ...] = ()


def find_timing(files: Mapping[Path, Samples], chosen: ChosenColumns, stated: Stated) -> Timing:
    """The rate and the unit of time of some files.

    Args:
        files: a sample of them, read.
        chosen: says which column is the clock.
        stated: rate and unit of time, where the caller knows.

    Raises:
        DataError: nobody says the rate, or those who do disagree; --rate, --time or --time-unit is named.
    """
    declared = {s.declared["rate_hz"] for s in files.values() if "rate_hz" in s.declared}
    remark = _remark(declared, next(iter(files)))
    if chosen.time_number is None:
        rate, source = (stated.rate_hz, "--rate") if stated.rate_hz else (remark, "remark in the file")
        if not rate:
            raise DataError(f"{next(iter(files))}: does not say its rate, and has no clock", "Say it with --rate")
        _agree(rate, source, remark, "remark in the file")
        return Timing(rate, source, "", "")
    if stated.time_unit == "samples" or (chosen.counts_samples and chosen.time_seconds is None):
        return _numbered(files, chosen, stated, remark)
    rates, units, broken, uneven = _clocks(files, chosen, stated)
    unit, unit_source = _unit(units, chosen, stated, next(iter(files)))
    measured = _common_rate(rates, stated)
    if stated.rate_hz:
        _agree(stated.rate_hz, "--rate", measured, "clock")
        return Timing(stated.rate_hz, "--rate", unit, unit_source, broken, uneven)
    if measured is None:
        raise DataError("The clocks are too coarse for a rate", "Say it with --rate")
    _agree(measured, "clock", remark, "remark in the file")
    return Timing(measured, f"clock of {min(len(rates), len(files))} files", unit, unit_source, broken, uneven)


def _numbered(files: Mapping[Path, Samples], chosen: ChosenColumns, stated: Stated, remark: float | None) -> Timing:
    """Of a column that numbers the samples: it says which are missing, and nothing about the rate."""
    rate, source = (stated.rate_hz, "--rate") if stated.rate_hz else (remark, "remark in the file")
    if not rate:
        raise DataError(
            f"{next(iter(files))}: does not say its rate; the column {chosen.time} counts samples",
            "Say the rate with --rate; or the unit of time with --time-unit, if it is a clock",
        )
    _agree(rate, source, remark, "remark in the file")
    _, _, broken, uneven = _clocks(files, chosen, replace(stated, time_unit="samples", rate_hz=rate))
    said = "--time-unit" if stated.time_unit else "each is one more than the one before"
    return Timing(rate, source, "samples", said, broken, uneven)


def _remark(declared: set[str], path: Path) -> float | None:
    """What remarks in the files say, where all say one thing."""
    if len(declared) > 1:
        raise DataError(f"The files declare several rates: {', '.join(sorted(declared))}", "Import them one by one")
    words = next(iter(declared), "").lower().removesuffix("hz").strip().replace(",", ".")
    if declared and not (is_number(words) and 0 < float(words) < math.inf):
        raise DataError(f"{path}: declares the rate '{next(iter(declared))}'", "Say it with --rate")
    return float(words) if declared else None


def _clocks(
    files: Mapping[Path, Samples], chosen: ChosenColumns, stated: Stated
) -> tuple[list[float], dict[str, Path], tuple[str, ...], tuple[Path, ...]]:
    """Rates of the files, what their stamps are (and a file of each), which clocks are broken, whose are uneven."""
    column = chosen.time_number or 0
    seconds = TIME_UNITS.get(stated.time_unit) if stated.time_unit else chosen.time_seconds
    if stated.time_unit == "samples" and stated.rate_hz:
        seconds = 1 / stated.rate_hz
    _check_zone(files, column, stated)
    rates: list[float] = []
    units: dict[str, Path] = {}
    broken: list[str] = []
    uneven: list[Path] = []
    count = 0
    for path, samples in files.items():
        read = samples.stamps(column, seconds)
        if read is None:
            raise DataError(
                f"{path}: column {chosen.time} cannot be read as times, or in no unit makes a rate from 5 to 2000 Hz",
                "Say its unit with --time-unit, or --time none and the rate with --rate",
            )
        units.setdefault(_OF_SAID.get(read[1], "text"), path)
        clocks = _stretches(_utc(read[0], samples.first(column), stated, path), stated)
        count += len(clocks)
        facts: tuple[str, ...] = ()
        for stamps in clocks:
            try:
                clock = fit_clock(stamps, path)
            except DataError as error:
                broken.append(error.problem)
                continue
            facts += clock.facts
            rates += [clock.rate_hz] if clock.rate_hz else []
        uneven += [path] if facts else []
    if len(broken) * 2 > count:
        local = not stated.time_zone and is_local(next(iter(files.values())).first(column))
        hint = ", or the zone with --time-zone if clocks were put back that night" if local else ""
        raise DataError(f"{len(broken)} of {count} clocks are broken: {broken[0]}", f"Name another with --time{hint}")
    return rates, units, tuple(broken), tuple(uneven)


def _stretches(stamps: Seconds, stated: Stated) -> list[Seconds]:
    """The stamps of a file; where its rows say what they belong to, cut where the clock jumps back for long.

    There another recording begins, often of another person, as `list_recordings` takes it.
    """
    if not stated.named_columns:
        return [stamps]
    return np.split(stamps, np.flatnonzero(np.diff(stamps) < -PAUSE_S) + 1)


def _check_zone(files: Mapping[Path, Samples], column: int, stated: Stated) -> None:
    """Refuse files of which some say when they were and others only the local time, and a zone that says nothing.

    Raises:
        DataError: see above; --time-zone is named.
    """
    local = {path: is_local(samples.first(column)) for path, samples in files.items()}
    one, other = (next((p for p, is_so in local.items() if is_so == wanted), None) for wanted in (True, False))
    if one and other:
        first, second = (f"{path} '{files[path].first(column)}'" for path in (one, other))
        raise DataError(
            f"Some time stamps are local times, and others say when they were: {first}, {second}",
            "Import them one by one with --pattern; the local ones with --time-zone",
        )
    if stated.time_zone and other:
        raise DataError(
            f"{other}: --time-zone is given, and the time stamps are no local times: '{files[other].first(column)}'",
            "Leave --time-zone out",
        )


def _utc(stamps: Seconds, first: str, stated: Stated, path: Path) -> Seconds:
    """Seconds since the first stamp, of local times without the hours by which a clock was put forward or back."""
    start = start_of(first)
    if not stated.time_zone or start is None:
        return stamps
    offsets = utc_offsets(start + stamps, stated.time_zone, path)
    return np.asarray(stamps - (offsets - offsets[0]), dtype=np.float64)


def _unit(units: Mapping[str, Path], chosen: ChosenColumns, stated: Stated, path: Path) -> tuple[str, str]:
    if len(units) > 1:
        shown = ", ".join(f"{'dates' if unit == 'text' else unit} in {where}" for unit, where in units.items())
        raise DataError(
            f"The clocks are in several units: {shown}",
            "Convert them to one, or import the files of each by themselves: --pattern or --table names them",
        )
    (unit,) = units
    if stated.time_unit and stated.time_unit != unit:
        raise DataError(f"{path}: the times are {unit}, --time-unit says {stated.time_unit}", "Correct --time-unit")
    if stated.time_unit:
        return unit, "--time-unit"
    return unit, "header" if chosen.time_seconds else "steps between samples, or count since 1970"


def _common_rate(rates: Sequence[float], stated: Stated) -> float | None:
    """The median, of three digits or a whole number that is as near as clocks are.

    Raises:
        DataError: the files have several rates, or one that no device of movement has.
    """
    if not rates:
        return None
    low, rate, high = (float(q) for q in np.quantile(rates, (0.25, 0.5, 0.75)))
    if high - low > SPREAD * rate and stated.rate_hz is None:
        raise DataError(
            f"The clocks say several rates: half of the files lie between {low:g} and {high:g} Hz",
            "Say the device's with --rate, or import the files of each device by themselves with --pattern",
        )
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise DataError(
            f"The clocks make {rate:g} Hz, which is no rate of movement", "Say the unit of time with --time-unit"
        )
    whole = round(rate)
    return float(whole) if abs(rate - whole) < 0.003 * rate else float(f"{rate:.3g}")


def _agree(rate: float, source: str, other: float | None, other_source: str) -> None:
    if other is not None and abs(rate - other) > AGREE * other:
        raise DataError(
            f"The {source} says {rate:g} Hz, the {other_source} {other:g} Hz".replace("The --", "--"),
            "Correct --rate, the unit of the clock with --time-unit, or leave the clock out with --time none",
        )
