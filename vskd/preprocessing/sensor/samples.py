"""A file of samples as columns: of text with names, or of an array without."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.sensor.delimited import Table
from vskd.preprocessing.sensor.stamps import Seconds, counts_from_1970, parse_stamps, scale_counts

Numbers = npt.NDArray[Any]

EVENNESS = 0.1
STRAIGHT = 0.01
ONE_WAY = 0.95


class Samples(Protocol):
    """Columns of a file; see `Table` for the attributes."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns; empty where the file has none."""

    @property
    def units(self) -> tuple[str, ...]:
        """Of the columns, by the header."""

    @property
    def declared(self) -> Mapping[str, str]:
        """What remarks say."""

    @property
    def width(self) -> int:
        """Number of columns."""

    @property
    def kind(self) -> str:
        """What the file is, for people."""

    def numbers(self, column: int) -> Numbers:
        """One column."""

    def stamps(self, column: int, unit_s: float | None = None) -> tuple[Seconds, str] | None:
        """One column as time stamps; see `parse_stamps`."""

    def first(self, column: int) -> str:
        """The first cell of a column as text, by which `start_of` knows the day."""

    def cells(self, column: int) -> list[str]:
        """One column as text; whole numbers are written without a point."""


@dataclass(frozen=True)
class TextSamples:
    """A table of text."""

    table: Table

    @property
    def names(self) -> tuple[str, ...]:
        """See `Samples`."""
        return self.table.names

    @property
    def units(self) -> tuple[str, ...]:
        """See `Samples`."""
        return self.table.units

    @property
    def declared(self) -> Mapping[str, str]:
        """See `Samples`."""
        return self.table.declared

    @property
    def width(self) -> int:
        """See `Samples`."""
        return self.table.width

    @cached_property
    def kind(self) -> str:
        """See `Samples`."""
        return f"text separated by {self.table.separator}, {self.table.encoding}"

    def numbers(self, column: int) -> Numbers:
        """See `Samples`."""
        return self.table.numbers(column)

    def stamps(self, column: int, unit_s: float | None = None) -> tuple[Seconds, str] | None:
        """See `Samples`."""
        return parse_stamps(self.table.cells(column), unit_s)

    def first(self, column: int) -> str:
        """See `Samples`."""
        return self.table.rows[0][column].strip()

    def cells(self, column: int) -> list[str]:
        """See `Samples`."""
        return self.table.cells(column)


@dataclass(frozen=True)
class ArraySamples:
    """An array, (samples, columns)."""

    array: Numbers
    kind: str
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def declared(self) -> Mapping[str, str]:
        """See `Samples`."""
        return {}

    @property
    def width(self) -> int:
        """See `Samples`."""
        return int(self.array.shape[1])

    def numbers(self, column: int) -> Numbers:
        """See `Samples`."""
        return self.array[:, column]

    def stamps(self, column: int, unit_s: float | None = None) -> tuple[Seconds, str] | None:
        """See `Samples`."""
        values = self.numbers(column)
        return scale_counts((values - values[0]).astype(np.float64), values[0], unit_s) if len(values) else None

    def first(self, column: int) -> str:
        """See `Samples`."""
        return str(self.array[0, column])

    def cells(self, column: int) -> list[str]:
        """See `Samples`."""
        return _as_text(self.array[:, column])


@dataclass(frozen=True)
class ColumnSamples:
    """Columns by name, each with a type of its own: numbers, moments (datetime64, of no stated zone) or text.

    Attributes:
        columns: each of shape (rows,).
        kind, names, units: see `Samples`.
    """

    columns: tuple[Numbers, ...]
    kind: str
    names: tuple[str, ...]
    units: tuple[str, ...] = ()

    @property
    def declared(self) -> Mapping[str, str]:
        """See `Samples`."""
        return {}

    @property
    def width(self) -> int:
        """See `Samples`."""
        return len(self.columns)

    def numbers(self, column: int) -> Numbers:
        """See `Samples`.

        Raises:
            DataError: the column holds something else.
        """
        values = self.columns[column]
        if values.dtype.kind not in "fiub":
            what = "moments" if values.dtype.kind == "M" else "text"
            raise DataError(f"The column '{self.names[column]}' holds {what}, not numbers", "Name another column")
        return values

    def stamps(self, column: int, unit_s: float | None = None) -> tuple[Seconds, str] | None:
        """See `Samples`."""
        values = self.columns[column]
        if not len(values):
            return None
        if values.dtype.kind == "M":
            seconds = (values - values[0]) / np.timedelta64(1, "ns")
            return None if np.isnat(values).any() else (np.asarray(seconds / 1e9, dtype=np.float64), "dates and times")
        if values.dtype.kind in "OUT":
            return parse_stamps([str(cell) for cell in values], unit_s)
        # Subtracted as they are: counts of ns since 1970 have more digits than a double.
        return scale_counts((values - values[0]).astype(np.float64), values[0], unit_s)

    def first(self, column: int) -> str:
        """See `Samples`."""
        return str(self.columns[column][0])

    def cells(self, column: int) -> list[str]:
        """See `Samples`."""
        return _as_text(self.columns[column])


def _as_text(values: Numbers) -> list[str]:
    if values.dtype.kind != "f":
        return ["" if value is None else str(value).strip() for value in values.tolist()]
    return ["" if np.isnan(value) else f"{value:.17g}" for value in values.tolist()]


def counts_on(samples: Samples, column: int) -> bool:
    """Whether a column goes evenly one way, as a clock or a row number does and no sensor."""
    try:
        values = samples.numbers(column).astype(np.float64)
    except DataError:
        return samples.stamps(column) is not None
    steps = np.diff(values)
    if steps.size < 3 or not np.isfinite(steps).all() or not steps.any():
        return False
    if counts_from_1970(values):
        return True  # however unevenly a radio link handed its samples over
    typical = np.median(steps[steps != 0])
    if (np.sign(typical) * steps >= 0).mean() < ONE_WAY:
        return False
    even = np.median(np.abs(steps[steps != 0] - typical)) <= EVENNESS * abs(typical)
    line = np.linspace(values[0], values[-1], values.size)
    return bool(even or np.abs(values - line).max() <= STRAIGHT * abs(values[-1] - values[0]))


def may_be_clock(samples: Samples, column: int) -> bool:
    """Whether a column counts on and differs in most rows from the one before: a battery's charge does not."""
    read = samples.stamps(column, 1.0) if counts_on(samples, column) else None
    return read is not None and bool((np.diff(read[0]) != 0).mean() > 0.5)
