"""A small table of text, written by people: separator found, names of columns in small letters."""

import csv
from collections import Counter
from pathlib import Path

from vskd.errors import DataError, first_few
from vskd.preprocessing.sensor.text_file import read_text


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table by column, without spaces around cells.

    Raises:
        DataError: it cannot be read, names a column twice, or has rows with more or fewer cells than its header.
    """
    text = read_text(path)[0]
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator)
    names = Counter(name.strip().lower() for name in reader.fieldnames or ())
    twice = first_few([f"'{name}'" for name, count in names.items() if count > 1], 4, ", ")
    if twice:
        raise DataError(f"{path}: several columns are called {twice}", "Give each column a name of its own")
    rows = list(reader)
    if any(None in row or None in row.values() for row in rows):
        raise DataError(f"{path}: has rows with more or fewer cells than its header", "Correct these rows")
    return [{name.strip().lower(): value.strip() for name, value in row.items()} for row in rows]
