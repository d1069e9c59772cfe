"""A recording from a file or an array, checked against the sensor contract.

What it declares, what it must be, and what was understood. Nothing is assumed that would change the answer: a rate that
nobody says is asked for, and a unit that nobody says is taken only where gravity proves it.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import SensorContract
from vskd.bundle.sensor_checks import (
    RATE_TOLERANCE,
    check_alive,
    check_length,
    check_once,
    check_plausible,
    check_rate,
    check_whole,
    converted_rate,
    steady_rate,
    without_glitches,
)
from vskd.bundle.sensor_columns import Chosen, choose_columns, clock_columns, read_stamps
from vskd.errors import BundleError, DataError
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.gravity import measures_gravity
from vskd.preprocessing.sensor.samples import Samples, TextSamples
from vskd.preprocessing.sensor.signals import check_signal, to_signal
from vskd.preprocessing.sensor.stated import open_stated
from vskd.preprocessing.sensor.text_file import TEXT
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sensor.units import conversion, normal_unit

FloatArray = npt.NDArray[np.float32]
AnySamples = TypeVar("AnySamples", bound=Samples)

_RATE = re.compile(
    r"(?P<number>[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*(?P<unit>k?hz|samples?/s(?:ec)?|sps|/s)?(?:\s*\(.*\))?", re.I
)
_OF_DATASET = "of the data set's own files"


@dataclass(frozen=True)
class Recorded:
    """A recording that fits the contract.

    Attributes:
        signal: float32 (channels, samples), in the contract's unit.
        rate_hz: samples per second.
        notes: what was assumed, and what may surprise.
        understood: what the file was understood to be, as (what, how) pairs.
        breaks: samples before which there is a gap; windows do not reach across.
        times: float64 (samples,), seconds since the first by the file's clock; None where it has none.
    """

    signal: FloatArray
    rate_hz: float
    notes: tuple[str, ...]
    understood: tuple[tuple[str, str], ...] = ()
    breaks: tuple[int, ...] = ()
    times: npt.NDArray[np.float64] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class _Unit:
    """The samples' unit, who says so, and what they are multiplied by."""

    name: str
    source: str
    factor: float

    @property
    def known(self) -> bool:
        return bool(self.source)


def read_recording(
    file: Path,
    contract: SensorContract,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    columns: tuple[int, ...] = (),
    variable: str = "",
) -> Recorded:
    """Read a recording and check it against the contract; see `read_one_stream` for the arguments.

    For a model that sees several streams the file must hold the columns of all of them, found by their names, or named
    in the contract's order; each stream is checked by itself, in its own unit.

    Raises:
        BundleError: see `read_one_stream`; or two streams would be read from the same columns.
        DataError: see `read_one_stream`.
    """
    if not contract.streams:
        return read_one_stream(file, contract, rate_hz=rate_hz, unit=unit, columns=columns, variable=variable)
    check_columns_of_all(file, contract, columns)
    parts, start = [], 0
    for view in contract.of_streams():
        own = columns[start : start + len(view.axes)]
        start += len(view.axes)
        fitting = unit if unit is not None and conversion(unit, view.unit) is not None else None
        parts.append(read_one_stream(file, view, rate_hz=rate_hz, unit=fitting, columns=own, variable=variable))
    read = [dict(part.understood).get("columns", "") for part in parts]
    if len(set(read)) < len(read):
        raise BundleError(
            f"{file}: the columns {read[0]} would be read as several streams ({contract.stream})",
            "Name the columns by stream in the header, or name them all with --columns, in the contract's order",
        )
    return _stacked(parts, contract)


def check_columns_of_all(file: Path, contract: SensorContract, columns: tuple[int, ...]) -> None:
    """Refuse some columns where a model sees several streams: all or none are named.

    Raises:
        BundleError: lists what is asked for.
    """
    if columns and len(columns) != len(contract.axes):
        raise BundleError(
            f"{file}: the model asks for {len(contract.axes)} channels ({', '.join(contract.axes)}), "
            f"{len(columns)} columns were named",
            "Name one column for each channel, in this order",
        )


def _stacked(parts: Sequence[Recorded], contract: SensorContract) -> Recorded:
    """Streams of one file as the channels that the model takes: each divided by its limit."""
    scaled = [
        part.signal / np.float32(stream.limit) if stream.limit != 1 else part.signal
        for part, stream in zip(parts, contract.streams, strict=True)
    ]
    first, *_ = parts  # of one file, and so with one clock
    understood = first.understood[:1]
    for part, stream in zip(parts, contract.streams, strict=True):
        understood += tuple((f"{stream.stream} {what}", how) for what, how in part.understood[1:3])
    return Recorded(
        np.concatenate(scaled),
        first.rate_hz,
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        understood + first.understood[3:],
        first.breaks,
        first.times,
    )


def read_one_stream(
    file: Path,
    contract: SensorContract,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    columns: tuple[int, ...] = (),
    variable: str = "",
) -> Recorded:
    """Read a recording of one stream and check it against the contract.

    Args:
        file: text (.csv, .txt, .tsv, .dat), .mat or .npy.
        contract: what the model asks for.
        rate_hz: samples per second, if the caller knows.
        unit: unit of the samples, if the caller knows; samples in another unit of the same quantity are converted.
        columns: which columns are the contract's axes, counted from 0 in the file as it is; empty: found by name, else
            the file must have the axes alone, or with a clock as its first or last column.
        variable: name of the array in a .mat file; empty: the contract's, or the only array. Only of the contract's own
            variable and shape the contract's columns are taken.

    Raises:
        BundleError: rate, unit, channels or length differ from what the contract asks, or are not said and cannot be
            proven; the message gives both, and what was understood.
        DataError: the file is missing, damaged, has other columns, its clock is broken, or values are not finite.
    """
    variable, columns, own = _of_matlab(file, contract, columns, variable)
    samples = open_stated(file, "", variable)
    if own and contract.mat_width not in (None, samples.width):
        raise DataError(
            f"{file}: '{variable}' has {samples.width} columns, and {contract.mat_width} {_OF_DATASET}",
            "Name the columns of the axes with --columns, counted from 0",
        )
    _refuse_empatica(file, samples)
    return read_columns(file, samples, contract, rate_hz=rate_hz, unit=unit, columns=columns, own=own)


def read_columns(
    file: Path,
    samples: Samples,
    contract: SensorContract,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    columns: tuple[int, ...] = (),
    own: bool = False,
    block: bool = False,
) -> Recorded:
    """The samples of a stream, checked against its contract.

    A row with an empty cell is a gap in time, as in training; without a clock it is refused.

    Args:
        file: for messages.
        samples: its content, or a block of it.
        contract, rate_hz, unit, columns: see `read_one_stream`.
        own: whether they are those of the data set's own files.
        block: whether they are a part of a long file, whose length says nothing.

    Raises:
        BundleError, DataError: see `read_one_stream`.
    """
    chosen = choose_columns(file, samples, contract, columns)
    samples, lost = _without_lost_rows(samples, chosen)
    clock, clock_said, unread, stamps, _ = read_stamps(file, samples, chosen)
    in_unit = _settle_unit(file, samples, chosen, contract, unit, own)
    signal = to_signal([samples.numbers(c) for c in chosen.columns], contract.axes, file)
    said = _settle_rate(file, contract, rate_hz, samples, (clock, clock_said), own)
    if not block:
        check_once(file, signal)
        check_length(file, contract, signal.shape[1], said[0] if said else contract.rate_hz)
    breaks = check_whole(file, contract, clock, signal.shape[1])
    check_alive(file, contract, signal)
    looked_at = without_glitches(signal, contract, in_unit.name) if block else signal
    check_plausible(file, contract, looked_at, said[0] if said else contract.rate_hz, in_unit.name, in_unit.source)
    if said is None:
        raise _no_rate(file, contract, clock, unread)
    rate, rate_said = said
    understood = [
        ("read as", samples.kind),
        ("columns", chosen.said),
        ("unit", f"{in_unit.name} ({in_unit.source or 'gravity at rest fits'})"),
        ("rate", f"{rate:g} Hz ({rate_said})"),
    ]
    if clock and clock.facts:
        understood.append(("clock", ", ".join(clock.facts)))
    notes = [*chosen.notes, *unread, *([f"{lost} rows with empty cells are left out"] if lost else [])]
    notes += converted_rate(rate, contract)
    bridging = contract.window_mode == "whole"
    how = ", bridged by a straight line" if bridging else ""
    notes += [f"a gap of {clock.gaps[n]:.3g} s before data row {b + 1}{how}" for n, b in enumerate(breaks) if clock]
    if clock and breaks and bridging:
        signal, breaks = even_signal(signal, clock, file), ()
    if not in_unit.known:
        notes.append(
            f"{file.name} does not say its unit; {contract.unit} is assumed, which gravity fits (--unit states it)"
        )
    if in_unit.factor != 1:
        notes.append(f"the samples were converted from {in_unit.name} to {contract.unit}")
    converted = (signal * np.float32(in_unit.factor)).astype(np.float32) if in_unit.factor != 1 else signal
    times = clock.sample_times(stamps) if clock and stamps is not None and clock.period_s and not bridging else None
    return Recorded(converted, rate, tuple(notes), tuple(understood), breaks, times)


def read_block(
    file: Path,
    samples: TextSamples,
    contract: SensorContract,
    own: int,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    columns: tuple[int, ...] = (),
) -> tuple[Recorded, str, str, int]:
    """A block of a long text file; see `read_columns`.

    Args:
        file, contract, rate_hz, unit, columns: see `read_recording`.
        samples: the block, and behind it some rows of the next one.
        own: rows of the block itself.

    Returns:
        Its samples; the time stamp of the first one, as it is written, and what it counts (`in ms`); and how many
        samples are the block's own: rows with empty cells are left out.
    """
    views, named, every = _chosen_of_all(file, samples, contract, columns)
    whole, _ = _without_lost_rows(samples, every)
    lost = len(samples.table.rows) - len(whole.table.rows)
    kept = own - sum(not _is_whole(row, every) for row in samples.table.rows[:own]) if lost else own
    parts = [
        read_columns(
            file,
            whole,
            view,
            rate_hz=rate_hz,
            unit=unit if len(views) == 1 or (unit and conversion(unit, view.unit) is not None) else None,
            columns=names,
            block=True,
        )
        for view, names in zip(views, named, strict=True)
    ]
    first, *_ = parts
    recorded = first if not contract.streams else _stacked(parts, contract)
    return recorded, *_stamp_of(file, whole, every), kept


def block_stamp(file: Path, samples: TextSamples, contract: SensorContract, columns: tuple[int, ...]) -> str:
    """The time stamp of a block's first sample, as it is written; empty without a clock. Raises as `read_block`."""
    _, _, every = _chosen_of_all(file, samples, contract, columns)
    whole, _ = _without_lost_rows(samples, every)
    stamp, _ = _stamp_of(file, whole, every)
    return stamp


def _chosen_of_all(
    file: Path, samples: Samples, contract: SensorContract, columns: tuple[int, ...]
) -> tuple[tuple[SensorContract, ...], list[tuple[int, ...]], Chosen]:
    """The contract of each stream, the columns named for it, and the columns of all of them."""
    views = contract.of_streams()
    bounds = np.cumsum([0, *(len(view.axes) for view in views)])
    named = [columns[a:b] for a, b in itertools.pairwise(bounds)]
    chosen = [choose_columns(file, samples, view, own) for view, own in zip(views, named, strict=True)]
    first, *_ = chosen
    return views, named, replace(first, columns=tuple(c for one in chosen for c in one.columns))


def _stamp_of(file: Path, samples: TextSamples, chosen: Chosen) -> tuple[str, str]:
    _, said, _, stamps, clock = read_stamps(file, samples, chosen)
    return samples.table.rows[0][clock] if stamps is not None else "", said.rpartition(", ")[2]


def _is_whole(row: Sequence[str], chosen: Chosen) -> bool:
    return all(row[c].strip() for c in chosen.columns)


def _without_lost_rows(samples: AnySamples, chosen: Chosen) -> tuple[AnySamples, int]:
    """Text with a clock without the rows of which a cell is empty, and how many these are."""
    if not isinstance(samples, TextSamples) or not clock_columns(samples, chosen):
        return samples, 0
    rows = samples.table.rows
    kept = [row for row in rows if _is_whole(row, chosen)]
    if len(kept) == len(rows) or len(kept) < 2:
        return samples, 0
    return replace(samples, table=replace(samples.table, rows=kept)), len(rows) - len(kept)


def even_signal(signal: FloatArray, clock: Clock, source: Path) -> FloatArray:
    """A signal whose gaps are bridged as those of training recordings are."""
    steps = np.full(signal.shape[1], clock.period_s)
    steps[list(clock.breaks)] = clock.gaps
    times = np.cumsum(steps)
    return Timed(signal, 1 / clock.period_s, times, clock=clock).bridged(source)


def recorded_array(samples: npt.ArrayLike, contract: SensorContract, rate_hz: float | None = None) -> Recorded:
    """Check a recording that is in memory against the contract.

    Args:
        samples: (samples, axes) in the contract's unit, the axes in its order.
        contract: what the model asks for.
        rate_hz: samples per second; None assumes the contract's, and `notes` say so.

    Raises:
        BundleError: rate, channels or length differ from what the contract asks, or the values look like another unit.
        DataError: the array holds no real numbers, or values that are not finite.
    """
    name, table = "the array", np.asarray(samples)
    check_columns_of_array(table, contract)
    if contract.streams:
        bounds = np.cumsum([len(stream.axes) for stream in contract.streams])[:-1]
        split = zip(np.split(table, bounds, axis=1), contract.of_streams(), strict=True)
        return _stacked([recorded_array(part, view, rate_hz) for part, view in split], contract)
    if table.dtype.kind not in "fiu":
        raise DataError(f"{name}: holds {table.dtype}, not real numbers", "Give an array of numbers")
    notes: list[str] = []
    check_rate(name, contract, "the caller says", rate_hz)
    if rate_hz is None:
        notes.append(f"no rate was given; {contract.rate_hz:g} Hz is assumed")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        signal = np.ascontiguousarray(table.T, dtype=np.float32)
    check_length(name, contract, signal.shape[1], rate_hz or contract.rate_hz)
    check_signal(signal, contract.axes, name)
    check_alive(name, contract, signal)
    check_plausible(name, contract, signal, rate_hz or contract.rate_hz, contract.unit, "")
    notes += converted_rate(rate_hz or contract.rate_hz, contract)
    return Recorded(signal, rate_hz or contract.rate_hz, tuple(notes))


def check_columns_of_array(table: npt.NDArray[np.generic], contract: SensorContract) -> None:
    """Refuse an array that is not (samples, axes) of the contract.

    Raises:
        BundleError: says both.
    """
    if table.ndim != 2 or table.shape[1] != len(contract.axes):
        axes = ", ".join(contract.axes)
        raise BundleError(
            f"the array: the model asks for {len(contract.axes)} channels ({axes}), the array has shape {table.shape}",
            "Give an array of samples x axes",
        )


def _of_matlab(
    file: Path, contract: SensorContract, columns: tuple[int, ...], variable: str
) -> tuple[str, tuple[int, ...], bool]:
    """Variable and columns of a .mat file, and whether they are those of the data set's own files."""
    if file.suffix.lower() != ".mat":
        return variable, columns, False
    variable = variable or contract.mat_variable
    own = bool(not columns and contract.mat_columns and variable == contract.mat_variable)
    return variable, contract.mat_columns if own else columns, own


def _refuse_empatica(file: Path, samples: Samples) -> None:
    """Name a wristband's own format, whose first rows are no samples: start time, then rate."""
    if samples.names or samples.width != 3 or file.suffix.lower() not in TEXT:
        return
    first = [samples.numbers(c)[:2] for c in range(3)]
    if all(len(f) == 2 and f[0] > 1e8 and f[0] == first[0][0] and f[1] == first[0][1] for f in first):
        raise DataError(
            f"{file}: looks like a file of an Empatica wristband: start time and rate ({first[0][1]:g} Hz) in the "
            "first rows, samples in 1/64 g",
            f"Remove the first two rows, and give --rate {first[0][1]:g} --unit '1/64 g'",
        )


def _settle_rate(
    file: Path,
    contract: SensorContract,
    given: float | None,
    samples: Samples,
    clock: tuple[Clock | None, str],
    own: bool,
) -> tuple[float, str] | None:
    """The recording's rate, and who says so; None where nobody does."""
    declared = declared_rate(file, samples)
    by_clock = clock[0].rate_hz if clock[0] else None
    found = [
        ("the option says", given),
        ("the file says", declared),
        (f"the file's clock ({clock[1]}) says", by_clock),
    ]
    for source, rate in found:
        check_rate(file, contract, source, rate, clock[0].facts if clock[0] and rate == by_clock else ())
    said = [(source, rate) for source, rate in found if rate is not None]
    for source, rate in said[1:]:
        if abs(rate - said[0][1]) > RATE_TOLERANCE * said[0][1]:
            raise BundleError(
                f"{file}: {said[0][0]} {said[0][1]:g} Hz, {source} {rate:g} Hz",
                "Leave the wrong one out, or correct it",
            )
    for source, rate in found:
        if rate is not None:
            return steady_rate(rate, contract), re.sub(
                r"^the file's clock \((.*)\)$", r"\1", source.removesuffix(" says")
            )
    return (contract.rate_hz, _OF_DATASET) if own else None


def _no_rate(file: Path, contract: SensorContract, clock: Clock | None, unread: tuple[str, ...]) -> BundleError:
    why = "; ".join([*unread, *(clock.facts if clock else ())])
    return BundleError(
        f"{file}: does not say its rate{f' ({why})' if why else ''}, and the model asks for {contract.rate_hz:g} Hz",
        "State its samples per second with --rate",
    )


def declared_rate(file: Path, samples: Samples) -> float | None:
    """What a remark `# rate_hz: 50` says, in Hz; None where there is none.

    Raises:
        DataError: it is no positive number.
    """
    text = samples.declared.get("rate_hz")
    if text is None:
        return None
    match = _RATE.fullmatch(text)
    rate = float(match["number"].replace(",", ".")) if match else 0.0
    if match and (match["unit"] or "").lower() == "khz":
        rate *= 1000
    if not 0 < rate < float("inf"):
        raise DataError(f"{file}: rate_hz is '{text}', which is no positive number", "Write e.g. '# rate_hz: 50'")
    return rate


def _settle_unit(
    file: Path, samples: Samples, chosen: Chosen, contract: SensorContract, given: str | None, own: bool
) -> _Unit:
    """The samples' unit. Where nobody says it, it is the contract's, if gravity can prove it.

    Raises:
        DataError: several units are declared.
        BundleError: it is of another quantity, or must be said.
    """
    header = [samples.units[c] for c in chosen.columns if samples.units and samples.units[c]]
    declared = {
        normal_unit(u): u for u in [*header, *([samples.declared["unit"]] if "unit" in samples.declared else [])]
    }
    if len(declared) > 1:
        raise DataError(f"{file}: declares several units: {', '.join(sorted(declared))}", "Give all axes in one unit")
    said = [("the file says", unit) for unit in declared.values()]
    said = [("the option says", given), *said] if given is not None else said
    for source, unit in said:
        if conversion(unit, contract.unit) is None:
            raise BundleError(
                f"{file}: wrong unit: the model asks for {contract.unit}, {source} {unit}",
                f"Give samples in {contract.unit}, or in a unit of the same quantity",
            )
    if len({normal_unit(unit) for _, unit in said}) > 1:
        raise BundleError(
            f"{file}: the option says {said[0][1]}, the file says {said[1][1]}", "Leave out --unit, or correct the file"
        )
    if said:
        source, unit = said[0]
        return _Unit(unit, source.removesuffix(" says"), conversion(unit, contract.unit) or 1.0)
    if own:
        return _Unit(contract.unit, _OF_DATASET, 1.0)
    shown = contract.calibrated and measures_gravity(contract.stream, contract.unit)
    if not shown or len(contract.axes) != 3:
        raise BundleError(
            f"{file}: does not say its unit, and the model asks for {contract.unit}", "State its unit with --unit"
        )
    return _Unit(contract.unit, "", 1.0)
