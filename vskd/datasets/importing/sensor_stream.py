"""One sensor of a folder: its columns, clock, rate and unit, found out or stated, as dataset.yaml has them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.datasets.importing.clocks import Timing, find_timing
from vskd.datasets.importing.columns import AXES, ChosenColumns, choose_columns
from vskd.datasets.importing.layout import Layout, read_alike
from vskd.datasets.importing.stated import Guess, Stated
from vskd.datasets.importing.units import Signals, UnitGuess, find_unit
from vskd.datasets.sensors.folder_found import FILE
from vskd.errors import DataError, first_few
from vskd.preprocessing.sensor.codes import parse_codes
from vskd.preprocessing.sensor.column_names import columns_by_name
from vskd.preprocessing.sensor.samples import Samples, TextSamples
from vskd.preprocessing.sensor.units import parse_unit

RAILED = 10
"""Samples that have the largest value of all; where there are so many, it seems to be the range."""
GYROSCOPE = "gyroscope"


@dataclass(frozen=True)
class Understood:
    """One sensor: its streams in dataset.yaml, one of its files, and what was found out."""

    streams: Mapping[str, Any]
    first: Path
    content: Samples
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


def understand_stream(layout: Layout, folder: Path, stated: Stated) -> Understood:
    """Find out how the files of one sensor are read.

    Args:
        layout: its files.
        folder: in which they lie.
        stated: what need not be found out.

    Raises:
        DataError: something cannot be told, or is contradicted; the flag that says it is named.
    """
    samples, odd = read_alike(layout.files, stated)
    first, content = next(iter(samples.items()))
    _refuse_bare(first, content, stated)
    chosen = choose_columns(first, content, stated)
    timing = find_timing(samples, chosen, stated)
    signals = _signals(samples, chosen, folder, stated)
    unit = find_unit(signals, timing.rate_hz, chosen, stated)
    streams = {stated.stream: _stream(layout, chosen, timing, unit, content, stated)}
    notes = [
        *odd,
        *_clock_notes(timing, folder),
        *_axis_notes(signals, stated),
        *_second_stream(streams, layout, first, content, timing, stated),
    ]
    return Understood(streams, first, content, _guesses(content, chosen, timing, unit, stated), tuple(notes))


def _refuse_bare(path: Path, content: Samples, stated: Stated) -> None:
    """Refuse to guess what an array without names holds: nothing in the file says it.

    Raises:
        DataError: names the flags that are missing.
    """
    if content.names or isinstance(content, TextSamples):
        return
    given = {"--columns": stated.columns, "--rate (or --time)": stated.rate_hz or stated.time, "--unit": stated.unit}
    missing = [flag for flag, value in given.items() if not value]
    if missing:
        raise DataError(
            f"{path}: an array of {content.width} columns, of which nothing says what they are",
            f"Say it with {', '.join(missing)}; columns are counted from 0",
        )


def _signals(samples: Mapping[Path, Samples], chosen: ChosenColumns, folder: Path, stated: Stated) -> Signals:
    """The axes as they are written, codes as what they stand for, without rows that have an empty cell.

    Raises:
        DataError: a column is no column of numbers, or holds other codes.
    """
    codes = parse_codes(stated.codes) if stated.codes else None
    signals = {}
    for path, content in samples.items():
        rows = np.stack([_numbers(content, k) for k in chosen.numbers]).astype(np.float32)
        kept = rows[:, np.isfinite(rows).all(axis=0)]
        if codes and kept.size and not codes.lowest <= kept.min() <= kept.max() <= codes.highest:
            raise DataError(
                f"{path}: holds numbers from {kept.min():g} to {kept.max():g}, and --codes says {stated.codes}",
                "Correct --codes",
            )
        if kept.shape[1] > 1:
            kept = kept if codes is None else np.float32(codes.factor) * (kept - np.float32(codes.zero))
            signals[str(path.relative_to(folder))] = kept
    if not signals:
        raise DataError("No file holds two rows of numbers in these columns", "Name others with --columns")
    return signals


def _numbers(samples: Samples, column: int) -> npt.NDArray[np.float64]:
    if isinstance(samples, TextSamples):
        return samples.table.numbers(column, empty=True)
    return np.asarray(samples.numbers(column), dtype=np.float64)


def _stream(
    layout: Layout, chosen: ChosenColumns, timing: Timing, unit: UnitGuess, content: Samples, stated: Stated
) -> dict[str, Any]:
    """One stream of dataset.yaml."""
    separator = stated.separator or getattr(getattr(content, "table", None), "separator", None)
    optional = {
        "separator": separator,
        "variable": stated.variable,
        "axes": None if len(chosen.columns) == len(AXES) else [f"axis{n}" for n in range(1, len(chosen.columns) + 1)],
        "signs": list(stated.axis_signs),
        "time": None if chosen.time is None else _time(chosen, timing, stated),
        "offset": stated.offset,
        "codes": stated.codes,
        "range": stated.range_limit,
        "clip": stated.clip,
        "position": stated.position,
    }
    return {
        **({"files": layout.pattern} if layout.pattern else {}),
        "columns": list(chosen.columns),
        "rate_hz": timing.rate_hz,
        "unit": unit.unit,
        **{key: value for key, value in optional.items() if value},
        **({"calibrated": False} if stated.uncalibrated else {}),
    }


def _time(chosen: ChosenColumns, timing: Timing, stated: Stated) -> dict[str, Any]:
    zone = {"zone": stated.time_zone} if stated.time_zone else {}
    return {"column": chosen.time, "unit": timing.unit, **zone}


def _second_stream(
    streams: dict[str, Any], layout: Layout, first: Path, content: Samples, timing: Timing, stated: Stated
) -> list[str]:
    """Add a gyroscope in the same files, where names and units of columns are plain; else say that it is left out."""
    if stated.stream == GYROSCOPE or not content.names:
        return []
    columns = columns_by_name(content.names, AXES, GYROSCOPE).columns
    if not columns or set(columns) & set(columns_by_name(content.names, AXES, stated.stream).columns):
        return []
    if any(stated.of_stream):
        return [f"the gyroscope is left out, because the flags say things of one sensor; add it to {FILE}"]
    chosen = choose_columns(first, content, replace(stated, stream=GYROSCOPE))
    known = parse_unit(chosen.unit)
    if known is None or known.quantity != "angular rate":
        names = ", ".join(content.names[k] for k in columns)
        return [f"the gyroscope ({names}) is left out, because the files do not say its unit; add it to {FILE}"]
    streams[GYROSCOPE] = _stream(layout, chosen, timing, UnitGuess(chosen.unit, "header"), content, stated)
    return []


def _clock_notes(timing: Timing, folder: Path) -> list[str]:
    """Odd clocks: those that are broken, and of the others a few by name."""
    notes = [f"broken clock: {text}" for text in timing.broken]
    named = first_few([os.path.relpath(path, folder) for path in timing.uneven], 3, ", ")
    uneven = f"{len(timing.uneven)} of the files read have late, missing or repeated samples: {named}"
    return [*notes, uneven] if timing.uneven else notes


def _axis_notes(signals: Signals, stated: Stated) -> list[str]:
    """Axes that are mirrored, and a largest value that so many samples have that it seems to be the device's range."""
    notes = []
    if stated.axes and _mirrors(stated.axes):
        notes.append(f"--axes {','.join(stated.axes)} mirrors: no way of wearing a sensor does that")
    top = max(float(np.abs(signal).max()) for signal in signals.values())
    counts = {name: int((np.abs(signal) == np.float32(top)).sum()) for name, signal in signals.items()}
    reached, samples = [name for name, count in counts.items() if count], sum(counts.values())
    if not stated.range_limit and not stated.codes and samples >= RAILED and len(reached) > 1:
        notes.append(
            f"{samples} samples of {len(reached)} files ({first_few(reached, 3, ', ')}) are exactly {top:g}, the "
            f"largest value: if the device measures no more, say --range {top:g}"
        )
    return notes


def _mirrors(axes: Sequence[str]) -> bool:
    """Whether axes like -y, x, z make a left hand of a right one."""
    order = [AXES.index(axis.lstrip("+-")) for axis in axes]
    turns = sum(one > other for k, one in enumerate(order) for other in order[k + 1 :])
    return bool((turns + sum(axis.startswith("-") for axis in axes)) % 2)


def _guesses(
    content: Samples, chosen: ChosenColumns, timing: Timing, unit: UnitGuess, stated: Stated
) -> tuple[Guess, ...]:
    zone = f" of {stated.time_zone}" if stated.time_zone else ""
    clock = f"{chosen.time}, {timing.unit}{zone} ({timing.unit_source})" if chosen.time is not None else "none"
    signs = "".join(f", sign {sign:+d}" for sign in stated.axis_signs)
    return (
        Guess("format", content.kind, "the first rows", "--separator"),
        Guess("stream", stated.stream, "names" if chosen.source == "names" else "default", "--stream"),
        Guess("columns", f"{', '.join(map(str, chosen.columns))}{signs}", chosen.source, "--columns"),
        Guess("clock", clock, chosen.time_source or "no column is one", "--time, --time-unit"),
        Guess("rate", f"{timing.rate_hz:g} Hz", timing.rate_source, "--rate"),
        Guess(
            "unit",
            f"{unit.unit}{f', codes {stated.codes}' if stated.codes else ''}",
            unit.source,
            "--codes" if stated.codes else "--unit",
        ),
    )
