"""Sensor files to checked signals and windows: float32 (channels, samples). No torch.

Everything is checked here, so that later code may trust shape, finiteness and length.
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, MissingExtraError, is_number
from vskd.preprocessing.matfile import read_mat

Signal = npt.NDArray[np.float32]
TIME_COLUMNS = ("time", "timestamp", "t", "t_s", "time_s", "seconds")


def read_sensor(path: Path, *, axes: Sequence[str], variable: str = "", columns: Sequence[int] = ()) -> Signal:
    """Read one sensor stream of a recording.

    Args:
        path: .mat (samples x columns), .csv (with or without a header; a leading time column is recognised by its name
            and left out) or .npy (samples x columns; pickled content is refused).
        axes: names of the channels wanted, e.g. ("x", "y", "z").
        variable: array of a .mat file; may be empty if it has only one.
        columns: which columns of the file hold the axes; empty means that the file has these columns and no others.

    Returns:
        float32 (channels, samples), finite, at least 2 samples.

    Raises:
        DataError: missing, damaged, of the wrong shape, not finite, or too short.
    """
    table = _read_table(path, variable)
    if table.ndim != 2:
        raise DataError(f"{path}: expected a table of samples x columns, got shape {table.shape}", "Check the file")
    wanted = tuple(columns) or tuple(range(len(axes)))
    if table.shape[1] != len(axes) if not columns else max(wanted) >= table.shape[1]:
        need = f"{len(axes)} columns ({', '.join(axes)})" if not columns else f"at least {max(wanted) + 1} columns"
        raise DataError(
            f"{path}: has {table.shape[1]} columns, expected {need}", "Check that this is the right sensor file"
        )
    if table.dtype.kind not in "fiub":
        raise DataError(f"{path}: holds {table.dtype}, not real numbers", "Check the file")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        signal = np.ascontiguousarray(table[:, list(wanted)].T, dtype=np.float32)
    check_signal(signal, axes, path)
    return signal


def check_signal(signal: Signal, axes: Sequence[str], source: Path | str) -> None:
    """Refuse a signal that is not (len(axes), at least 2 samples) of finite numbers.

    Raises:
        DataError: names the source, the axis and the first bad sample.
    """
    if signal.ndim != 2 or signal.shape[0] != len(axes):
        raise DataError(
            f"{source}: expected {len(axes)} channels ({', '.join(axes)}), got shape {signal.shape}", "Check the file"
        )
    if signal.shape[1] < 2:
        raise DataError(f"{source}: has {signal.shape[1]} sample(s)", "Remove this recording, or copy it again")
    bad = ~np.isfinite(signal)
    if bad.any():
        sample = int(np.flatnonzero(bad.any(axis=0))[0])
        axis = axes[int(np.flatnonzero(bad[:, sample])[0])]
        raise DataError(
            f"{source}: {int(bad.sum())} value(s) are not finite (first: axis {axis}, sample {sample})",
            "Repair or remove this recording",
        )


def _read_table(path: Path, variable: str) -> npt.NDArray[Any]:
    kind = path.suffix.lower()
    if kind not in (".mat", ".csv", ".npy"):
        raise DataError(f"{path}: cannot read sensor data of type '{path.suffix}'", "Give a .mat, .csv or .npy file")
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the path")
    if kind == ".mat":
        return read_mat(path, variable)
    return _read_csv(path) if kind == ".csv" else _read_npy(path)


def _read_npy(path: Path) -> npt.NDArray[Any]:
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not a readable .npy file of numbers ({error})", "Save it with numpy.save") from error


def _read_csv(path: Path) -> npt.NDArray[np.float64]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(line for line in file if not line.startswith("#")) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a readable .csv file ({error})", "Save it as UTF-8 text") from error
    if not rows:
        raise DataError(f"{path}: is empty", "Remove this recording, or copy it again")
    header = [] if is_number(rows[0][0]) else [name.strip().lower() for name in rows[0]]
    body = rows[1:] if header else rows
    skip = 1 if header and header[0] in TIME_COLUMNS else 0
    width = len(header) or len(rows[0])
    table = np.empty((len(body), width - skip))
    for number, row in enumerate(body):
        if len(row) != width:
            raise DataError(f"{path}: data row {number + 1} has {len(row)} cells, expected {width}", "Correct this row")
        try:
            table[number] = [float(cell) for cell in row[skip:]]
        except ValueError as error:
            raise DataError(
                f"{path}: data row {number + 1} is not all numbers ({error})", "Correct this row"
            ) from error
    return table


def resample_to_length(signal: Signal, length: int) -> Signal:
    """Linear interpolation onto `length` equally spaced times, first and last sample included.

    Linear, as the reference's image resize is; a recording shrinks by at most about 2.5 in UTD-MHAD, well above the
    band of human motion (below 20 Hz), so no filter is applied. Use `resample_to_rate` for a proper change of rate.

    Args:
        signal: float32 (channels, samples).
        length: at least 2.
    """
    samples = signal.shape[1]
    if samples == length:
        return signal
    positions = np.linspace(0, samples - 1, length)
    left = np.minimum(positions.astype(np.int64), samples - 2)
    weight = (positions - left).astype(np.float64)
    result = signal[:, left] * (1 - weight) + signal[:, left + 1] * weight
    return np.asarray(result, dtype=np.float32)


def resample_to_rate(signal: Signal, rate_hz: float, new_rate_hz: float) -> Signal:
    """Change the sampling rate with an anti-aliasing polyphase filter (scipy.signal.resample_poly).

    Args:
        signal: float32 (channels, samples) at `rate_hz`.
        rate_hz: present rate; the ratio of the rates is taken to three decimals.
        new_rate_hz: wanted rate.

    Raises:
        DataError: a rate is below 0.001 Hz.
        MissingExtraError: scipy is not installed.
    """
    if min(rate_hz, new_rate_hz) < 0.001:
        raise DataError(f"Cannot resample from {rate_hz:g} Hz to {new_rate_hz:g} Hz", "Give rates above 0.001 Hz")
    if rate_hz == new_rate_hz:
        return signal
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise MissingExtraError("scipy", "resample") from error

    up, down = round(new_rate_hz * 1000), round(rate_hz * 1000)
    divisor = math.gcd(up, down)
    result = resample_poly(signal.astype(np.float64), up // divisor, down // divisor, axis=1, padtype="line")
    return np.asarray(result, dtype=np.float32)


def sliding_windows(signal: Signal, length: int, stride: int) -> Signal:
    """Windows of `length` samples, one every `stride`; what is left at the end is not covered.

    A signal shorter than one window gives none: (0, channels, length).

    Returns:
        float32 (windows, channels, length).
    """
    if signal.shape[1] < length:
        return np.empty((0, signal.shape[0], length), dtype=np.float32)
    views = np.lib.stride_tricks.sliding_window_view(signal, length, axis=1)[:, ::stride]
    return np.array(views.transpose(1, 0, 2), dtype=np.float32, order="C")
