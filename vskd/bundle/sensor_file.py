"""A recording from a file or an array, checked against the sensor contract.

What it declares, what it must be, and what is assumed because nobody said it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import SensorContract
from vskd.bundle.csv_header import CsvHeader, read_csv_header
from vskd.errors import BundleError, DataError
from vskd.preprocessing.sensor.signals import check_signal, read_sensor

FloatArray = npt.NDArray[np.float32]

RATE_TOLERANCE = 0.03  # clocks of cheap sensors are off by a percent or two
RANGE_EXCESS = 2.0  # a sensor cannot measure beyond its range; twice as much is another unit, not noise
STANDARD_GRAVITY = 9.80665
_UNITS = {
    "g": "g",
    "m/s^2": "m/s^2",
    "m/s2": "m/s^2",
    "m/s²": "m/s^2",
    "m/s/s": "m/s^2",
    "deg/s": "deg/s",
    "dps": "deg/s",
    "°/s": "deg/s",
    "rad/s": "rad/s",
}


@dataclass(frozen=True)
class Recorded:
    """A recording that fits the contract: float32 (channels, samples), and in `notes` what was assumed."""

    signal: FloatArray
    rate_hz: float
    notes: tuple[str, ...]


def normal_unit(unit: str) -> str:
    """One spelling for each unit: `m/s2` and `m/s²` are `m/s^2`; unknown units stay as they are."""
    plain = re.sub(r"\s+", "", unit).lower()
    return _UNITS.get(plain, plain)


def read_recording(
    file: Path,
    contract: SensorContract,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    columns: tuple[int, ...] = (),
    variable: str = "",
) -> Recorded:
    """Read a recording and check it against the contract.

    Rate and unit come from the caller or from the file (a .csv may declare them, see `read_csv_header`). Where neither
    says, the contract's are assumed, and `notes` say so.

    Args:
        file: .csv, .mat or .npy.
        contract: what the model asks for.
        rate_hz: samples per second, if the caller knows.
        unit: unit of the samples, if the caller knows.
        columns: which columns are the contract's axes, counted from 0 and without a leading time column; empty: found
            by name in a .csv, by the contract in a .mat, else the file must have the axes alone.
        variable: name of the array in a .mat file; empty: the contract's, or the only array.

    Raises:
        BundleError: rate, unit, channels or length differ from what the contract asks; the message gives both.
        DataError: the file is missing, damaged, has other columns, or values that are not finite.
    """
    header = read_csv_header(file, contract.axes, contract.stream) if file.suffix.lower() == ".csv" else CsvHeader()
    notes: list[str] = []
    rate = _settle_rate(file, contract, rate_hz, header.rate_hz, notes)
    unit_known = _settle_unit(file, contract, unit, header.unit, notes)
    if file.suffix.lower() == ".mat":
        variable, columns = variable or contract.mat_variable, columns or contract.mat_columns
    signal = _read_channels(file, contract, columns or header.columns, variable)
    _check_length(file, contract, signal.shape[1])
    _check_plausible(file, contract, signal, unit_known)
    return Recorded(signal, rate, tuple(notes))


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
    if table.ndim != 2 or table.shape[1] != len(contract.axes):
        axes = ", ".join(contract.axes)
        raise BundleError(
            f"{name}: the model asks for {len(contract.axes)} channels ({axes}), the array has shape {table.shape}",
            "Give an array of samples x axes",
        )
    if table.dtype.kind not in "fiu":
        raise DataError(f"{name}: holds {table.dtype}, not real numbers", "Give an array of numbers")
    notes: list[str] = []
    _check_rate(name, contract, "the caller says", rate_hz)
    if rate_hz is None:
        notes.append(f"no rate was given; {contract.rate_hz:g} Hz is assumed")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        signal = np.ascontiguousarray(table.T, dtype=np.float32)
    _check_length(name, contract, signal.shape[1])
    check_signal(signal, contract.axes, name)
    _check_plausible(name, contract, signal, unit_known=False)
    return Recorded(signal, rate_hz or contract.rate_hz, tuple(notes))


def _settle_rate(
    file: Path, contract: SensorContract, given: float | None, declared: float | None, notes: list[str]
) -> float:
    """The recording's rate: what the caller or the file says, and the contract's where neither does."""
    _check_rate(file, contract, "the option says", given)
    _check_rate(file, contract, "the file says", declared)
    if given is None and declared is None:
        notes.append(f"{file.name} does not say its rate; {contract.rate_hz:g} Hz is assumed (--rate states it)")
    return given or declared or contract.rate_hz


def _check_rate(name: Path | str, contract: SensorContract, source: str, rate_hz: float | None) -> None:
    asked = contract.rate_hz
    if rate_hz is not None and not abs(rate_hz - asked) <= RATE_TOLERANCE * asked:
        raise BundleError(
            f"{name}: wrong rate: the model asks for {asked:g} Hz, {source} {rate_hz:g} Hz",
            f"Resample the recording to {asked:g} Hz, or record at that rate",
        )


def _settle_unit(
    file: Path, contract: SensorContract, given: str | None, declared: str | None, notes: list[str]
) -> bool:
    """Whether the unit is known to be the contract's; False where it is only assumed."""
    for source, unit in (("the option says", given), ("the file says", declared)):
        if unit is not None and normal_unit(unit) != normal_unit(contract.unit):
            raise BundleError(
                f"{file}: wrong unit: the model asks for {contract.unit}, {source} {unit}",
                f"Convert the samples to {contract.unit}" + _conversion(normal_unit(unit), normal_unit(contract.unit)),
            )
    known = given is not None or declared is not None
    if not known:
        notes.append(f"{file.name} does not say its unit; {contract.unit} is assumed (--unit states it)")
    return known


def _conversion(got: str, asked: str) -> str:
    if (got, asked) == ("m/s^2", "g"):
        return f" (divide by {STANDARD_GRAVITY})"
    if (got, asked) == ("g", "m/s^2"):
        return f" (multiply by {STANDARD_GRAVITY})"
    return ""


def _read_channels(file: Path, contract: SensorContract, columns: tuple[int, ...], variable: str) -> FloatArray:
    asked = f"the model asks for {len(contract.axes)} channels ({', '.join(contract.axes)})"
    if columns and len(columns) != len(contract.axes):
        raise BundleError(f"{file}: {asked}, {len(columns)} columns were named", "Name one column for each channel")
    return read_sensor(file, axes=contract.axes, variable=variable, columns=columns)


def _check_length(name: Path | str, contract: SensorContract, samples: int) -> None:
    if contract.min_samples <= samples <= contract.max_samples:
        return
    rate = contract.rate_hz
    bounds = f"{contract.min_samples} to {contract.max_samples} samples"
    seconds = f"{contract.min_samples / rate:.2g} to {contract.max_samples / rate:.3g} s at {rate:g} Hz"
    raise BundleError(
        f"{name}: wrong length: the model asks for {bounds} ({seconds}), the recording has {samples}",
        "Cut out one performance of the action" if samples > contract.max_samples else "Record the whole performance",
    )


def _check_plausible(name: Path | str, contract: SensorContract, signal: FloatArray, unit_known: bool) -> None:
    """Refuse values that the sensor cannot have measured, or whose gravity is that of another unit."""
    unit = normal_unit(contract.unit)
    peak = float(np.abs(signal).max())
    other = {"g": "m/s^2", "m/s^2": "g", "deg/s": "rad/s", "rad/s": "deg/s"}.get(unit, "another unit")
    if peak > RANGE_EXCESS * contract.range_limit:
        raise BundleError(
            f"{name}: values reach {peak:.4g}, and the model asks for {contract.unit} of a sensor of "
            f"±{contract.range_limit:g} {contract.unit}: they look like {other}",
            f"Convert the samples to {contract.unit}{_conversion(other, unit)}",
        )
    if unit_known or unit not in ("g", "m/s^2") or len(signal) != 3:
        return
    # A body is at rest on average over seconds, so the median length of the vector is near 1 g whatever the movement.
    typical = float(np.median(np.linalg.norm(signal, axis=0))) / (1.0 if unit == "g" else STANDARD_GRAVITY)
    if (unit == "g" and typical > 5) or (unit == "m/s^2" and typical < 0.25):
        raise BundleError(
            f"{name}: the model asks for {contract.unit}, and the vector of the samples is typically {typical:.3g} "
            f"times gravity: they look like {other}",
            f"Convert the samples to {contract.unit}{_conversion(other, unit)}, or state their unit with --unit",
        )
