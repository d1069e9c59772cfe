"""A long recording as a stream: hours of signal at flat memory."""

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.bundle.bundle import Bundle
from vskd.bundle.csv_header import read_csv_header
from vskd.bundle.predict import sensor_contract_of
from vskd.bundle.sensor_file import normal_unit
from vskd.errors import BundleError, DataError, is_number
from vskd.firmware_bridge.conditions import Condition
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.golden_stream import Call
from vskd.firmware_bridge.reference import reference_stream
from vskd.firmware_bridge.stream_plan import MICROSECONDS
from vskd.firmware_bridge.stream_settings import StreamSettings
from vskd.preprocessing.sensor.signals import TIME_COLUMNS

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
    """

    time_s: float
    status: Condition
    label: str
    log_odds: float


def stream_file(bundle: Bundle, file: Path, settings: StreamSettings | None = None) -> Iterator[Event]:
    """Decisions of a long recording, one after the other, as the firmware would give them.

    Args:
        bundle: of a sensor.
        file: .csv; a leading column of seconds gives the time stamps. Without it, rate and gaps are not checked.
        settings: of the device's sensor and of the decision.

    Raises:
        BundleError: the bundle is of images, or the file declares another unit than the contract's.
        DataError: the file cannot be read, a row has other cells than the first, or a cell is no number.
        SettingError: a setting does not fit the contract.
    """
    contract, firmware = sensor_contract_of(bundle), read_firmware(bundle, settings)
    plan, output = firmware.plan, firmware.graph.output
    if plan is None:
        raise TypeError("a bundle of a sensor has a stream")
    stream = reference_stream(firmware.graph, plan)
    header = read_csv_header(file, contract.axes, contract.stream)
    if header.unit is not None and plan.factor == 1 and normal_unit(header.unit) != normal_unit(contract.unit):
        raise BundleError(
            f"{file}: wrong unit: the model asks for {contract.unit}, the file says {header.unit}",
            "Convert the samples, or set device.unit_factor",
        )
    labels = bundle.manifest.provenance.labels
    start = None
    for samples, times in _pieces(file, header.columns):
        if start is None:
            start = 0 if times is None else int(times[0])
        for d in stream.feed(samples, times):
            seconds = d.sample * plan.period_us if times is None else d.time_us - start
            label = labels[d.label] if d.label >= 0 else ""
            yield Event(seconds / MICROSECONDS, d.status, label, d.margin * output.scale)


def _pieces(file: Path, columns: tuple[int, ...]) -> Iterator[Call]:
    """The file's samples, a piece at a time, with time stamps if it has them."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            rows: Iterator[list[str]] = (
                row for row in csv.reader(line for line in handle if not line.startswith("#")) if row
            )
            first = next(rows, None)
            if first is None:
                raise DataError(f"{file}: is empty", "Record again")
            has_time = not is_number(first[0]) and first[0].strip().lower() in TIME_COLUMNS
            rows = itertools.chain([first], rows) if is_number(first[0]) else rows
            number = 0
            while piece := list(itertools.islice(rows, ROWS)):
                yield _numbers(file, piece, number, len(first), has_time, columns)
                number += len(piece)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: not a readable .csv file ({error})", "Save it as UTF-8 text") from error


def _numbers(
    file: Path, piece: list[list[str]], number: int, width: int, has_time: bool, columns: tuple[int, ...]
) -> Call:
    table = np.empty((len(piece), width))
    for row, cells in enumerate(piece):
        if len(cells) != width or not all(map(is_number, cells)):
            raise DataError(
                f"{file}: data row {number + row + 1} is not {width} numbers", "Correct this row; a gap may be nan"
            )
        table[row] = [float(cell) for cell in cells]
    times = None
    if has_time:
        if not (np.isfinite(table[:, 0]) & (table[:, 0] >= 0)).all():
            raise DataError(f"{file}: a time near data row {number + 1} is negative or no number", "Correct it")
        times = np.rint(table[:, 0] * MICROSECONDS).astype(np.uint64)
        table = table[:, 1:]
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is a condition
        return np.asarray(table[:, list(columns)] if columns else table, dtype=np.float32), times
