"""Which columns of a file are the axes of a contract, and which its clock. Never by position where names say else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from vskd.bundle.contract import SensorContract
from vskd.bundle.file_reading import AS_IS, FileReading
from vskd.errors import BundleError, DataError
from vskd.preprocessing.sensor.clock import Clock, fit_clock
from vskd.preprocessing.sensor.column_names import (
    TimeColumn,
    columns_by_name,
    meaning,
    other_sensor,
    quantity_of,
    time_columns,
    time_unit,
)
from vskd.preprocessing.sensor.samples import Samples, TextSamples, counts_on, may_be_clock
from vskd.preprocessing.sensor.signals import check_columns
from vskd.preprocessing.sensor.stamps import Seconds

NAME_THEM = "Name the columns of the axes with --columns, counted from 0 in the file as it is"
LOST = ("", "nan", "+nan", "-nan")
CLOCKS_AGREE = 0.03
AnySamples = TypeVar("AnySamples", bound=Samples)


@dataclass(frozen=True)
class Chosen:
    """The columns of the axes, what to say of them, and the columns that are clocks."""

    columns: tuple[int, ...]
    said: str
    notes: tuple[str, ...] = ()
    clocks: tuple[TimeColumn, ...] = ()


def choose_columns(file: Path, samples: Samples, contract: SensorContract, reading: FileReading = AS_IS) -> Chosen:
    """The columns of the contract's axes: those that the caller names, else by the file's header, else all there are.

    Args:
        file: for messages, and for what its name says.
        samples: its columns.
        contract: gives stream and axes.
        reading: may name them, and the clock, which else is found by its name.

    Raises:
        BundleError: the names are of another sensor, or of other axes; or some may be meant twice.
        DataError: the file has other columns than these, or a nameless column counts on like a clock.
    """
    chosen = _axes(file, samples, contract, reading.columns)
    if reading.time_column is not None:
        return replace(chosen, clocks=(_named_clock(file, samples, chosen, reading.time_column),))
    named = time_columns(samples.names, samples.units, contract.stream)
    return replace(chosen, clocks=chosen.clocks or tuple(c for c in named if c.index not in chosen.columns))


def _named_clock(file: Path, samples: Samples, chosen: Chosen, column: int) -> TimeColumn:
    """The clock that the caller names, in the unit that its name says."""
    if column >= samples.width or column in chosen.columns:
        what = "is an axis" if column in chosen.columns else f"is not there: it has {samples.width} columns"
        raise DataError(
            f"{file}: column {column}, named as its clock, {what}", "Correct --time; columns are counted from 0"
        )
    if not samples.names:
        return TimeColumn(column, f"number {column}", None)
    name, unit = samples.names[column], samples.units[column] if samples.units else ""
    return TimeColumn(column, name, time_unit(name, unit))


def _axes(file: Path, samples: Samples, contract: SensorContract, columns: tuple[int, ...]) -> Chosen:
    asked = f"the model asks for {len(contract.axes)} channels ({', '.join(contract.axes)})"
    if columns and len(columns) != len(contract.axes):
        raise BundleError(f"{file}: {asked}, {len(columns)} columns were named", "Name one column for each channel")
    _refuse_other_sensor(file, samples, contract, bool(columns))
    if columns:
        return _named_by_caller(file, samples, contract, check_columns(samples.width, contract.axes, columns, file))
    if samples.names:
        choice = columns_by_name(samples.names, contract.axes, contract.stream)
        if choice.problem:
            raise BundleError(f"{file}: {asked} of the {contract.stream}; {choice.problem}", NAME_THEM)
        return Chosen(choice.columns, ", ".join(samples.names[c] for c in choice.columns))
    return _nameless(file, samples, contract)


def _refuse_other_sensor(file: Path, samples: Samples, contract: SensorContract, named: bool) -> None:
    """What the file's name says counts where neither a header nor the caller says more."""
    said = samples.declared.get("sensor", "")
    texts = {"it says that it is": said} if said else {}
    if not named and not any(meaning(name, contract.axes).quantity for name in samples.names):
        texts["its name says"] = file.stem
    for source, text in texts.items():
        other = other_sensor(text, contract.stream)
        if other:
            raise BundleError(
                f"{file}: the model asks for the {contract.stream}; {source} {other}",
                f"Give a file of the {contract.stream}, or {NAME_THEM[0].lower()}{NAME_THEM[1:]}",
            )


def _named_by_caller(file: Path, samples: Samples, contract: SensorContract, columns: tuple[int, ...]) -> Chosen:
    if not samples.names:
        return Chosen(columns, ", ".join(f"number {c}" for c in columns))
    notes = []
    for axis, column in zip(contract.axes, columns, strict=True):
        name = samples.names[column]
        of = meaning(name, contract.axes)
        if of.quantity and of.quantity != quantity_of(contract.stream):
            raise BundleError(
                f"{file}: the model asks for the {contract.stream}; column {column} is called '{name}', "
                f"which is {of.quantity}",
                "Name other columns; they are counted from 0 in the file as it is",
            )
        if time_columns([name], [samples.units[column]], contract.stream):
            raise BundleError(
                f"{file}: column {column} is called '{name}', which is a time",
                "Name other columns; they are counted from 0 in the file as it is, time included",
            )
        if of.axis and of.axis != axis.lower():
            notes.append(f"column '{name}' is taken as {axis}, as --columns says")
    return Chosen(columns, ", ".join(samples.names[c] for c in columns), tuple(notes))


def _nameless(file: Path, samples: Samples, contract: SensorContract) -> Chosen:
    """All columns; or all but a first or last one that counts on as a clock does."""
    axes, width = contract.axes, samples.width
    counting = [c for c in range(width) if counts_on(samples, c)]
    if width == len(axes) + 1 and counting in ([0], [width - 1]):
        (clock,) = counting
        if samples.stamps(clock) is not None:
            columns = tuple(c for c in range(width) if c != clock)
            return Chosen(
                columns,
                f"{', '.join(axes)}, by their order: they have no names; number {clock} is the clock",
                clocks=(TimeColumn(clock, f"number {clock}", None),),
            )
    if width != len(axes):
        raise DataError(
            f"{file}: has {width} columns, expected {len(axes)} columns ({', '.join(axes)}), and no names", NAME_THEM
        )
    if counting and len(axes) > 1:
        raise DataError(
            f"{file}: column {counting[0]} has no name and counts on from row to row: it is a clock or a row number",
            "Give a header with the names of the columns",
        )
    return Chosen(tuple(range(width)), f"{', '.join(axes)}, by their order: they have no names")


Stamped = tuple[Clock | None, str, tuple[str, ...], Seconds | None, int]


def read_stamps(file: Path, samples: Samples, chosen: Chosen) -> Stamped:
    """The clock of a file: of its columns of time, or of a nameless one.

    Returns:
        The clock, None where there is none; what to say of it; what could not be read; the stamps that it was fitted
        to, in seconds since the first; and their column.

    Raises:
        DataError: it runs backwards, out of order, was set back, or starts again; or two clocks disagree.
    """
    clocks: list[tuple[Clock, str, Seconds, int]] = []
    notes = []
    for column in chosen.clocks:
        stamps = samples.stamps(column.index, column.seconds)
        if stamps is None:
            notes.append(f"column '{column.name}' cannot be read as a clock")
            continue
        said = f"column '{column.name}', {stamps[1]}"
        clocks.append((fit_clock(stamps[0], file), said, stamps[0], column.index))
    known = [(said, clock.rate_hz) for clock, said, *_ in clocks if clock.rate_hz]
    for said, rate in known[1:]:
        if abs(rate - known[0][1]) > CLOCKS_AGREE * known[0][1]:
            raise DataError(
                f"{file}: two clocks disagree: {known[0][0]}: {known[0][1]:g} Hz; {said}: {rate:g} Hz",
                "Name the right one with --time, counted from 0, or leave the wrong column out",
            )
    best = next((one for one in clocks if one[0].rate_hz), next(iter(clocks), None))
    return (best[0], best[1], tuple(notes), best[2], best[3]) if best else (None, "", tuple(notes), None, -1)


def possible_clocks(samples: Samples, chosen: Chosen) -> list[str]:
    """Columns that no name says to be a clock, and that count on as one does; none where there is a clock."""
    rest = [k for k in range(samples.width) if k not in chosen.columns and not chosen.clocks]
    return [f"{k} '{samples.names[k]}'" if samples.names else str(k) for k in rest if may_be_clock(samples, k)]


def without_lost_rows(samples: AnySamples, chosen: Chosen) -> tuple[AnySamples, int]:
    """Text with a clock without the rows that lack a value, and how many these are."""
    if not isinstance(samples, TextSamples) or not chosen.clocks:
        return samples, 0
    rows = samples.table.rows
    kept = [row for row in rows if is_whole(row, chosen)]
    if len(kept) == len(rows) or len(kept) < 2:
        return samples, 0
    return replace(samples, table=replace(samples.table, rows=kept)), len(rows) - len(kept)


def is_whole(row: Sequence[str], chosen: Chosen) -> bool:
    """Whether every axis has a value, as training's reader counts them: not an empty cell, nor one that says NaN."""
    return all(row[c].strip().lower() not in LOST for c in chosen.columns)
