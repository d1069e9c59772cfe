"""The null class of a table of intervals: what nobody labelled in its files, as recordings of their own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from vskd.datasets.recording import Problem
from vskd.datasets.sensors.folder_description import Description
from vskd.datasets.sensors.folder_found import Found
from vskd.datasets.sensors.folder_timeline import Clock, Row, ordered_spans, times_of
from vskd.errors import DataError
from vskd.preprocessing.folders import shown
from vskd.preprocessing.sensor.clock import PAUSE_S
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.stamps import Seconds

SHORTEST_S = 1.0
"""Shorter stretches between two labels are what the annotation left open, and belong to nobody."""
_NOT_SHARED = ("label", "trial")


def with_null_class(
    rows: Sequence[Row], description: Description, clock: Clock, problems: list[Problem]
) -> list[Found]:
    """The recordings of a table, and those of the null class: each stretch of a file that no interval holds.

    A stretch is of the subject, the trial and the factors of the interval before it, at the file's beginning of that
    behind it. Between intervals of different people or factors it is nobody's, and named. A pause of the clock ends it,
    as it does elsewhere. An interval that is itself called the null class is part of what is around it.

    Args:
        rows: of the table.
        description: names the null class.
        clock: the column of time stamps of a file.
        problems: gets what is nobody's.

    Raises:
        DataError: no row is a part of a file; two intervals overlap; a file cannot be read.
    """
    if not any(row.found.reading.part for row in rows):
        raise DataError(
            "null_class does nothing: no row of the table has start and end, so that all of each file is labelled",
            "Leave null_class out of dataset.yaml, or complete the table",
        )
    by_file: dict[Path, list[Row]] = {}
    for row in rows:
        by_file.setdefault(next(iter(row.found.files.values())), []).append(row)
    found: list[Found] = []
    for path, members in by_file.items():
        one, *others = members
        if not others and not one.found.reading.part:
            found.append(one.found)  # labelled as a whole
            continue
        found += [row.found for row in members if row.found.values["label"] != description.null_class]
        found += _null_parts(path, members, description, clock, problems)
    return found


def _null_parts(
    path: Path, rows: Sequence[Row], description: Description, clock: Clock, problems: list[Problem]
) -> Iterator[Found]:
    times = times_of(path, description, clock)
    spans = ordered_spans(path, rows, description, clock)
    named = [(span, row) for span, row in spans if span[2] != description.null_class]
    by_rows = all(row.found.reading.rows for row in rows)
    number = 0
    for start, end, before, behind in _between(named or spans, bool(named), float(times[-1])):
        if _shared(before) != _shared(behind):
            detail = f"nobody's: no label between {before.where} and {behind.where}, of other people or factors"
            problems.append(Problem("unknown", "", shown(path), f"{start:g} to {end:g} s are {detail}"))
            continue
        for first, last in _without_pauses(start, end, times):
            number += 1
            values = _shared(before) | {"label": description.null_class or "", "trial": _trial(before)}
            part = _reading(first, last, times, by_rows=by_rows)
            yield Found(values, before.found.files, part, f"{path.stem}-{number:04d}")


def _between(
    spans: Sequence[tuple[tuple[float, float, str], Row]], labelled: bool, end_s: float
) -> Iterator[tuple[float, float, Row, Row]]:
    """Start and end of what no interval holds, and the rows before and behind it; the whole file without any."""
    (first, of_first), (last, of_last) = spans[0], spans[-1]
    if not labelled:
        yield 0.0, end_s, of_first, of_first
        return
    yield 0.0, first[0], of_first, of_first
    for (one, of_one), (other, of_other) in pairwise(spans):
        yield one[1], other[0], of_one, of_other
    yield last[1], end_s, of_last, of_last


def _shared(row: Row) -> dict[str, str]:
    """Subject and factors."""
    return {word: value for word, value in row.found.values.items() if word not in _NOT_SHARED}


def _trial(row: Row) -> str:
    """The trial of a stretch beside an interval, so that both come to one part where trials are split."""
    return row.found.values.get("trial") or row.found.number


def _without_pauses(start: float, end: float, times: Seconds) -> Iterator[tuple[float, float]]:
    """A stretch without the pauses of the clock in it; what is shorter than `SHORTEST_S` is left out.

    Args:
        start, end: seconds since the file's first sample.
        times: (rows + 1,) of each row since the first, and behind the last one the end.
    """
    behind = np.flatnonzero(np.diff(times[:-1]) > PAUSE_S) + 1
    period = times[-1] - times[-2]
    pauses = [(float(times[k - 1] + period), float(times[k])) for k in behind]
    pauses = [pause for pause in pauses if start < pause[1] and pause[0] < end]
    edges = [start, *(edge for pause in pauses for edge in pause), end]
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= SHORTEST_S:
            yield first, last


def _reading(first: float, last: float, times: Seconds, *, by_rows: bool) -> Reading:
    """A part as its file's others are stated: the leak check cannot compare parts in rows with parts in seconds."""
    if not by_rows:
        return Reading(seconds=(first, last))
    start, end = np.searchsorted(times, [first - 1e-9, last - 1e-9])
    return Reading(rows=(int(start), int(end)))
