"""Local times of a zone as moments: clocks that are put forward or back leave neither a gap nor an hour twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError

Seconds = npt.NDArray[np.float64]

QUARTER_S = 900
"""Zones change their offset at whole quarters of an hour."""
NEXT_S = 60.0
"""Samples that are less apart follow each other: by them an hour that a clock shows twice is told."""


def check_zone(name: str) -> str:
    """The name itself, if it is one of the IANA time zones, e.g. `Europe/Berlin`.

    Raises:
        ValueError: it is none.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is no IANA time zone, e.g. Europe/Berlin or Asia/Tokyo") from error
    return name


def utc_offsets(local: Seconds, zone: str, source: Path | str) -> Seconds:
    """What is taken off local times to get UTC.

    Args:
        local: (samples,) seconds since 1970 on the clock of the zone, in the order of the file.
        zone: its IANA name.
        source: for messages.

    Returns:
        (samples,) seconds.

    Raises:
        DataError: a time that the clock skipped when it was put forward; or all times lie in the hour that it showed
            twice, and nothing tells which of the two it was.
    """
    quarters, place = np.unique(np.floor(local / QUARTER_S).astype(np.int64), return_inverse=True)
    first, second = (np.array([_offset(int(q), zone, fold) for q in quarters])[place] for fold in (0, 1))
    if (first < second).any():
        time = datetime.fromtimestamp(local[np.flatnonzero(first < second)[0]], UTC)
        raise DataError(
            f"{source}: {time:%Y-%m-%d %H:%M} does not exist in {zone}, where the clock was put forward",
            "Correct the time zone, or leave it out if the clock was not put forward",
        )
    later = first > second
    return np.where(later & _second_time(local, later, zone, source), second, first) if later.any() else first


def _offset(quarter: int, zone: str, fold: int) -> float:
    clock = datetime.fromtimestamp(quarter * QUARTER_S, UTC).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return (clock.utcoffset() or timedelta()).total_seconds()


def _second_time(local: Seconds, later: npt.NDArray[np.bool_], zone: str, source: Path | str) -> npt.NDArray[np.bool_]:
    """Which of the samples of an hour that comes twice are of the second time: those behind a step back; without one
    none, if other samples come right before, or all, if others come right behind."""
    steps = np.diff(local, prepend=local[:1])
    back = np.flatnonzero(later & (steps < -QUARTER_S))
    if back.size:
        return np.asarray(np.arange(local.size) >= back[0])
    (places,) = np.nonzero(later)
    before, behind = places[0] - 1, places[-1] + 1
    if before >= 0 and local[places[0]] - local[before] < NEXT_S:
        return np.zeros(local.size, dtype=bool)
    if behind < local.size and local[behind] - local[places[-1]] < NEXT_S:
        return np.ones(local.size, dtype=bool)
    time = datetime.fromtimestamp(local[places[0]], UTC)
    raise DataError(
        f"{source}: the clock of {zone} showed {time:%Y-%m-%d %H:%M} twice, when it was put back; nothing tells which",
        "Give time stamps with their offset from UTC, e.g. 2024-10-27T02:30:00+01:00",
    )
