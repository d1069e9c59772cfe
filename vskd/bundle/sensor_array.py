"""A recording that is in memory, checked against the sensor contract."""

from numbers import Real

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import SensorContract
from vskd.bundle.recorded import Recorded, stacked
from vskd.bundle.sensor_checks import check_alive, check_length, check_plausible, check_rate, converted_rate
from vskd.errors import BundleError, DataError
from vskd.preprocessing.sensor.signals import check_signal


def recorded_array(samples: npt.ArrayLike, contract: SensorContract, rate_hz: float | None = None) -> Recorded:
    """Check a recording that is in memory against the contract.

    Args:
        samples: (samples, axes) in the contract's unit, the axes in its order.
        contract: what the model asks for.
        rate_hz: samples per second; None assumes the contract's, and `notes` say so.

    Raises:
        BundleError: rate, channels or length differ from what the contract asks, or the values look like another unit.
        DataError: the array holds no real numbers, or values that are not finite; or the rate is no number.
    """
    name, table = "the array", _as_array(samples)
    if rate_hz is not None and (isinstance(rate_hz, bool) or not isinstance(rate_hz, Real)):
        raise DataError(f"rate_hz is {rate_hz!r}, no number", "Give the samples per second, e.g. 50")
    check_columns_of_array(table, contract)
    if contract.streams:
        bounds = np.cumsum([len(stream.axes) for stream in contract.streams])[:-1]
        split = zip(np.split(table, bounds, axis=1), contract.of_streams(), strict=True)
        return stacked([recorded_array(part, view, rate_hz) for part, view in split], contract)
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


def _as_array(samples: npt.ArrayLike) -> npt.NDArray[np.generic]:
    """What numpy makes of it.

    Raises:
        DataError: rows of different length, a tensor that requires a gradient, or nothing like an array.
    """
    try:
        return np.asarray(samples)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"the samples are no array: {error}", "Give numbers (samples, axes)") from error


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
