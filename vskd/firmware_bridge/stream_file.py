"""A long recording as a stream: hours of signal at flat memory."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.bundle.bundle import Bundle
from vskd.bundle.contract import SensorContract
from vskd.bundle.predict import sensor_contract_of
from vskd.bundle.probabilities import softmax_of_int8
from vskd.bundle.sensor_checks import RATE_TOLERANCE
from vskd.bundle.sensor_columns import choose_columns
from vskd.bundle.sensor_said import declared_rate
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision, Stream
from vskd.bundle.stream.stream_plan import MICROSECONDS, StreamPlan
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import Call
from vskd.errors import BundleError, DataError
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.graph import Tensor
from vskd.firmware_bridge.reference import reference_stream
from vskd.preprocessing.sensor.column_names import TimeColumn
from vskd.preprocessing.sensor.delimited import SEPARATORS, cells_of, is_decimal, parse_delimited
from vskd.preprocessing.sensor.samples import TextSamples
from vskd.preprocessing.sensor.units import conversion

HEAD_LINES = 2000
"""Lines by which columns, unit and clock are understood, as `vskd predict` understands a whole file."""
ROWS = 1000
"""Read at a time."""


@dataclass(frozen=True)
class Event:
    """One decision about a recording.

    Attributes:
        time_s: of the newest sample that it depends on, from the start of the recording.
        status: `OK`, or what is wrong.
        label: the smoothed decision; empty where it is unknown, or something is wrong.
        log_odds: log(p1 / p2) of the window's two most probable classes.
        confidence: probability of the label in this window, or of its most probable class where the label is unknown;
            None where something is wrong.
    """

    time_s: float
    status: Condition
    label: str
    log_odds: float
    confidence: float | None = None


def stream_file(bundle: Bundle, file: Path, settings: StreamSettings | None = None) -> Iterator[Event]:
    """Decisions of a long recording, one after the other, as the firmware would give them.

    Args:
        bundle: of a sensor.
        file: delimited text, understood as `vskd predict` does; a column of time gives the time stamps. Without one,
            rate and gaps are not checked.
        settings: of the device's sensor and of the decision.

    Raises:
        BundleError: the bundle is of images, or the file has other columns or another unit than the contract's, or says
            another rate than the stream's.
        DataError: the file cannot be read, a row has other cells than the first, or a cell is no number.
        SettingError: a setting does not fit the contract.
    """
    contract, firmware = sensor_contract_of(bundle), read_firmware(bundle, settings)
    plan, output = firmware.plan, firmware.graph.output
    if plan is None:
        raise TypeError("a bundle of a sensor has a stream")
    stream = reference_stream(firmware.graph, plan)
    layout = read_layout(file, contract)
    check_layout(file, layout, plan)
    labels = bundle.manifest.provenance.labels
    start = None
    for samples, times in _pieces(file, layout):
        if start is None:
            start = 0 if times is None else int(times[0])
        for d in stream.feed(samples, times):
            seconds = d.sample * plan.period_us if times is None else d.time_us - start
            label = labels[d.label] if d.label >= 0 else ""
            sure = _confidence(stream, d, output)
            yield Event(seconds / MICROSECONDS, d.status, label, d.margin * output.scale, sure)


def _confidence(stream: Stream, decision: Decision, output: Tensor) -> float | None:
    if decision.status is not Condition.OK or stream.logits is None:
        return None
    probabilities = softmax_of_int8(stream.logits, output.scale)
    return max(probabilities) if decision.label < 0 else probabilities[decision.label]


def check_layout(file: Path, layout: "Layout", plan: StreamPlan) -> None:
    """Refuse a file that says another unit or rate than the stream has; a clock is checked window by window.

    Raises:
        BundleError: says both.
    """
    if layout.unit and plan.factor == 1 and conversion(layout.unit, plan.contract.unit) != 1:
        raise BundleError(
            f"{file}: wrong unit: the model asks for {plan.contract.unit}, the file says {layout.unit}",
            "Convert the samples, or set device.unit_factor",
        )
    rate = MICROSECONDS / plan.period_us
    if layout.rate_hz is not None and abs(layout.rate_hz - rate) > RATE_TOLERANCE * rate:
        raise BundleError(
            f"{file}: wrong rate: the stream has {rate:g} Hz, the file says {layout.rate_hz:g} Hz",
            "Set device.rate_hz to the file's rate, or correct the remark",
        )


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are read.

    Attributes:
        separator: between cells.
        width: cells of a row.
        columns: of the axes, in the contract's order.
        unit: of the axes; empty where the file does not say.
        rate_hz: what a remark says; None where there is none.
        clock: the column of time stamps; None where there is none.
        seconds: of one count of the clock.
        skipped: rows of numbers before the first data row.
    """

    separator: str
    width: int
    columns: tuple[int, ...]
    unit: str
    rate_hz: float | None
    clock: int | None
    seconds: float
    skipped: int = 0


def read_layout(file: Path, contract: SensorContract) -> Layout:
    """What the first lines of a file say about it.

    Raises:
        BundleError: its columns are not those of the contract.
        DataError: it cannot be read, its time stamps are no plain counts, or a remark says a rate that is no number.
    """
    try:
        with file.open(encoding="utf-8-sig") as handle:
            head = "".join(itertools.islice(handle, HEAD_LINES))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable .csv file ({error})", "Save it as UTF-8 text") from error
    table = parse_delimited(file, head)
    samples = TextSamples(table)
    chosen = choose_columns(file, samples, contract)
    units = {samples.units[c] for c in chosen.columns if samples.units and samples.units[c]}
    unit = next(iter(units), samples.declared.get("unit", ""))
    clock = next(iter(chosen.clocks), None)
    separator = next(mark for mark, name in SEPARATORS.items() if name == table.separator)
    seconds = 0.0 if clock is None else _seconds(file, samples, clock)
    rate_hz = declared_rate(file, samples)
    number = None if clock is None else clock.index
    return Layout(separator, samples.width, chosen.columns, unit, rate_hz, number, seconds, table.wristband_rows)


def _seconds(file: Path, samples: TextSamples, clock: TimeColumn) -> float:
    """How many seconds one count of a clock is, by its name or its steps."""
    read = samples.stamps(clock.index, clock.seconds) if samples.table.is_numeric(clock.index) else None
    counts = samples.numbers(clock.index) if read is not None else np.zeros(0)
    if read is None or len(counts) < 2 or counts[-1] == counts[0]:
        raise DataError(
            f"{file}: the time stamps in column {clock.index} are no counts of seconds, milliseconds or the like",
            "Write them as numbers, e.g. seconds in a column `time_s`",
        )
    return float((read[0][-1] - read[0][0]) / (counts[-1] - counts[0]))


def _pieces(file: Path, layout: Layout) -> Iterator[Call]:
    """The file's samples, a piece at a time, with time stamps if it has them."""
    number = 0
    try:
        with file.open(encoding="utf-8-sig") as handle:
            cells = (cells_of(line, layout.separator) for line in handle if line.strip() and not line.startswith("#"))
            numbers = itertools.dropwhile(lambda row: not _is_data(row, layout), cells)
            rows = itertools.islice(numbers, layout.skipped, None)
            while piece := list(itertools.islice(rows, ROWS)):
                yield _numbers(file, piece, number, layout)
                number += len(piece)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable .csv file ({error})", "Save it as UTF-8 text") from error
    if number == 0:
        raise DataError(
            f"{file}: no row has the {layout.width} cells that its first lines describe",
            "Write the rows without a separator at their end",
        )


def _is_data(row: list[str], layout: Layout) -> bool:
    return len(row) == layout.width and all(is_decimal(row[c]) for c in layout.columns)


def _numbers(file: Path, piece: list[list[str]], number: int, layout: Layout) -> Call:
    wanted = layout.columns if layout.clock is None else (*layout.columns, layout.clock)
    table = np.empty((len(piece), len(wanted)))
    for row, cells in enumerate(piece):
        if len(cells) != layout.width or not all(is_decimal(cells[c]) for c in wanted):
            raise DataError(
                f"{file}: data row {number + row + 1} is not {layout.width} numbers",
                "Correct this row; a gap may be nan",
            )
        table[row] = [float(cells[c].replace(",", ".")) for c in wanted]
    times = None
    if layout.clock is not None:
        stamps = table[:, -1]
        if not (np.isfinite(stamps) & (stamps >= 0)).all():
            raise DataError(f"{file}: a time near data row {number + 1} is negative or no number", "Correct it")
        times = np.rint(stamps * layout.seconds * MICROSECONDS).astype(np.uint64)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is a condition
        return np.asarray(table[:, : len(layout.columns)], dtype=np.float32), times
