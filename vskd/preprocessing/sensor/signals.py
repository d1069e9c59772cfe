"""Sensor files to checked signals and windows: float32 (channels, samples). No torch.

Everything is checked here, so that later code may trust shape, finiteness and length.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.matfile import read_mat
from vskd.preprocessing.sensor.column_names import columns_by_name
from vskd.preprocessing.sensor.delimited import Table, read_delimited
from vskd.preprocessing.text_file import TEXT

Signal = npt.NDArray[np.float32]
LARGEST_FACTOR = 1000
"""Of a polyphase filter."""


def read_sensor(
    path: Path,
    *,
    axes: Sequence[str],
    variable: str = "",
    columns: Sequence[int] = (),
    stream: str = "accelerometer",
) -> Signal:
    """Read one sensor stream of a recording.

    Args:
        path: .mat (samples x columns), text (see `delimited`; columns of a header are found by their names) or .npy
            (samples x columns; pickled content is refused).
        axes: names of the channels wanted, e.g. ("x", "y", "z").
        variable: array of a .mat file; may be empty if it has only one.
        columns: which columns of the file hold the axes, counted from 0 in the file as it is; empty means that they are
            named in its header, or that the file has these columns and no others.
        stream: what the axes are of, for names of columns.

    Returns:
        float32 (channels, samples), finite, at least 2 samples.

    Raises:
        DataError: missing, damaged, of the wrong shape, not finite, or too short.
    """
    if path.suffix.lower() not in TEXT:
        array = read_array(path, variable)
        return to_signal(table_columns(array, axes, columns, path), axes, path)
    return table_signal(read_delimited(path), axes, columns, stream)


def table_signal(table: Table, axes: Sequence[str], columns: Sequence[int] = (), stream: str = "") -> Signal:
    """The axes of a table of text as a checked signal; see `read_sensor`."""
    if not columns and table.names:
        choice = columns_by_name(table.names, axes, stream)
        if choice.problem:
            raise DataError(f"{table.path}: {choice.problem}", f"Call the columns {', '.join(axes)}")
        columns = choice.columns
    wanted = check_columns(table.width, axes, columns, table.path)
    return to_signal([table.numbers(c) for c in wanted], axes, table.path)


def check_columns(width: int, axes: Sequence[str], columns: Sequence[int], source: Path | str) -> tuple[int, ...]:
    """The columns to read of a table of `width` columns: `columns`, or where there are none the first to the last.

    Raises:
        DataError: a column is named twice or is not there; or none is named, and the table has other columns besides.
    """
    wanted = tuple(columns) or tuple(range(len(axes)))
    if len(set(wanted)) < len(wanted):
        raise DataError(f"{source}: a column is named twice: {', '.join(map(str, wanted))}", "Name each column once")
    if width != len(axes) if not columns else max(wanted) >= width:
        need = f"{len(axes)} columns ({', '.join(axes)})" if not columns else f"at least {max(wanted) + 1} columns"
        raise DataError(f"{source}: has {width} columns, expected {need}", "Check that this is the right sensor file")
    return wanted


def table_columns(
    array: npt.NDArray[Any], axes: Sequence[str], columns: Sequence[int], source: Path | str
) -> list[npt.NDArray[Any]]:
    """The columns of the axes of an array.

    Raises:
        DataError: it is no table of real numbers, (samples, columns), or has not these columns.
    """
    if array.ndim != 2:
        raise DataError(f"{source}: expected a table of samples x columns, got shape {array.shape}", "Check the file")
    wanted = check_columns(array.shape[1], axes, columns, source)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{source}: holds {array.dtype}, not real numbers", "Check the file")
    return [array[:, c] for c in wanted]


def to_signal(columns: Sequence[npt.NDArray[Any]], axes: Sequence[str], source: Path | str) -> Signal:
    """Columns of numbers as a checked signal, float32 (axes, samples); see `check_signal`."""
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        signal = np.stack([np.asarray(column, dtype=np.float32) for column in columns])
    check_signal(signal, axes, source)
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


def read_array(path: Path, variable: str = "") -> npt.NDArray[Any]:
    """The array of a .mat or .npy file, as it is stored.

    Raises:
        DataError: missing, damaged, of another type, or without the variable.
    """
    kind = path.suffix.lower()
    if kind not in (".mat", ".npy"):
        raise DataError(
            f"{path}: cannot read sensor data of type '{path.suffix}'",
            "Give a text, .mat, .npy, .npz, .h5 or .parquet file",
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the path")
    return read_mat(path, variable) if kind == ".mat" else _read_npy(path)


def _read_npy(path: Path) -> npt.NDArray[Any]:
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except (ValueError, OSError, EOFError, TokenError, SyntaxError, MemoryError, OverflowError) as error:
        raise DataError(f"{path}: not a readable .npy file of numbers ({error})", "Save it with numpy.save") from error


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
    """Change the sampling rate of a whole recording with an anti-aliasing polyphase filter (scipy's resample_poly).

    The line from the first sample to the last goes on beyond both. A stream knows no last sample: for sliding windows
    see `vskd.preprocessing.sensor.resampling.resampled`.

    Args:
        signal: float32 (channels, samples) at `rate_hz`.
        rate_hz: present rate; the ratio of the rates is taken to three decimals.
        new_rate_hz: wanted rate.

    Raises:
        DataError: a rate is below 0.001 Hz.
        MissingExtraError: scipy is not installed.
    """
    up, down = rate_ratio(rate_hz, new_rate_hz)
    if rate_hz == new_rate_hz:
        return signal
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise MissingExtraError("scipy", "resample") from error

    result = resample_poly(signal.astype(np.float64), up, down, axis=1, padtype="line")
    return np.asarray(result, dtype=np.float32)


def rate_ratio(rate_hz: float, new_rate_hz: float) -> tuple[int, int]:
    """The ratio of two rates as whole numbers: exact to three decimals of each rate, or else the nearest ratio of
    numbers up to `LARGEST_FACTOR`, which is within a thousandth: a filter has 20 taps for each of them.

    >>> rate_ratio(50.0, 40.0), rate_ratio(31.047618, 30.0)
    ((4, 5), (315, 326))

    Raises:
        DataError: a rate is below 0.001 Hz.
    """
    if min(rate_hz, new_rate_hz) < 0.001:
        raise DataError(f"Cannot resample from {rate_hz:g} Hz to {new_rate_hz:g} Hz", "Give rates above 0.001 Hz")
    up, down = round(new_rate_hz * 1000), round(rate_hz * 1000)
    divisor = math.gcd(up, down)
    if max(up, down) // divisor <= LARGEST_FACTOR:
        return up // divisor, down // divisor
    wanted = new_rate_hz / rate_hz
    most = int(LARGEST_FACTOR / max(1.0, wanted))
    ratio = Fraction(wanted).limit_denominator(max(1, most))
    return ratio.numerator, ratio.denominator


def window_count(samples: int, length: int, stride: int) -> int:
    """How many windows `sliding_windows` cuts from so many samples.

    >>> window_count(99, 100, 50), window_count(149, 100, 50), window_count(150, 100, 50)
    (0, 1, 2)
    """
    return max(0, (samples - length) // stride + 1)


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
