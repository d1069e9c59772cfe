"""Find the recordings that `dataset.yaml` describes: by patterns, by a table, by runs of a label column."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.datasets.recording import Problem
from vskd.datasets.sensors.folder_description import Column, Description, StreamDescription
from vskd.datasets.sensors.folder_found import FILE, Found, plain_value
from vskd.datasets.sensors.folder_null import with_null_class
from vskd.datasets.sensors.folder_timeline import (
    UNLABELLED_CELLS,
    Clock,
    Row,
    labelled_rows,
    row_times,
    whole_files,
)
from vskd.datasets.sensors.name_words import words_of_name
from vskd.datasets.sync.table import FILE as SYNC
from vskd.errors import DataError, first_few, nearest
from vskd.preprocessing.folders import composed, files_below, shown
from vskd.preprocessing.sensor.clock import PAUSE_S
from vskd.preprocessing.sensor.column_file import COLUMN_FILES
from vskd.preprocessing.sensor.delimited import parse_delimited
from vskd.preprocessing.sensor.device_file import DEVICES
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.stamps import is_local, start_of
from vskd.preprocessing.sensor.stated import open_stated
from vskd.preprocessing.table_file import read_rows
from vskd.preprocessing.text_file import TEXT, read_text

SENSOR_FILES = TEXT | DEVICES | COLUMN_FILES | {".npy"}
HEAD_BYTES = 8192
_NUMBERS = {
    float: "Give both in seconds since the file's first sample, or as dates with times",
    int: "Give numbers of data rows, counted from 1",
}
_PART_COLUMNS = ("start", "end", "first_row", "last_row")
TABLE_COLUMNS = ("file", "subject", "label", "trial", *_PART_COLUMNS)
"""What a table of recordings says; other columns are factors."""


def list_recordings(root: Path, description: Description, problems: list[Problem]) -> list[Found]:
    """All recordings that are described; what is odd goes to `problems`.

    Raises:
        DataError: a folder or the table cannot be read.
    """
    folder = root / description.root
    if description.table is not None:
        rows = list(_by_table(root / description.table, folder, description, problems))
        if description.whole_files and description.label_column is None:
            return list(whole_files(rows, description, _clock_of(description)))
        if description.null_class is not None and not description.by_rows:
            return with_null_class(rows, description, _clock_of(description), problems)
        found = [row.found for row in rows]
    else:
        tables = {(root / video.table).resolve() for video in description.videos.values()}
        found = _by_patterns(folder, description, tables, problems)
    if not description.by_rows:
        return found
    return [run for one in found for run in _runs(one, description, problems)]


def _clock_of(description: Description) -> Clock:
    """Of a file the column of time stamps, by the first stream; files may have their columns in another order."""
    stated = next(iter(description.streams.values()))
    return lambda path: _clock(path, stated)


def _clock(path: Path, stated: StreamDescription) -> int | None:
    """The column of time stamps of a file; None where none is stated."""
    if stated.time is None:
        return None
    (column,) = positions(path, [stated.time.column], stated)
    return column


def _by_patterns(folder: Path, description: Description, tables: Set[Path], problems: list[Problem]) -> list[Found]:
    """The files that match; files of one recording have the same words. `tables` pair videos."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", "Correct root: in dataset.yaml")
    groups: dict[tuple[tuple[str, str], ...], dict[str, Path]] = {}
    for path in files_below(folder):
        name = composed(path.relative_to(folder).as_posix())
        try:
            said = [(stream, words_of_name(one.files or "", name)) for stream, one in description.streams.items()]
        except DataError as error:
            problems.append(Problem("unknown", "", shown(path), error.problem))
            continue
        matches = [(stream, words) for stream, words in said if words is not None]
        own = path.name in (FILE, SYNC) or path.resolve() in tables
        if not matches and path.suffix.lower() in SENSOR_FILES and not own:
            problems.append(Problem("unknown", "", shown(path), "its name does not fit the pattern of any stream"))
        for stream, words in matches:
            values = {word: plain_value(word, value) for word, value in words.items()}
            files = groups.setdefault(tuple(sorted(values.items())), {})
            if files.setdefault(stream, path) != path:
                detail = f"the same subject, label and trial as {files[stream]}"
                problems.append(Problem("duplicate", Found(values, files).id, shown(path), detail))
    return [Found(dict(key), files) for key, files in groups.items()]


def read_table(path: Path, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of a table of recordings by column; names of columns in small letters.

    Args:
        path: of the table.
        columns: see `Description.table_columns`.

    Raises:
        DataError: it cannot be read, has no rows, no column `file`, or not those that `columns` names.
    """
    rows = read_rows(path)
    if not rows:
        raise DataError(f"{path}: holds no row below the names of its columns", "Complete the table")
    called = {name.strip().lower(): kind for kind, name in columns.items()}
    missing = [name for name in called if name not in rows[0]]
    if missing or ("file" not in rows[0] and "file" not in columns):
        lacking = missing[0] if missing else "file"
        raise DataError(
            f"{path}: has no column '{lacking}'; its columns are {first_few(list(rows[0]), 12, ', ')}",
            "Say what they stand for with --table-columns (table_columns: in dataset.yaml), e.g. file=NAME,label=NAME",
        )
    # A column that bears a name which another one was stated for is none of these: it is left out.
    return [{called.get(n, n): v for n, v in row.items() if n in called or n not in columns} for row in rows]


def _by_table(table: Path, folder: Path, description: Description, problems: list[Problem]) -> Iterator[Row]:
    """The rows of the table; recordings of one file are numbered where nothing else tells them apart."""
    rows = read_table(table, {str(kind): name for kind, name in description.table_columns.items()})
    shared = {name for name, count in Counter(row["file"] for row in rows).items() if count > 1}
    numbers = {name: itertools.count(1) for name in shared}
    for line, row in enumerate(rows, 2):
        where, path = f"{table}, line {line}", folder / row["file"].replace("\\", "/")
        if not path.is_file():
            problems.append(Problem("missing", "", shown(path), f"{where}: there is no such file"))
            continue
        words = {n: plain_value(n, v) for n, v in row.items() if v and n not in ("file", *_PART_COLUMNS)}
        if description.label_column is None and "label" not in words:
            raise DataError(
                f"{where}: no label",
                "Complete the table; where nobody knows it, write a word such as unlabelled, and say --unlabelled "
                "unlabelled (the same in dataset.yaml)",
            )
        number = f"{_stem(row['file'])}-{next(numbers[row['file']]):04d}" if row["file"] in shared else ""
        files = dict.fromkeys(description.streams, path)
        if "trial" not in words and not number:
            number = _stem(row["file"])
        yield Row(Found(words, files, _part(_since_first(row, path, description, where), where), number), where)


def _stem(name: str) -> str:
    return Path(name.replace("\\", "/")).with_suffix("").as_posix()


def _since_first(row: Mapping[str, str], path: Path, description: Description, where: str) -> Mapping[str, str]:
    """A row whose start and end are seconds since the file's first sample, where they are moments.

    Raises:
        DataError: the file's own times cannot be compared with them.
    """
    moments = {name: start_of(row.get(name, "")) for name in ("start", "end") if row.get(name)}
    if not any(moment is not None for moment in moments.values()):
        return row
    streams = list(description.streams.values())
    first = first_stamp(path, next((stream for stream in streams if stream.time), streams[0]))
    begin = start_of(first) if first else None
    if begin is None or None in moments.values() or len({is_local(row[n]) for n in moments} | {is_local(first)}) > 1:
        own = f"begins at '{first}'" if first else "has no clock"
        raise DataError(
            f"{where}: start and end are moments ('{row.get('start')}', '{row.get('end')}'), and {path} {own}",
            "Give both in one way: dates with times, both with or both without an offset; or seconds since the first "
            "sample",
        )
    return {**row, **{name: f"{moment - begin:.6f}" for name, moment in moments.items() if moment is not None}}


def first_stamp(path: Path, stated: StreamDescription) -> str:
    """The first time stamp of a file as it is written, empty where there is none; of text only the first rows are read.

    Raises:
        DataError: it is no readable table, or has no such column.
    """
    column = _clock(path, stated)
    if path.suffix.lower() in TEXT:
        table = parse_delimited(path, *read_text(path, HEAD_BYTES), stated.separator or "")
        if column is None:
            return table.declared.get("start", "")
        return table.rows[0][column].strip() if column < table.width else ""
    return "" if column is None else open_stated(path, variable=stated.variable).first(column)


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
            raise DataError(f"{where}: {first} and {last} are '{cells[0]}' and '{cells[1]}'", _NUMBERS[kind]) from error
        if begin < (0 if kind is float else 1) or end <= begin:
            raise DataError(f"{where}: {first} {cells[0]} and {last} {cells[1]} are no part of a file", "Correct them")
        if kind is float:
            return Reading(seconds=(float(begin), float(end)))
        return Reading(rows=(int(begin) - 1, int(end)))
    return Reading()


def _runs(one: Found, description: Description, problems: list[Problem]) -> Iterator[Found]:
    """The runs of equal labels, subjects and factors of a file; rows without a label are the null class, or nothing.

    A pause of the clock ends a run, too.
    """
    path, stated = next(iter(one.files.values())), next(iter(description.streams.values()))
    asked = {"label": description.label_column, "subject": description.subject_column}
    words = {word: c for word, c in (*asked.items(), *((f, f) for f in description.factor_columns)) if c is not None}
    try:
        samples = open_stated(path, stated.separator or "", stated.variable)
        places = positions(path, list(words.values()), stated)
        if max(places) >= samples.width:
            raise DataError(f"{path}: has {samples.width} columns and no column {max(places)}", "Correct dataset.yaml")
        keys = list(zip(*(samples.cells(c) for c in places), strict=True))
        if description.whole_files:
            times = row_times(path, samples, stated, _clock(path, stated))
            yield from labelled_rows(one, tuple(words), keys, times, description, _stem(path.name))
            return
    except DataError as error:
        problems.append(Problem("corrupt", one.id, shown(path), error.problem))
        return
    codes = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    changed = np.diff([codes[key] for key in keys], prepend=-1) != 0
    starts = np.flatnonzero(changed | _begins_anew(path, samples, stated)).tolist()
    for number, (first, behind) in enumerate(zip(starts, [*starts[1:], len(keys)], strict=True), 1):
        values = {**one.values, **{w: plain_value(w, cell) for w, cell in zip(words, keys[first], strict=True)}}
        known = values.get("label") != description.unlabelled
        if "label" in words and known and values["label"].lower() in UNLABELLED_CELLS:
            if description.null_class is None:
                continue
            values["label"] = description.null_class
        yield Found(values, one.files, Reading(rows=(first, behind)), f"{_stem(path.name)}-{number:04d}")


def _begins_anew(path: Path, samples: Samples, stated: StreamDescription) -> npt.NDArray[np.bool_]:
    """The rows before which the clock of a file pauses, or jumps back, for so long that another recording begins."""
    read = None
    if stated.time is not None and (column := _clock(path, stated)) is not None:
        read = samples.stamps(column, stated.time.seconds(stated.rate_hz))
    if read is None:
        return np.zeros(1, dtype=bool)  # of all rows; what is wrong with the clock is said when the samples are read
    return np.asarray(np.abs(np.diff(read[0], prepend=read[0][:1])) > PAUSE_S)


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
    names = header_names(path, stated.separator or "", stated.variable)
    if stated.header is not None and stated.header != bool(names):
        has = f"begins with the names {first_few(names, 5, ', ')}" if names else "has no line of names"
        raise DataError(f"{path}: {has}, and dataset.yaml says header: {str(stated.header).lower()}", "Correct one")
    return [c if isinstance(c, int) else _named(path, c, names) for c in columns]


def header_names(path: Path, separator: str = "", variable: str = "") -> tuple[str, ...]:
    """Names of a file's columns, of text by its first rows; empty where it has none.

    Raises:
        DataError: it is no readable table.
    """
    return read_header(path, separator, variable)[0]


def read_header(path: Path, separator: str = "", variable: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of a file's columns, as `header_names`; of a column without a unit "".

    Raises:
        DataError: it is no readable table.
    """
    if path.suffix.lower() == ".npy" or (path.suffix.lower() == ".mat" and variable):
        return (), ()
    if path.suffix.lower() not in TEXT:
        samples = open_stated(path, variable=variable)
        return samples.names, samples.units
    text, encoding = read_text(path, HEAD_BYTES)
    table = parse_delimited(path, text, encoding, separator)
    said = table.declared.get("unit", "")
    return table.names, tuple(unit or said for unit in table.units) or ((said,) if said else ())


def _named(path: Path, column: str, names: Sequence[str]) -> int:
    where = [k for k, name in enumerate(names) if name == column]
    if len(where) != 1:
        what = f"has no column '{column}'" if not where else f"has {len(where)} columns '{column}'"
        raise DataError(f"{path}: {what}, {nearest(column, names)}", "Correct columns: in dataset.yaml")
    (number,) = where
    return number
