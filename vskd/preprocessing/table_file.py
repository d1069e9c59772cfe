"""A small table of text, written by people: separator found, names of columns in small letters."""

import csv
from pathlib import Path

from vskd.errors import DataError
from vskd.preprocessing.sensor.text_file import read_text


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table by column, without spaces around cells.

    Raises:
        DataError: it cannot be read, or has rows with more or fewer cells than its header.
    """
    text = read_text(path)[0]
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    rows = list(csv.DictReader(text.splitlines(), delimiter=separator))
    if any(None in row or None in row.values() for row in rows):
        raise DataError(f"{path}: has rows with more or fewer cells than its header", "Correct these rows")
    return [{name.strip().lower(): value.strip() for name, value in row.items()} for row in rows]
