"""A small table of text, written by people: separator found, names of columns in small letters."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.errors import DataError, first_few
from vskd.preprocessing.text_file import read_text


@dataclass(frozen=True)
class Row:
    """A row: its line in the file, and its cells by column, without spaces around them."""

    line: int
    values: dict[str, str]


def read_table(path: Path, required: Sequence[str] = ()) -> list[Row]:
    """The rows of a CSV table with a header; empty lines are skipped.

    Args:
        path: of the table, separated by commas, semicolons or tabs.
        required: columns that it must have.

    Raises:
        DataError: it cannot be read or parsed, lacks a column or names one twice, or has rows of more or fewer cells
            than its header.
    """
    return _rows(path, read_text(path)[0].splitlines(), required)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The cells by column of a table whose rows all say something of their own; the first one is line 2 of the file.

    Raises:
        DataError: see `read_table`; or rows are blank or stand there twice.
    """
    lines = read_text(path)[0].splitlines()
    while lines and not lines[-1].strip(" "):
        lines.pop()
    nothing = f" {_separator(lines)}"
    blank = [n for n, line in enumerate(lines, 1) if not line.strip(nothing)]
    _refuse(path, blank, "blank", "Remove it")
    rows = _rows(path, lines)
    seen = Counter(tuple(row.values.values()) for row in rows)
    repeated = [row.line for row in rows if seen[tuple(row.values.values())] > 1]
    _refuse(path, repeated, "the same row more than once", "Leave one of them")
    return [row.values for row in rows]


def _rows(path: Path, lines: Sequence[str], required: Sequence[str] = ()) -> list[Row]:
    header, *rows = _cells(path, lines) or [[]]
    names = [name.strip().lower() for name in header]
    twice = first_few([f"'{name}'" for name, count in Counter(names).items() if count > 1], 4, ", ")
    if twice:
        raise DataError(f"{path}: several columns are called {twice}", "Give each column a name of its own")
    lacking = [name for name in required if name not in names]
    if lacking:
        raise DataError(
            f"{path} has no column {', '.join(lacking)} (it has: {', '.join(names) or 'nothing'})",
            f"Its first line must be the names of its columns: {', '.join(required)}",
        )
    filled = [(line, cells) for line, cells in enumerate(rows, 2) if cells]
    uneven = [line for line, cells in filled if len(cells) != len(names)]
    _refuse(path, uneven, "more or fewer cells than its header has", "Correct it")
    return [Row(line, dict(zip(names, (cell.strip() for cell in cells), strict=True))) for line, cells in filled]


def _cells(path: Path, lines: Sequence[str]) -> list[list[str]]:
    """The cells of every line, the header's first: none goes on in the next line, to make one name of two."""
    separator = _separator(lines)
    found: list[list[str]] = []
    for number, line in enumerate(lines, 1):
        try:
            found += csv.reader([line], delimiter=separator, strict=True)
        except csv.Error as error:
            raise DataError(
                f"{path}, line {number}: a quotation mark is not closed there, or cells go on behind it ({error})",
                "Close it in the same line; names and other cells are of one line",
            ) from error
    return found


def _separator(lines: Sequence[str]) -> str:
    """What separates the cells of a table, by its first line: comma, semicolon or tab."""
    return max(",;\t", key=lines[0].count) if lines else ","


def _refuse(path: Path, lines: list[int], what: str, action: str) -> None:
    if lines:
        raise DataError(f"{path}, line {first_few([str(n) for n in lines], 6, ', ')}: {what}", action)
