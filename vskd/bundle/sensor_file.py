"""A recording from a file, checked against the sensor contract.

What it declares, what it must be, and what was understood.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from vskd.bundle.contract import SensorContract
from vskd.bundle.file_reading import AS_IS, FileReading
from vskd.bundle.recorded import FloatArray, Recorded, stacked
from vskd.bundle.sensor_checks import (
    check_alive,
    check_length,
    check_once,
    check_plausible,
    check_whole,
    converted_rate,
    without_glitches,
)
from vskd.bundle.sensor_columns import choose_columns, possible_clocks, read_stamps, without_lost_rows
from vskd.bundle.sensor_said import OF_DATASET, no_rate, settle_rate, settle_unit
from vskd.errors import BundleError, DataError, rounded
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.signals import to_signal
from vskd.preprocessing.sensor.stated import open_stated
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sensor.units import conversion


def read_recording(file: Path, contract: SensorContract, reading: FileReading = AS_IS) -> Recorded:
    """Read a recording and check it against the contract.

    For a model that sees several streams the file must hold the columns of all of them, found by their names, or named
    in the contract's order; each stream is checked by itself, in its own unit.

    Args:
        file: text (.csv, .txt, .tsv, .dat), .mat or .npy.
        contract: what the model asks for.
        reading: what the caller says of the file.

    Raises:
        BundleError: see `read_one_stream`; or two streams would be read from the same columns.
        DataError: see `read_one_stream`.
    """
    if not contract.streams:
        return read_one_stream(file, contract, reading)
    check_columns_of_all(file, contract, reading.columns)
    parts = [read_one_stream(file, view, own) for view, own in by_stream(contract, reading)]
    read = [dict(part.understood).get("columns", "") for part in parts]
    if len(set(read)) < len(read):
        raise BundleError(
            f"{file}: the columns {read[0]} would be read as several streams ({contract.stream})",
            "Name the columns by stream in the header, or name them all with --columns, in the contract's order",
        )
    return stacked(parts, contract)


def by_stream(contract: SensorContract, reading: FileReading) -> list[tuple[SensorContract, FileReading]]:
    """The contract of each stream, and what is said of it: its columns, and the unit if it is of its quantity."""
    if not contract.streams:
        return [(contract, reading)]
    found, start = [], 0
    for view in contract.of_streams():
        stop = start + len(view.axes)
        fits = reading.unit is not None and conversion(reading.unit, view.unit) is not None
        own = replace(reading, columns=reading.columns[start:stop], unit=reading.unit if fits else None)
        found.append((view, own))
        start = stop
    return found


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


def read_one_stream(file: Path, contract: SensorContract, reading: FileReading) -> Recorded:
    """Read a recording of one stream and check it against the contract.

    Args:
        file, contract, reading: see `read_recording`.

    Raises:
        BundleError: rate, unit, channels or length differ from what the contract asks, or are not said and cannot be
            proven; the message gives both, and what was understood.
        DataError: the file is missing, damaged, has other columns, its clock is broken, or values are not finite.
    """
    reading, own = _of_matlab(file, contract, reading)
    samples = open_stated(file, "", reading.variable)
    if own and contract.mat_width not in (None, samples.width):
        raise DataError(
            f"{file}: '{reading.variable}' has {samples.width} columns, and {contract.mat_width} {OF_DATASET}",
            "Name the columns of the axes with --columns, counted from 0",
        )
    return read_columns(file, samples, contract, reading, own=own)


def read_columns(
    file: Path,
    samples: Samples,
    contract: SensorContract,
    reading: FileReading,
    *,
    own: bool = False,
    block: bool = False,
) -> Recorded:
    """The samples of a stream, checked against its contract.

    A row with an empty cell is a gap in time, as in training; without a clock it is refused.

    Args:
        file: for messages.
        samples: its content, or a block of it.
        contract, reading: see `read_recording`.
        own: whether they are those of the data set's own files.
        block: whether they are a part of a long file, whose length says nothing.

    Raises:
        BundleError, DataError: see `read_one_stream`.
    """
    chosen = choose_columns(file, samples, contract, reading)
    samples, lost = without_lost_rows(samples, chosen)
    clock, clock_said, unread, stamps, _ = read_stamps(file, samples, chosen)
    in_unit = settle_unit(file, samples, chosen, contract, reading.unit, own)
    signal = to_signal([samples.numbers(c) for c in chosen.columns], contract.axes, file)
    said = settle_rate(file, contract, reading.rate_hz, samples, (clock, clock_said), own)
    if not block:
        check_once(file, signal)
        check_length(file, contract, signal.shape[1], said[0] if said else contract.rate_hz)
    breaks = check_whole(file, contract, clock, signal.shape[1])
    check_alive(file, contract, signal)
    looked_at = without_glitches(signal, contract, in_unit.name) if block else signal
    check_plausible(file, contract, looked_at, said[0] if said else contract.rate_hz, in_unit.name, in_unit.source)
    if said is None:
        raise no_rate(file, contract, clock, unread, possible_clocks(samples, chosen))
    rate, rate_said = said
    understood = [
        ("read as", samples.kind),
        ("columns", chosen.said),
        ("unit", f"{in_unit.name} ({in_unit.source or 'gravity at rest fits'})"),
        ("rate", f"{rate:g} Hz ({rate_said})"),
    ]
    if clock and clock.facts:
        understood.append(("clock", ", ".join(clock.facts)))
    notes = [*chosen.notes, *unread, *([f"{lost} rows with empty cells or NaN are left out"] if lost else [])]
    notes += converted_rate(rate, contract)
    bridging = contract.window_mode == "whole"
    how = ", bridged by a straight line" if bridging else ""
    notes += [
        f"a gap of {rounded(clock.gaps[n])} s before data row {b + 1}{how}" for n, b in enumerate(breaks) if clock
    ]
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


def even_signal(signal: FloatArray, clock: Clock, source: Path) -> FloatArray:
    """A signal whose gaps are bridged as those of training recordings are."""
    steps = np.full(signal.shape[1], clock.period_s)
    steps[list(clock.breaks)] = clock.gaps
    times = np.cumsum(steps)
    return Timed(signal, 1 / clock.period_s, times, clock=clock).bridged(source)


def _of_matlab(file: Path, contract: SensorContract, reading: FileReading) -> tuple[FileReading, bool]:
    """With variable and columns of a .mat file, and whether they are those of the data set's own files."""
    if file.suffix.lower() != ".mat":
        return reading, False
    variable = reading.variable or contract.mat_variable
    own = bool(not reading.columns and contract.mat_columns and variable == contract.mat_variable)
    return replace(reading, variable=variable, columns=contract.mat_columns if own else reading.columns), own
