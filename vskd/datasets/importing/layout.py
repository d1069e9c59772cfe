"""The files of a folder: which of them are recordings, by a table, a pattern or their names; and some of them, read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vskd.datasets.importing.name_pattern import guess_pattern
from vskd.datasets.importing.other_files import other_files
from vskd.datasets.importing.stated import Guess, Stated
from vskd.datasets.importing.table_columns import kind_of_column, table_columns
from vskd.datasets.sensors.folder_files import SENSOR_FILES, read_header, read_table
from vskd.datasets.sensors.name_words import words_of_name
from vskd.errors import DataError, first_few
from vskd.preprocessing.folders import composed, files_below
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.stated import open_stated
from vskd.preprocessing.sensor.units import parse_unit
from vskd.preprocessing.table_file import read_rows
from vskd.progress import track

SAMPLE = 48
"""Files that are read to the end for rate, unit and gravity, evenly from all; the names of columns are read of every
one."""
STREAM = "{stream}"
"""In a pattern: where a sensor was worn, of sensors that were worn at once."""


@dataclass(frozen=True)
class Layout:
    """Which files there are, and how recordings are told apart: by a pattern, or by a table.

    `table_columns`: what its columns are called that stand for file, label and so on, where they are called otherwise;
    `notes`: which files are not read.
    """

    files: tuple[Path, ...]
    pattern: str | None
    table: Path | None
    guess: Guess
    table_columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_layout(folder: Path, stated: Stated) -> Layout:
    """The files, by a table, a pattern that is given, or the pattern that their names show.

    Raises:
        DataError: there are none, or their names do not tell recordings apart; the flag that does is named.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", "Give the folder of the files")
    pairs = folder / stated.video_table if stated.video_table else None
    there = list(files_below(folder))
    every = [path for path in there if path.suffix.lower() in SENSOR_FILES and path != pairs]
    others, action = other_files(there)
    table = folder / stated.table if stated.table else _table_among(every, folder)
    if table is not None:
        called = table_columns(
            table, read_rows(table), dict(stated.table_columns), needs_label=stated.label_column is None
        )
        rows = read_table(table, called)
        files = [folder / row["file"].replace("\\", "/") for row in rows]
        listed = tuple(dict.fromkeys(path for path in files if path.is_file()))
        if not listed:
            raise DataError(f"{table}: none of its {len(rows)} files is there", "Give paths from the folder of files")
        said = f"{len(rows)} rows of {table.name}, {len(listed)} files"
        said += "".join(f", {kind} = {name}" for kind, name in called.items())
        return Layout(listed, None, table, Guess("recordings", said, "table", "--table, --table-columns"), called)
    if not every:
        holds = f"; it holds {others}" if others else "" if there else "; it is empty"
        raise DataError(
            f"{folder} holds no sensor file ({', '.join(sorted(SENSOR_FILES))}){holds}", action or "Give another folder"
        )
    notes = (f"files that vskd does not read are left out: {others} ({action})",) if others else ()
    names = {composed(path.relative_to(folder).as_posix()): path for path in every}
    if stated.pattern:
        matching = tuple(path for name, path in names.items() if words_of_name(stated.pattern, name) is not None)
        if not matching:
            raise DataError(f"No file fits --pattern '{stated.pattern}', e.g. {next(iter(names))}", "Correct --pattern")
        guess = Guess("files", f"{stated.pattern}: {len(matching)} of {len(names)}", "--pattern", "--pattern")
        return Layout(matching, stated.pattern, None, guess, notes=notes)
    found = guess_pattern(list(names), needs_label=stated.label_column is None)
    for name in names:
        words_of_name(found.pattern, name)  # refuses names that can be read in several ways
    said = f"{found.pattern}: {len(names)}{f' ({found.said})' if found.said else ''}"
    guess = Guess("files", said, "their names", "--pattern")
    return Layout(tuple(names.values()), found.pattern, None, guess, notes=notes)


def _table_among(paths: Sequence[Path], folder: Path) -> Path | None:
    """A table of recordings directly in the folder: a CSV file with columns that name files and labels."""
    found = []
    for path in paths:
        if path.parent == folder and path.suffix.lower() in (".csv", ".tsv"):
            with path.open("rb") as file:
                first = file.readline(2000).decode("utf-8-sig", "replace").lower()
            names = {cell.strip(' "\r\n') for mark in ",;\t" for cell in first.split(mark)}
            found += [path] if {"file", "label"} <= {kind_of_column(name) for name in names} else []
    if len(found) > 1:
        raise DataError(f"Several tables list files: {first_few([p.name for p in found], 3, ', ')}", "Say --table")
    return next(iter(found), None)


def layouts_by_stream(layout: Layout, folder: Path, stated: Stated) -> list[tuple[Layout, Stated]]:
    """The files of each stream, where `{stream}` in the pattern stands for the place at which a sensor was worn.

    Of each, the stream is named after its place.
    """
    if layout.pattern is None or STREAM not in layout.pattern:
        return [(layout, stated)]
    places: dict[str, list[Path]] = {}
    for path in layout.files:
        words = words_of_name(layout.pattern, composed(path.relative_to(folder).as_posix())) or {}
        places.setdefault(words.get("stream", ""), []).append(path)
    return [
        (
            replace(layout, files=tuple(files), pattern=layout.pattern.replace(STREAM, place)),
            replace(stated, stream=f"{stated.stream}-{place.lower()}", position=" ".join(re.split(r"[\W_]+", place))),
        )
        for place, files in places.items()
    ]


def read_alike(files: Sequence[Path], stated: Stated) -> tuple[dict[Path, Samples], list[str]]:
    """A sample of the files, read; and what is odd about others. All must have the same columns, in one unit each.

    Raises:
        DataError: they have different columns or units, or most cannot be read.
    """
    bad: dict[Path, DataError] = {}
    kinds: dict[tuple[str, ...], list[Path]] = {}
    units: dict[Path, tuple[str, ...]] = {}
    for path in track(list(files), "Looking at files"):
        try:
            if path.stat().st_size == 0:
                raise DataError(f"{path}: is empty (0 bytes)", "Remove it")
            names, units[path] = read_header(path, stated.separator or "", stated.variable)
            kinds.setdefault(names, []).append(path)
        except DataError as error:
            bad[path] = error
    if len(kinds) > 1:
        shown = [f"{paths[0]} ({', '.join(names[:8]) or 'no names'})" for names, paths in kinds.items()]
        raise DataError(
            f"The files have different columns: {first_few(shown, 3)}",
            "Import the files of each kind by themselves: --pattern names them",
        )
    _refuse_several_units(units, next(iter(kinds), ()))
    good = next(iter(kinds.values()), [])
    samples: dict[Path, Samples] = {}
    for path in [good[k] for k in np.unique(np.linspace(0, len(good) - 1, min(SAMPLE, len(good))).astype(int))]:
        try:
            samples[path] = open_stated(path, stated.separator or "", stated.variable)
        except DataError as error:
            bad[path] = error
    if len(samples) <= len(bad):
        first, problems = next(iter(bad.values())), [error.problem for error in bad.values()]
        raise DataError(f"{len(bad)} of the files cannot be read: {first_few(problems, 3)}", first.action)
    widths = {s.width: path for path, s in samples.items()}
    if len(widths) > 1:
        shown = [f"{path} has {width}" for width, path in widths.items()]
        raise DataError(f"The files have different numbers of columns: {first_few(shown, 3)}", "Say --pattern")
    return samples, [f"cannot be read: {error.problem}" for error in bad.values()]


def _refuse_several_units(units: Mapping[Path, Sequence[str]], names: Sequence[str]) -> None:
    """Refuse files that say different units of a column: one unit is written down for all of them.

    Raises:
        DataError: see above; a file of each unit is named.
    """
    first: dict[tuple[int, str], tuple[Path, str]] = {}
    for path, said in units.items():
        for column, unit in enumerate(said):
            known = parse_unit(unit)
            key = f"{known.quantity} {known.factor}" if known else unit
            if unit:
                first.setdefault((column, key), (path, unit))
    for column in {column for column, _ in first}:
        found = [(path, unit) for (number, _), (path, unit) in first.items() if number == column]
        if len(found) > 1:
            what = f" of {names[column]}" if names else ""
            shown = [f"{path} says {unit}" for path, unit in found]
            raise DataError(
                f"The files say different units{what}: {first_few(shown, 3)}",
                "Convert them to one, or import those of each unit by themselves: --pattern or --table names them",
            )
