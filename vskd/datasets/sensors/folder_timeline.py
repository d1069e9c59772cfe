"""Whole files as recordings: their labels over time, from a label column or from a table of intervals."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from vskd.datasets.sensors.folder_description import Description, StreamDescription
from vskd.datasets.sensors.folder_found import Found, plain_value
from vskd.errors import DataError
from vskd.preprocessing.sensor.clock import fit_clock
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.stamps import Seconds
from vskd.preprocessing.sensor.stated import open_stated

UNLABELLED_CELLS = frozenset({"", "nan", "none", "null", "na", "unlabelled", "unlabeled"})
Span = tuple[float, float, str]
"""Start and end in seconds since the recording's first sample, and the label."""
Clock = Callable[[Path], int | None]
"""The column of time stamps of a file; None: its rows are evenly spaced."""


@dataclass(frozen=True)
class Row:
    """A row of a table of intervals: the recording that it names, where the row stands, and its label."""

    found: Found
    where: str


def labelled_rows(
    one: Found,
    words: Sequence[str],
    keys: Sequence[tuple[str, ...]],
    times: Callable[[int, int], Seconds],
    description: Description,
    stem: str,
) -> Iterator[Found]:
    """The recordings of a file whose rows are labelled: one, or one for each run of rows of the same subject (factors).

    Args:
        one: the file.
        words: what the cells say: label, and what else there is: subject, factors.
        keys: these cells of each row.
        times: of the rows from one number to behind another, (rows + 1,) seconds since the first; the last is the end.
        description: names the null class.
        stem: of the file's name.
    """
    of_people = [key[1:] for key in keys]
    several = len(set(of_people)) > 1
    for number, (first, behind) in enumerate(runs(of_people), 1):
        seconds = times(first, behind)
        spans = tuple(
            (float(seconds[a]), float(seconds[b]), label)
            for a, b in runs([key[0] for key in keys[first:behind]])
            if (label := _label(keys[first + a][0], description))
        )
        values = dict(one.values)
        values |= {word: plain_value(word, cell) for word, cell in zip(words[1:], keys[first][1:], strict=True)}
        part = Reading(rows=(first, behind)) if several else Reading()
        name = f"{stem}-{number:04d}" if several else stem
        yield Found(values, one.files, part, name, spans)


def _label(cell: str, description: Description) -> str | None:
    """A row's label; None where it has none, or that of the null class, which is all that no span holds."""
    return None if cell.lower() in UNLABELLED_CELLS or cell == description.null_class else cell


def runs(values: Sequence[object]) -> list[tuple[int, int]]:
    """First and behind the last position of each run of equal values.

    >>> runs(["a", "a", "b", "a"])
    [(0, 2), (2, 3), (3, 4)]
    """
    codes = {value: n for n, value in enumerate(dict.fromkeys(values))}
    starts = np.flatnonzero(np.diff([codes[value] for value in values], prepend=-1)).tolist()
    return list(pairwise([*starts, len(values)]))


def row_times(
    path: Path, samples: Samples, stated: StreamDescription, clock: int | None
) -> Callable[[int, int], Seconds]:
    """When the rows of a file were taken: of those from one number to behind another, (rows + 1,) seconds since the
    first; the last is the end. A clock is fitted to these rows alone: that of the next person may begin anew.

    Args:
        path: of the file, for messages.
        samples: its content.
        stated: says rate and unit of the clock.
        clock: the column of time stamps; None: the rows are evenly spaced.

    Raises:
        DataError: the clock cannot be read, or is broken.
    """
    if clock is None or stated.time is None:
        return lambda first, behind: np.arange(behind - first + 1) / stated.rate_hz
    read = samples.stamps(clock, stated.time.seconds(stated.rate_hz))
    if read is None:
        raise DataError(f"{path}: column {clock} cannot be read as times", "Correct time: in dataset.yaml")
    stamps, _ = read

    def times(first: int, behind: int) -> Seconds:
        own = stamps[first:behind]
        fitted = fit_clock(own, path, stated.rate_hz)
        even = fitted.sample_times(own) if fitted.period_s else own
        ends = np.append(even, even[-1] + (fitted.period_s or 1 / stated.rate_hz))
        return np.asarray(ends - even[0], dtype=np.float64)

    return times


def whole_files(rows: Iterable[Row], description: Description, clock: Clock) -> Iterator[Found]:
    """The files of a table of intervals, each one recording with its intervals as spans.

    Args:
        rows: of the table.
        description: names the null class, and how files are read.
        clock: the column of time stamps of a file.

    Raises:
        DataError: two intervals of a file overlap, or rows of one file name several people, trials or factors.
    """
    by_file: dict[Path, list[Row]] = {}
    for row in rows:
        by_file.setdefault(next(iter(row.found.files.values())), []).append(row)
    for path, members in by_file.items():
        yield _whole_file(path, members, description, clock)


def _whole_file(path: Path, rows: Sequence[Row], description: Description, clock: Clock) -> Found:
    first = rows[0]
    values = _but_label(first)
    for row in rows:
        if _but_label(row) != values:
            raise DataError(
                f"{row.where}: {path.name} is of other people or factors than in {first.where}",
                "With whole_files: true a file is one recording: give all of its rows the same subject, trial, factors",
            )
    if len(rows) == 1 and not first.found.reading.part:
        return replace(first.found, reading=Reading())  # labelled as a whole
    spans = ordered_spans(path, rows, description, clock)
    shown = tuple(span for span, _ in spans if span[2] != description.null_class)
    return Found(values, first.found.files, Reading(), path.with_suffix("").name, shown)


def _but_label(row: Row) -> dict[str, str]:
    return {word: value for word, value in row.found.values.items() if word != "label"}


def ordered_spans(path: Path, rows: Sequence[Row], description: Description, clock: Clock) -> list[tuple[Span, Row]]:
    """The intervals of a file in the order of time, each with its row of the table.

    Raises:
        DataError: two overlap, one is missing, or reaches beyond the file.
    """
    spans = sorted(((_span(path, row, description, clock), row) for row in rows), key=lambda pair: pair[0])
    for (one, of_one), (other, of_other) in pairwise(spans):
        if other[0] < one[1] - 1e-9:
            raise DataError(
                f"{of_other.where}: the interval overlaps with that of {of_one.where}", "Correct start and end"
            )
    return spans


def _span(path: Path, row: Row, description: Description, clock: Clock) -> Span:
    part, label = row.found.reading, row.found.values["label"]
    if part.seconds is not None:
        return *part.seconds, label
    if part.rows is None:
        raise DataError(f"{row.where}: no start and end, beside other intervals of {path.name}", "Complete the table")
    times = times_of(path, description, clock)
    if part.rows[1] >= len(times):
        raise DataError(f"{row.where}: {path.name} has {len(times) - 1} data rows", "Correct first_row and last_row")
    return float(times[part.rows[0]]), float(times[part.rows[1]]), label


def times_of(path: Path, description: Description, clock: Clock) -> Seconds:
    """`row_times` of a file of a table, by the first stream's clock."""
    stated = next(iter(description.streams.values()))
    samples = open_stated(path, stated.separator or "", stated.variable)
    return row_times(path, samples, stated, clock(path))(0, len(samples.cells(0)))  # the first column may hold text
