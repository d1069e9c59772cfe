"""Delimited text of any usual kind to a table of cells: separator, decimal comma, encoding, header and remarks.

    # rate_hz: 50 Hz             remarks `# rate_hz: NUMBER` and `# unit: UNIT` (or with `=`)
    # unit: g
    time_s;x;y;z                 column names; a unit may stand in brackets, `x [g]`, or in a line of its own below
    0,02;-0,1;0,0;0,98

A wristband of Empatica writes start and rate in its first rows of numbers, which are no samples:

    1583020800.000000, 1583020800.000000, 1583020800.000000
    32.000000, 32.000000, 32.000000
    -2,11,63

Cells become numbers only where a column is asked for, so that a column of text does no harm.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, first_few
from vskd.preprocessing.sensor.units import parse_unit
from vskd.preprocessing.text_file import read_text

SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "space"}
SAMPLE_LINES = 400
"""Lines by which the separator is found."""
_NUMBER = re.compile(
    r"\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*|\s*[+-]?(?:nan|inf|infinity)\s*", re.IGNORECASE
)
_NAME_WITH_UNIT = re.compile(r"^(?P<name>.*?)\s*[\[(](?P<unit>.+)[\])]\s*$")
_NAME_THEN_UNIT = re.compile(
    r"^(?P<name>.*[xyz])[_ ](?P<unit>g|mg|ms2|mps2|m/s2|m/s\^2|dps|rads|rad/s|deg/s)$", re.IGNORECASE
)
_REMARK = re.compile(r"^(?:#|%|//)\s?(?P<text>.*)$")
_DECLARED = re.compile(r"^\s*(?P<key>[\w ()/]+?)\s*[:=]\s*(?P<value>.+?)\s*$")
_KEYS = {
    "rate_hz": re.compile(r"(sampl\w+[ _]?)?(rate|frequency|freq)([ _]?\(?hz\)?)?|fs|odr", re.IGNORECASE),
    "unit": re.compile(r"((accel\w*|gyro\w*|sensor)[ _])?units?", re.IGNORECASE),
    "sensor": re.compile(r"(sensor|stream|signal|modality)([ _](type|name))?", re.IGNORECASE),
    "columns": re.compile(r"columns|axes|fields|header", re.IGNORECASE),
}
MOST_HEADER_LINES = 3
WRISTBAND_ROWS = 2
"""Rows in which a wristband of Empatica says start and rate."""
_A_DATE, _HIGHEST_RATE = 1e8, 1000.0
WRISTBAND_UNIT = "1/64 g"
"""Of its accelerometer, the one of its files that has three columns."""


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        path: the file.
        rows: cells of each data row; all have as many.
        names: of the columns; empty where the file has none.
        units: of the columns, as the header says; empty text where it does not.
        declared: what remarks say, by `rate_hz`, `unit` and `sensor`; of a wristband's file its first rows, `start` too
            (seconds since 1970).
        separator: name of the separator, e.g. `semicolon`.
        encoding: of the file.
    """

    path: Path
    rows: Sequence[Sequence[str]]
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    separator: str = ""
    encoding: str = "utf-8"

    @property
    def wristband_rows(self) -> int:
        """Rows of numbers before the first data row, in which a wristband says start and rate."""
        return WRISTBAND_ROWS if "start" in self.declared else 0

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0]) if self.rows else len(self.names)

    def cells(self, column: int) -> list[str]:
        """One column as it is written."""
        return [row[column].strip() for row in self.rows]

    def numbers(self, column: int, *, empty: bool = False) -> npt.NDArray[np.float64]:
        """One column as numbers, a decimal comma understood.

        Args:
            column: its number, from 0.
            empty: whether cells may be empty; they are NaN then.

        Raises:
            DataError: names the first row whose cell is no number, or mixes decimal points and commas.
        """
        cells = [cell or "nan" for cell in self.cells(column)] if empty else self.cells(column)
        for number, cell in enumerate(cells, 1):
            if not is_decimal(cell):
                name = f", column '{self.names[column]}'" if self.names else ""
                raise DataError(
                    f"{self.path}: data row {number} is not all numbers ('{cell}'{name})", "Correct this row"
                )
        if any("," in cell for cell in cells) and any("." in cell for cell in cells):
            raise DataError(
                f"{self.path}: column {column} has numbers with a decimal comma and numbers with a decimal point",
                "Write all of them alike",
            )
        return np.array([float(cell.replace(",", ".")) for cell in cells], dtype=np.float64)

    def is_numeric(self, column: int) -> bool:
        """Whether every cell of a column is a number."""
        return all(is_decimal(row[column]) for row in self.rows)


def is_decimal(cell: str) -> bool:
    """Whether a cell is a number, with a decimal point or comma.

    >>> [is_decimal(cell) for cell in ("-0,98", "1e-3", "nan", "1_000", "1.234,5", "")]
    [True, True, True, False, False, False]
    """
    return _NUMBER.fullmatch(cell) is not None


def read_delimited(path: Path, separator: str = "") -> Table:
    """Read a text file of samples.

    Args:
        path: the file.
        separator: its name, e.g. `semicolon`; empty: found.

    Raises:
        DataError: no readable text, no separator that makes columns, rows of different lengths, or no numbers.
    """
    return parse_delimited(path, *read_text(path), separator)


def parse_delimited(path: Path, text: str, encoding: str = "utf-8", separator: str = "") -> Table:
    """A table from text that was read already, e.g. the first lines of a long file.

    Args:
        path: of the file, for messages.
        text: whole lines.
        encoding: of the file.
        separator: see `read_delimited`.

    Raises:
        DataError: as `read_delimited`.
    """
    remarks, lines = _without_remarks(text)
    if not lines:
        raise DataError(f"{path}: is empty", "Remove this recording, or copy it again")
    separator = next((mark for mark, name in SEPARATORS.items() if name == separator), "") or _separator(lines)
    lines = _without_line_ends(lines, separator)
    rows = _without_repeated_names([cells_of(line, separator) for line in lines])
    head, body = _head_and_body(rows, path, separator)
    declared = _declared(path, remarks)
    if not head and remarks:
        head = _names_in_remarks(remarks, declared, separator, len(body[0]))
    head, body = _without_empty_column(head, body)
    _check_rows(body, path, SEPARATORS[separator])
    if said := _of_wristband(body):
        declared, body = {**said, **declared}, body[WRISTBAND_ROWS:]
    names, units = _names_and_units(head)
    return Table(path, body, names, units, declared, SEPARATORS[separator], encoding)


def _without_remarks(text: str) -> tuple[list[str], list[str]]:
    """Remarks without their mark, and the other lines; a first line `sep=;` of a spreadsheet is neither."""
    remarks, lines = [], []
    for line in text.splitlines():
        match = _REMARK.match(line.strip())
        if match:
            remarks.append(match["text"].strip())
        elif line.strip() and not re.fullmatch(r"\"?sep=.\"?", line.strip(" \r")):
            lines.append(line)
    return remarks, lines


def _without_line_ends(lines: list[str], separator: str) -> list[str]:
    """Lines without the semicolon at the end of each, where it separates nothing."""
    if separator != ";" and all(line.rstrip().endswith(";") and line.count(";") == 1 for line in lines):
        return [line.rstrip()[:-1] for line in lines]
    return lines


def _separator(lines: Sequence[str]) -> str:
    """The separator that gives the most numbers in the last lines, of which the fewest cells are none."""

    def score(separator: str) -> tuple[float, int]:
        rows = [cells_of(line, separator) for line in _without_line_ends(list(lines[-SAMPLE_LINES:]), separator)]
        width = _usual_width(rows)
        cells = [cell for row in rows if len(row) == width for cell in row]
        # A comma inside a number, where commas separate, is the sign of another separator.
        good = sum(is_decimal(c) and not (separator == "," and "," in c) for c in cells)
        return good / len(cells) * (1.0 if width > 1 else 0.5), width  # `1,2` is two numbers rather than one

    return max(SEPARATORS, key=score)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    """Cells of most rows; of equally many the longer ones."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width))


def cells_of(line: str, separator: str) -> list[str]:
    """Cells of a line; one that csv cannot read (an endless cell) is one cell, and no number."""
    if separator == " ":
        return re.split(" +", line.strip(" "))
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return [line]


def _head_and_body(rows: list[list[str]], path: Path, separator: str) -> tuple[list[list[str]], list[list[str]]]:
    """The lines of names and units, and the data rows; lines before them that are no table are left out."""
    width = _usual_width(rows)
    same = [row for row in rows if len(row) == width]
    pattern = same[len(same) // 2 if len(same) > 1 else 0]
    numeric = [k for k, cell in enumerate(pattern) if is_decimal(cell)]
    if not numeric:
        raise DataError(
            f"{path}: not a readable text file: it holds no row of numbers", "Give a file of samples, one a line"
        )
    start = 0
    while start < len(rows) and _is_preamble(rows[start], width):
        start += 1
    end = start
    while end < len(rows) - 1 and end - start < MOST_HEADER_LINES and _is_header(rows[end], numeric, width):
        end += 1
    if end == start and start and len(rows[start - 1]) > 1:
        names = first_few(rows[start - 1], 8, ", ")
        raise DataError(
            f"{path}: the line of names has {len(rows[start - 1])} cells ({names}), the data rows have {width}, "
            f"separated by {SEPARATORS[separator]}",
            "Give each column one name"
            + ("; where numbers have a decimal comma, separate them by semicolons" if separator == "," else ""),
        )
    return rows[start:end], rows[end:]


def _without_repeated_names(rows: list[list[str]]) -> list[list[str]]:
    """Rows without the names that a logger writes again whenever it starts again."""
    width = _usual_width(rows)
    first = [row for row in rows if len(row) == width][:MOST_HEADER_LINES]
    names = [row for row in first if all(cell.strip() and not is_decimal(cell) for cell in row)]
    if not names:
        return rows
    kept = rows.index(names[-1]) + 1
    return [*rows[:kept], *(row for row in rows[kept:] if row not in names)]


def _is_preamble(row: Sequence[str], width: int) -> bool:
    return len(row) != width and not all(is_decimal(cell) for cell in row)


def _is_header(row: Sequence[str], numeric: Sequence[int], width: int) -> bool:
    """Whether a row names columns: no number where the data have numbers, or a cell left empty there."""
    if len(row) != width:
        return False
    cells = [row[k].strip() for k in numeric]
    return not any(is_decimal(cell) for cell in cells) or "" in cells[:1]


def _without_empty_column(head: list[list[str]], body: list[list[str]]) -> tuple[list[list[str]], list[list[str]]]:
    """Without the nameless, empty last column that a separator at the end of each line makes."""
    if len(body[0]) > 1 and all(row and not row[-1].strip() for row in [*head[:1], *body]):
        return [row[:-1] for row in head], [row[:-1] for row in body]
    return head, body


def _check_rows(body: Sequence[Sequence[str]], path: Path, separator: str) -> None:
    width = _usual_width(body)
    for number, row in enumerate(body, 1):
        if len(row) != width:
            raise DataError(
                f"{path}: data row {number} has {len(row)} cells, expected {width} (separated by {separator})",
                "Correct this row",
            )


def _of_wristband(body: Sequence[Sequence[str]]) -> dict[str, str]:
    """What the first rows of a wristband's file declare; empty where they are samples as others."""
    first = [row for row in body[:WRISTBAND_ROWS] if len(set(row)) == 1 and is_decimal(row[0])]
    if len(first) < WRISTBAND_ROWS or len(body) == WRISTBAND_ROWS:
        return {}
    start, rate = (float(row[0].replace(",", ".")) for row in first)
    if not (start > _A_DATE and 0 < rate <= _HIGHEST_RATE):
        return {}
    unit = {"unit": WRISTBAND_UNIT} if len(first[0]) == len("xyz") else {}
    return {"start": first[0][0].strip(), "rate_hz": f"{rate:g}", **unit}


def _names_and_units(head: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the first header line; units from brackets, or from a line below."""
    if not head:
        return (), ()
    names, units = [], []
    below = {
        k: cell.strip(" ()[]") for row in head[1:] for k, cell in enumerate(row) if parse_unit(cell.strip(" ()[]"))
    }
    for k, cell in enumerate(head[0]):
        match = _NAME_WITH_UNIT.match(cell.strip()) or _NAME_THEN_UNIT.match(cell.strip())
        names.append((match["name"] if match else cell).strip())
        units.append(match["unit"].strip() if match else below.get(k, ""))
    return tuple(names), tuple(units)


def _declared(path: Path, remarks: Sequence[str]) -> dict[str, str]:
    """What `# key: value` remarks declare.

    Raises:
        DataError: two remarks declare different things under one key.
    """
    found: dict[str, str] = {}
    for remark in remarks:
        match = _DECLARED.match(remark)
        key = next((k for k, pattern in _KEYS.items() if match and pattern.fullmatch(match["key"].strip())), None)
        if match is None or key is None:
            continue
        value = match["value"]
        if found.setdefault(key, value) != value:
            raise DataError(f"{path}: declares {key} twice: {found[key]} and {value}", "Leave one of them out")
    return found


def _names_in_remarks(
    remarks: Sequence[str], declared: Mapping[str, str], separator: str, width: int
) -> list[list[str]]:
    """Names that stand behind a remark's mark, as `numpy.savetxt` writes them."""
    for line in (declared.get("columns", ""), remarks[-1]):
        for mark in dict.fromkeys((separator, ",")):
            cells = cells_of(line, mark) if line else []
            if len(cells) == width > 1 and not any(is_decimal(cell) for cell in cells):
                return [[cell.strip() for cell in cells]]
    return []
