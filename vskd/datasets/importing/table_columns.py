"""Which columns of a table of recordings name the file, the label, and start and end of an interval: by their names."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from vskd.datasets.sensors.folder_files import TABLE_COLUMNS
from vskd.errors import DataError, SettingError, first_few

_TIME = "time s sec secs second seconds timestamp utc datetime at"
_WORDS = {
    "file": ("file filename filepath path", "name path"),
    "subject": ("subject subj participant person user volunteer", "id no nr number name"),
    "label": ("label activity action class annotation gesture", "name"),
    "trial": ("trial repetition rep take", "id no nr number"),
    "start": ("start begin beginning onset from starttime begintime", _TIME),
    "end": ("end stop finish to endtime stoptime", _TIME),
}
"""Words that name a column, and words that may stand beside them. `start_ms` is no start: they are in seconds."""
_KIND_OF = {word: kind for kind, (words, _) in _WORDS.items() for word in words.split()}
_BESIDE = {kind: frozenset(beside.split()) for kind, (_, beside) in _WORDS.items()}
_BORDER = {word for word, kind in _KIND_OF.items() if kind in ("start", "end")} - {"from", "to"}
_OF_BORDER = {"ms", "us", "ns", "millis", "milliseconds", "row", "sample", "frame", "index", "label", "activity"}
FLAG = "--table-columns file=NAME,label=NAME,start=NAME,end=NAME"


def table_columns(
    table: Path, rows: Sequence[Mapping[str, str]], stated: Mapping[str, str], *, needs_label: bool
) -> dict[str, str]:
    """What the columns of a table are called that stand for `file`, `label` and so on, where they are called otherwise.

    A column that bears the very name is it, whatever else there is. Of others the names must say exactly one thing.

    Args:
        table: for messages.
        rows: its cells by name of the column, in small letters.
        stated: what the caller says, by what it stands for.
        needs_label: whether the table must name labels.

    Raises:
        DataError: a column is missing, two may be meant, or nothing says which part of a file a row is.
        SettingError: the caller names something that no table has.
    """
    names = list(rows[0]) if rows else []
    unknown = [kind for kind in stated if kind not in TABLE_COLUMNS]
    if unknown:
        raise SettingError(
            f"--table-columns: '{unknown[0]}' is nothing that a table says", f"Name {', '.join(TABLE_COLUMNS)}"
        )
    found = dict(stated)
    for kind in _WORDS:
        meant = [name for name in names if name not in stated.values() and kind_of_column(name) == kind]
        if kind in found or kind in names or not meant:
            continue
        if len(meant) > 1:
            raise DataError(f"{table}: the columns {_quoted(meant)} may all be the {kind}", f"Say which with {FLAG}")
        found[kind] = meant[0]
    missing = [kind for kind in ("file", "label") if kind not in {*found, *names} and (needs_label or kind == "file")]
    if missing:
        raise DataError(
            f"{table}: has the columns {_quoted(names)}, and none is known to name the {' or the '.join(missing)}",
            f"Say which they are with {FLAG} (and subject, trial), or call them so in the table",
        )
    _check_parts(table, rows, found)
    return found


def _check_parts(table: Path, rows: Sequence[Mapping[str, str]], found: Mapping[str, str]) -> None:
    """Refuse a table that seems to speak of parts of files, and whose columns do not say of which."""
    names = list(rows[0])
    there = {*found, *names}
    if {"start", "end"} <= there or {"first_row", "last_row"} <= there:
        return
    borders = [name for name in names if _is_border(name)]
    files = {row.get(found.get("file", "file"), "") for row in rows}
    if borders or len({tuple(row.values()) for row in rows}) > len(files):
        why = f"the columns {_quoted(borders)} are called like its borders" if borders else "several rows name one file"
        raise DataError(
            f"{table}: which part of a file a row is cannot be told: {why}; its columns are {_quoted(names)}",
            "Give start and end (seconds since the file's first sample, or dates with times), or first_row and "
            f"last_row (counted from 1), by these names or with {FLAG}",
        )


def _quoted(names: Sequence[str]) -> str:
    return first_few([f"'{name}'" for name in names], 12, ", ")


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", name))


def _is_border(name: str) -> bool:
    words = _words(name)
    return bool(words & _BORDER) and words <= _BORDER | _OF_BORDER | _BESIDE["start"]


def kind_of_column(name: str) -> str:
    """What a column's name says, exactly; empty where it says nothing, or more.

    >>> kind_of_column("participant_id"), kind_of_column("start (s)"), kind_of_column("start_ms")
    ('subject', 'start', '')
    """
    words = _words(name)
    kinds = {_KIND_OF[word] for word in words if word in _KIND_OF}
    if len(kinds) != 1:
        return ""
    (kind,) = kinds
    return kind if all(word in _KIND_OF or word in _BESIDE[kind] for word in words) else ""
