"""A small table of text, written by people: separator found, names of columns in small letters."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vskd.errors import DataError, first_few
from vskd.preprocessing.text_file import read_text


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table by column, without spaces around cells; the first one is line 2 of the file.

    Raises:
        DataError: it cannot be read, names a column twice, or has rows that are blank, stand there twice, or have more
            or fewer cells than its header.
    """
    lines = read_text(path)[0].splitlines()
    while lines and not lines[-1].strip(" "):
        lines.pop()
    blank = f" {separator_of(lines[0])}" if lines else " "
    _refuse(path, [n for n, line in enumerate(lines, 1) if not line.strip(blank)], "blank", "Remove it")
    header, *rows = cells_of(path, lines) or [[]]
    columns = [name.strip().lower() for name in header]
    names = Counter(columns)
    twice = first_few([f"'{name}'" for name, count in names.items() if count > 1], 4, ", ")
    if twice:
        raise DataError(f"{path}: several columns are called {twice}", "Give each column a name of its own")
    uneven = [n for n, row in enumerate(rows, 2) if len(row) != len(columns)]
    _refuse(path, uneven, "more or fewer cells than its header has", "Correct it")
    found = [dict(zip(columns, map(str.strip, row), strict=True)) for row in rows]
    seen = Counter(tuple(row.values()) for row in found)
    repeated = [n for n, row in enumerate(found, 2) if seen[tuple(row.values())] > 1]
    _refuse(path, repeated, "the same row more than once", "Leave one of them")
    return found


def cells_of(path: Path, lines: Sequence[str]) -> list[list[str]]:
    """The cells of each line of a table; a cell does not go on in the next line.

    Args:
        path: for messages.
        lines: of the file; the first one says by what cells are separated.

    Raises:
        DataError: quotation marks of a line do not fit.
    """
    separator, found = separator_of(lines[0]) if lines else ",", []
    for number, line in enumerate(lines, 1):
        try:
            found += list(csv.reader([line], delimiter=separator, strict=True))
        except csv.Error as error:
            raise DataError(
                f"{path}, line {number}: a quotation mark is not closed there, or cells go on behind it ({error})",
                "Close it in the same line; names and other cells are of one line",
            ) from error
    return found


def separator_of(header: str) -> str:
    """What separates the cells of a table, by its first line: comma, semicolon or tab."""
    return max(",;\t", key=header.count)


def _refuse(path: Path, lines: list[int], what: str, action: str) -> None:
    if lines:
        raise DataError(f"{path}, line {first_few([str(n) for n in lines], 6, ', ')}: {what}", action)
