"""Find the recordings that `dataset.yaml` describes: by patterns, by a table, by runs of a label column."""

import csv
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vskd.datasets.recording import Problem
from vskd.datasets.sensors.folder_description import FILE, PLACEHOLDER, Column, Description, StreamDescription
from vskd.datasets.sensors.folder_timeline import (
    UNLABELLED_CELLS,
    Row,
    labelled_rows,
    row_times,
    runs,
    whole_files,
)
from vskd.datasets.sensors.sensor_folder import Found, plain_value
from vskd.errors import DataError, first_few, nearest
from vskd.preprocessing.folders import composed, files_below, shown
from vskd.preprocessing.sensor.delimited import parse_delimited, read_delimited
from vskd.preprocessing.sensor.device_file import DEVICES, read_device
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.samples import TextSamples
from vskd.preprocessing.sensor.text_file import TEXT, read_text

SENSOR_FILES = TEXT | DEVICES | {".npy", ".mat"}
HEAD_BYTES = 8192
_PART_COLUMNS = ("start", "end", "first_row", "last_row")


def list_recordings(root: Path, description: Description, problems: list[Problem]) -> list[Found]:
    """All recordings that are described; what is odd goes to `problems`.

    Raises:
        DataError: a folder or the table cannot be read.
    """
    folder = root / description.root
    if description.table is not None:
        rows = list(_by_table(root / description.table, folder, description, problems))
        if description.whole_files and description.label_column is None:
            return list(whole_files(rows, description, _clocks(rows, description)))
        found = [row.found for row in rows]
    else:
        found = _by_patterns(folder, description, problems)
    if description.label_column is None:
        return found
    return [run for one in found for run in _runs(one, description, problems)]


def _clocks(rows: Sequence[Row], description: Description) -> dict[str, int | None]:
    """The column of time stamps of each stream, looked up in a file that is there."""
    if not rows:
        return {}
    files = rows[0].found.files
    return {
        name: positions(files[name], [stated.time.column], stated)[0] if stated.time else None
        for name, stated in description.streams.items()
    }


def pattern_regex(pattern: str) -> re.Pattern[str]:
    """What a pattern matches: words in braces and `*` stand for any text within one part of the path.

    >>> pattern_regex("s{subject}/{label}_*.csv").fullmatch("s01/walk_x.csv").groupdict()
    {'subject': '01', 'label': 'walk'}
    """
    parts = re.split(r"(\{\w+\}|\*)", pattern)
    return re.compile("".join(_regex_of(part) for part in parts))


def _regex_of(part: str) -> str:
    word = PLACEHOLDER.fullmatch(part)
    if word:
        return f"(?P<{word[1]}>[^/]+?)"
    return "[^/]*?" if part == "*" else re.escape(part)


def _by_patterns(folder: Path, description: Description, problems: list[Problem]) -> list[Found]:
    """The files that match; files of one recording have the same words."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", "Correct root: in dataset.yaml")
    patterns = {name: pattern_regex(stream.files or "") for name, stream in description.streams.items()}
    groups: dict[tuple[tuple[str, str], ...], dict[str, Path]] = {}
    for path in files_below(folder):
        name = composed(path.relative_to(folder).as_posix())
        matches = [(stream, match) for stream, regex in patterns.items() if (match := regex.fullmatch(name))]
        if not matches and path.suffix.lower() in SENSOR_FILES and path.name != FILE:
            problems.append(Problem("unknown", "", shown(path), "its name does not fit the pattern of any stream"))
        for stream, match in matches:
            values = {word: plain_value(word, value) for word, value in match.groupdict().items()}
            files = groups.setdefault(tuple(sorted(values.items())), {})
            if files.setdefault(stream, path) != path:
                detail = f"the same subject, label and trial as {files[stream]}"
                problems.append(Problem("duplicate", Found(values, files).id, shown(path), detail))
    return [Found(dict(key), files) for key, files in groups.items()]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table of recordings by column; names of columns in small letters.

    Raises:
        DataError: it cannot be read, has no column `file`, or a column without a name.
    """
    text = read_text(path)[0]
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    rows = list(csv.DictReader(text.splitlines(), delimiter=separator))
    names = [name.strip().lower() for name in (rows[0] if rows else {}) if name is not None]
    if "file" not in names or any(None in row or None in row.values() for row in rows):
        what = "has no column 'file'" if "file" not in names else "has rows with more or fewer cells than its header"
        raise DataError(f"{path}: {what}", "Give a CSV table with the columns file, subject, label, and others")
    return [{name.strip().lower(): value.strip() for name, value in row.items()} for row in rows]


def _by_table(table: Path, folder: Path, description: Description, problems: list[Problem]) -> Iterator[Row]:
    """The rows of the table; recordings of one file are numbered where nothing else tells them apart."""
    rows = read_table(table)
    shared = {name for name, count in _counted(row["file"] for row in rows).items() if count > 1}
    numbers = {name: itertools.count(1) for name in shared}
    for line, row in enumerate(rows, 2):
        where, path = f"{table}, line {line}", folder / row["file"].replace("\\", "/")
        if not path.is_file():
            problems.append(Problem("missing", "", shown(path), f"{where}: there is no such file"))
            continue
        words = {n: plain_value(n, v) for n, v in row.items() if v and n not in ("file", *_PART_COLUMNS)}
        if description.label_column is None and "label" not in words:
            raise DataError(f"{where}: no label", "Complete the table")
        tells = {n: v for n, v in words.items() if n in ("subject", "label", "trial")}
        number = f"{_stem(row['file'])}-{next(numbers[row['file']]):04d}" if row["file"] in shared else ""
        files = dict.fromkeys(description.streams, path)
        if "trial" not in tells and not number:
            number = _stem(row["file"])
        yield Row(Found(words, files, _part(row, where), number), where)


def _stem(name: str) -> str:
    return Path(name.replace("\\", "/")).with_suffix("").as_posix()


def _counted(names: Iterator[str]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _part(row: Mapping[str, str], where: str) -> Reading:
    """Which part of its file a row of the table names.

    Raises:
        DataError: one end is missing, is no number, or the part is empty.
    """
    for first, last, kind in (("start", "end", float), ("first_row", "last_row", int)):
        cells = row.get(first, ""), row.get(last, "")
        if not any(cells):
            continue
        try:
            begin, end = (kind(cell.replace(",", ".")) for cell in cells)
        except ValueError as error:
            raise DataError(f"{where}: {first} and {last} are '{cells[0]}' and '{cells[1]}'", "Give numbers") from error
        if begin < (0 if kind is float else 1) or end <= begin:
            raise DataError(f"{where}: {first} {cells[0]} and {last} {cells[1]} are no part of a file", "Correct them")
        if kind is float:
            return Reading(seconds=(float(begin), float(end)))
        return Reading(rows=(int(begin) - 1, int(end)))
    return Reading()


def _runs(one: Found, description: Description, problems: list[Problem]) -> Iterator[Found]:
    """The runs of equal labels (and subjects) of a file: rows without a label are the null class, or nothing."""
    path, stated = next(iter(one.files.values())), next(iter(description.streams.values()))
    asked = [c for c in (description.label_column, description.subject_column) if c is not None]
    try:
        table = read_delimited(path, stated.separator or "")
        keys = list(zip(*(table.cells(c) for c in positions(path, asked, stated)), strict=True))
        if description.whole_files:
            clock = positions(path, [stated.time.column], stated)[0] if stated.time else None
            times = row_times(path, TextSamples(table), stated, clock)
            yield from labelled_rows(one, keys, times, description, _stem(path.name))
            return
    except DataError as error:
        problems.append(Problem("corrupt", one.id, shown(path), error.problem))
        return
    for number, (first, behind) in enumerate(runs(keys), 1):
        label, *subject = keys[first]
        name = description.null_class if label.lower() in UNLABELLED_CELLS else label
        if name is None:
            continue
        values = {**one.values, "label": name}
        if subject:
            values["subject"] = plain_value("subject", subject[0])
        yield Found(values, one.files, Reading(rows=(first, behind)), f"{_stem(path.name)}-{number:04d}")


def positions(path: Path, columns: Sequence[Column], stated: StreamDescription) -> list[int]:
    """Numbers of columns, those with names looked up in the file's header.

    Raises:
        DataError: the file is missing or empty, has no header or one that should not be there, or not these names.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the path")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty (0 bytes)", "Remove this recording, or copy it again")
    if all(isinstance(c, int) for c in columns) and stated.header is None:
        return [c for c in columns if isinstance(c, int)]
    names = header_names(path, stated.separator or "")
    if stated.header is not None and stated.header != bool(names):
        has = f"begins with the names {first_few(names, 5, ', ')}" if names else "has no line of names"
        raise DataError(f"{path}: {has}, and dataset.yaml says header: {str(stated.header).lower()}", "Correct one")
    return [c if isinstance(c, int) else _named(path, c, names) for c in columns]


def header_names(path: Path, separator: str = "") -> tuple[str, ...]:
    """Names of a file's columns, of text by its first rows; empty where it has none.

    Raises:
        DataError: it is no readable table.
    """
    if path.suffix.lower() not in TEXT:
        return read_device(path).names if path.suffix.lower() in DEVICES else ()
    text, encoding = read_text(path, HEAD_BYTES)
    return parse_delimited(path, text, encoding, separator).names


def _named(path: Path, column: str, names: Sequence[str]) -> int:
    where = [k for k, name in enumerate(names) if name == column]
    if len(where) != 1:
        what = f"has no column '{column}'" if not where else f"has {len(where)} columns '{column}'"
        raise DataError(f"{path}: {what}, {nearest(column, names)}", "Correct columns: in dataset.yaml")
    return where[0]
