"""From a folder of sensor files to a data set: find out how they are read, and write it down beside a preview.

Whatever cannot be told is refused with the flag that says it; nothing is asked, and no file is copied or changed.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vskd.datasets.importing.clocks import Timing, find_timing
from vskd.datasets.importing.columns import AXES, ChosenColumns, choose_columns, number_of
from vskd.datasets.importing.name_pattern import guess_pattern
from vskd.datasets.importing.preview import draw_preview
from vskd.datasets.importing.protocols import folder_protocols
from vskd.datasets.importing.stated import Guess, Stated
from vskd.datasets.importing.units import Signals, UnitGuess, find_unit
from vskd.datasets.recording import Index
from vskd.datasets.sensors.folder_description import FILE, FORMAT, Column
from vskd.datasets.sensors.folder_files import SENSOR_FILES, header_names, pattern_regex, read_table
from vskd.datasets.sensors.sensor_folder import index
from vskd.datasets.signal_report import report_signals
from vskd.errors import DataError, first_few
from vskd.files import WriteError, write_text
from vskd.preprocessing.folders import composed, files_below
from vskd.preprocessing.sensor.column_names import columns_by_name
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.stated import open_stated
from vskd.preprocessing.sensor.units import parse_unit
from vskd.progress import track
from vskd.yaml_text import dump_yaml

SAMPLE = 48
"""Files that are read to the end for rate, unit and gravity, evenly from all; the names of columns are read of every
one."""
PREVIEW = "preview.png"
GYROSCOPE = "gyroscope"


@dataclass(frozen=True)
class Imported:
    """What an import wrote.

    Attributes:
        index: of the data set, read back.
        guesses: what was found out, and which flag changes it.
        notes: what a user should know.
        protocols: written beside dataset.yaml.
        preview: the plot.
    """

    index: Index
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]
    protocols: tuple[Path, ...]
    preview: Path


@dataclass(frozen=True)
class _Layout:
    """Which files there are, and how recordings are told apart."""

    files: tuple[Path, ...]
    pattern: str | None
    table: Path | None
    guess: Guess


def import_folder(folder: Path, out: Path, stated: Stated) -> Imported:
    """Describe a folder of sensor files in `out`, which becomes a data set of the kind `sensor-folder`.

    Args:
        folder: of the files; they stay there.
        out: folder for dataset.yaml, protocols and the preview.
        stated: what need not be guessed.

    Raises:
        DataError: something cannot be told, or is contradicted; the flag that says it is named.
        WriteError: `out` holds a data set already, or cannot be written.
    """
    if (out / FILE).exists():
        raise WriteError(f"{out / FILE} is there already", "Delete it, or choose another folder with --out")
    layout = _layout(folder, stated)
    samples, odd = _alike(layout.files, stated)
    first, content = next(iter(samples.items()))
    chosen = choose_columns(first, content, stated)
    timing = find_timing(samples, chosen, stated)
    signals = _signals(samples, chosen, folder)
    unit = find_unit(signals, timing.rate_hz, chosen, stated)
    streams = {stated.stream: _stream(layout, chosen, timing, unit, content, stated)}
    notes = [*odd, *_clock_notes(timing), *_second_stream(streams, layout, content, timing, stated)]
    description = _description(folder, out, layout, streams, first, content, stated)
    _check_before_writing(out, description)
    found = index(out)
    protocols = folder_protocols(found, out)
    draw_preview(found, stated.stream, out / PREVIEW)
    guesses = (layout.guess, *_guesses(content, chosen, timing, unit, found, stated))
    notes += [*_index_notes(found), *_signal_notes(found, stated)]
    return Imported(found, guesses, tuple(notes), protocols, out / PREVIEW)


def _layout(folder: Path, stated: Stated) -> _Layout:
    """The files, by a table, a pattern that is given, or the pattern that their names show."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", "Give the folder of the files")
    every = [path for path in files_below(folder) if path.suffix.lower() in SENSOR_FILES]
    table = folder / stated.table if stated.table else _table_among(every, folder)
    if table is not None:
        rows = read_table(table)
        files = [folder / row["file"].replace("\\", "/") for row in rows]
        there = tuple(dict.fromkeys(path for path in files if path.is_file()))
        if not there:
            raise DataError(f"{table}: none of its {len(rows)} files is there", "Give paths from the folder of files")
        said = f"{len(rows)} rows of {table.name}, {len(there)} files"
        return _Layout(there, None, table, Guess("recordings", said, "table", "--table"))
    if not every:
        raise DataError(f"{folder} holds no sensor file ({', '.join(sorted(SENSOR_FILES))})", "Give another folder")
    names = {composed(path.relative_to(folder).as_posix()): path for path in every}
    if stated.pattern:
        regex = pattern_regex(stated.pattern)
        matching = tuple(path for name, path in names.items() if regex.fullmatch(name))
        if not matching:
            raise DataError(f"No file fits --pattern '{stated.pattern}', e.g. {next(iter(names))}", "Correct --pattern")
        guess = Guess("files", f"{stated.pattern}: {len(matching)} of {len(names)}", "--pattern", "--pattern")
        return _Layout(matching, stated.pattern, None, guess)
    found = guess_pattern(list(names), needs_label=stated.label_column is None)
    guess = Guess("files", f"{found.pattern}: {len(names)} ({found.said})", "their names", "--pattern")
    return _Layout(tuple(names.values()), found.pattern, None, guess)


def _table_among(paths: Sequence[Path], folder: Path) -> Path | None:
    """A table of recordings directly in the folder: a CSV file with the columns file and label."""
    found = []
    for path in paths:
        if path.parent == folder and path.suffix.lower() in (".csv", ".tsv"):
            with path.open("rb") as file:
                first = file.readline(2000).decode("utf-8-sig", "replace").lower()
            names = {cell.strip(' "\r\n') for mark in ",;\t" for cell in first.split(mark)}
            found += [path] if {"file", "label"} <= names else []
    if len(found) > 1:
        raise DataError(f"Several tables list files: {first_few([p.name for p in found], 3, ', ')}", "Say --table")
    return found[0] if found else None


def _alike(files: Sequence[Path], stated: Stated) -> tuple[dict[Path, Samples], list[str]]:
    """A sample of the files, read; and what is odd about others. All must have the same columns.

    Raises:
        DataError: they have different columns, or most cannot be read.
    """
    bad: dict[Path, str] = {}
    kinds: dict[tuple[str, ...], list[Path]] = {}
    for path in track(list(files), "Looking at files"):
        try:
            if path.stat().st_size == 0:
                raise DataError(f"{path}: is empty (0 bytes)", "Remove it")
            kinds.setdefault(header_names(path, stated.separator or ""), []).append(path)
        except DataError as error:
            bad[path] = error.problem
    if len(kinds) > 1:
        shown = [f"{paths[0]} ({', '.join(names[:8]) or 'no names'})" for names, paths in kinds.items()]
        raise DataError(
            f"The files have different columns: {first_few(shown, 3)}",
            "Import the files of each kind by themselves: --pattern names them",
        )
    good = next(iter(kinds.values()), [])
    samples: dict[Path, Samples] = {}
    for path in [good[k] for k in np.unique(np.linspace(0, len(good) - 1, min(SAMPLE, len(good))).astype(int))]:
        try:
            samples[path] = open_stated(path, stated.separator or "", stated.variable)
        except DataError as error:
            bad[path] = error.problem
    if len(samples) <= len(bad):
        raise DataError(f"{len(bad)} of the files cannot be read: {first_few(list(bad.values()), 3)}", "Mend them")
    widths = {s.width: path for path, s in samples.items()}
    if len(widths) > 1:
        shown = [f"{path} has {width}" for width, path in widths.items()]
        raise DataError(f"The files have different numbers of columns: {first_few(shown, 3)}", "Say --pattern")
    return samples, [f"cannot be read: {problem}" for problem in bad.values()]


def _signals(samples: Mapping[Path, Samples], chosen: ChosenColumns, folder: Path) -> Signals:
    """The axes as they are written, without rows that have an empty cell.

    Raises:
        DataError: a column is no column of numbers.
    """
    signals = {}
    for path, content in samples.items():
        rows = np.stack([_numbers(content, k) for k in chosen.numbers]).astype(np.float32)
        kept = rows[:, np.isfinite(rows).all(axis=0)]
        if kept.shape[1] > 1:
            signals[str(path.relative_to(folder))] = kept
    if not signals:
        raise DataError("No file holds two rows of numbers in these columns", "Name others with --columns")
    return signals


def _numbers(samples: Samples, column: int) -> "np.typing.NDArray[np.float64]":
    from vskd.preprocessing.sensor.samples import TextSamples

    if isinstance(samples, TextSamples):
        return samples.table.numbers(column, empty=True)
    return np.asarray(samples.numbers(column), dtype=np.float64)


def _stream(
    layout: _Layout, chosen: ChosenColumns, timing: Timing, unit: UnitGuess, content: Samples, stated: Stated
) -> dict[str, Any]:
    """One stream of dataset.yaml."""
    separator = stated.separator or getattr(getattr(content, "table", None), "separator", None)
    optional = {
        "separator": separator,
        "variable": stated.variable,
        "axes": None if len(chosen.columns) == len(AXES) else [f"axis{n}" for n in range(1, len(chosen.columns) + 1)],
        "signs": list(stated.signs),
        "time": None if chosen.time is None else {"column": chosen.time, "unit": timing.unit},
        "offset": stated.offset,
        "range": stated.range_limit,
        "position": stated.position,
    }
    return {
        **({"files": layout.pattern} if layout.pattern else {}),
        "columns": list(chosen.columns),
        "rate_hz": timing.rate_hz,
        "unit": unit.unit,
        **{key: value for key, value in optional.items() if value},
        **({"calibrated": False} if stated.uncalibrated else {}),
    }


def _second_stream(
    streams: dict[str, Any], layout: _Layout, content: Samples, timing: Timing, stated: Stated
) -> list[str]:
    """Add a gyroscope in the same files, where names and units of columns are plain; else say that it is left out."""
    if stated.stream == GYROSCOPE or any(stated.of_stream) or not content.names:
        return []
    columns = columns_by_name(content.names, AXES, GYROSCOPE).columns
    if not columns or set(columns) & set(columns_by_name(content.names, AXES, stated.stream).columns):
        return []
    chosen = choose_columns(layout.files[0], content, replace(stated, stream=GYROSCOPE))
    known = parse_unit(chosen.unit)
    if known is None or known.quantity != "angular rate":
        names = ", ".join(content.names[k] for k in columns)
        return [f"the gyroscope ({names}) is left out, because the files do not say its unit; add it to {FILE}"]
    streams[GYROSCOPE] = _stream(layout, chosen, timing, UnitGuess(chosen.unit, "header"), content, stated)
    return []


def _clock_notes(timing: Timing) -> list[str]:
    """Odd clocks: those that are broken by name, the others counted."""
    notes = [f"broken clock: {text}" for text in timing.broken]
    uneven = f"{timing.uneven} of the files read have late, missing or repeated samples"
    return [*notes, uneven] if timing.uneven else notes


def _description(
    folder: Path,
    out: Path,
    layout: _Layout,
    streams: Mapping[str, Any],
    first: Path,
    content: Samples,
    stated: Stated,
) -> dict[str, Any]:
    """The content of dataset.yaml."""

    def column(word: str | None, flag: str) -> Column | None:
        if word is None:
            return None
        number = number_of(first, content, word, flag)
        return content.names[number] if content.names else number

    said = {
        "table": _relative(layout.table, out) if layout.table else None,
        "label_column": column(stated.label_column, "--label-column"),
        "subject_column": column(stated.subject_column, "--subject-column"),
        "null_class": stated.null_class,
        "whole_files": stated.whole_files or None,
    }
    return {
        "format": FORMAT,
        "root": _relative(folder, out),
        **{key: value for key, value in said.items() if value is not None},
        "streams": dict(streams),
    }


def _relative(path: Path, folder: Path) -> str:
    """A path from a folder; as it is where there is none, e.g. on another disk of Windows."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _check_before_writing(out: Path, description: Mapping[str, Any]) -> None:
    """Write dataset.yaml; take it away again where it describes no data set.

    Raises:
        DataError: see `index`.
    """
    write_text(out / FILE, dump_yaml(dict(description)))
    try:
        index(out)
    except DataError:
        (out / FILE).unlink()
        raise


def _guesses(
    content: Samples, chosen: ChosenColumns, timing: Timing, unit: UnitGuess, found: Index, stated: Stated
) -> list[Guess]:
    clock = f"{chosen.time}, {timing.unit} ({timing.unit_source})" if chosen.time is not None else "none"
    signs = "".join(f", sign {sign:+d}" for sign in stated.signs)
    labels = "label column" if stated.label_column else "names or table"
    subjects = f"{len(found.subjects)}: {first_few(list(found.subjects), 6, ', ')}"
    return [
        Guess("format", content.kind, "the first rows", "--separator"),
        Guess("stream", stated.stream, "names" if chosen.source == "names" else "default", "--stream"),
        Guess("columns", f"{', '.join(map(str, chosen.columns))}{signs}", chosen.source, "--columns"),
        Guess("clock", clock, chosen.time_source or "no column is one", "--time, --time-unit"),
        Guess("rate", f"{timing.rate_hz:g} Hz", timing.rate_source, "--rate"),
        Guess("unit", unit.unit, unit.source, "--unit"),
        Guess("subjects", subjects, "subject column" if stated.subject_column else "names or table", "--pattern"),
        Guess("labels", f"{len(found.labels)}: {first_few(list(found.labels), 8, ', ')}", labels, "--pattern"),
    ]


def _signal_notes(found: Index, stated: Stated) -> list[str]:
    """What all recordings show, read to the end: what training would refuse, and what it would not."""
    summary = report_signals(found, stated.stream).summary()
    refused = summary["without_1_g"] and not stated.uncalibrated
    action = (
        " and are refused by training, which stops where they are more than 2 %: remove them, or say --unit UNIT "
        "--uncalibrated if the device is known for it (calibrated: false in dataset.yaml)"
    )
    said = {
        "unreadable": "cannot be read",
        "without_1_g": f"do not show 1 g at rest{action if refused else ''}",
        "with_gaps": f"have gaps in time, the longest {summary['longest_gap_s']:.2g} s",
        "saturated": "reach the range of the device",
    }
    return [f"{summary[key]} of {len(found)} recordings {what}" for key, what in said.items() if summary[key]]


def _index_notes(found: Index) -> list[str]:
    """What the index of the new data set says is wrong, counted by kind."""
    counts: dict[str, int] = {}
    for problem in found.problems:
        counts[problem.kind] = counts.get(problem.kind, 0) + 1
    notes = [f"{count} {kind}: `vskd datasets index sensor-folder` names them" for kind, count in counts.items()]
    if "unknown" in found.subjects:
        notes.append(
            "nobody knows the subject of some recordings: no protocol can keep people apart (--pattern, --table)"
        )
    return notes
