"""What a recording must be to fit the sensor contract: rate, length, one whole, alive, and of this sensor."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import SensorContract
from vskd.errors import BundleError, DataError, rounded
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.gravity import dead_fault, gravity_fault, measures_gravity
from vskd.preprocessing.sensor.timed import bridgeable
from vskd.preprocessing.sensor.units import conversion

FloatArray = npt.NDArray[np.float32]

LOWEST_RATE = 0.5
RATE_TOLERANCE = 0.03  # clocks of cheap sensors are off by a percent or two
STEADY = 0.005  # less is the rounding of a clock; resampling by it would only blur
RANGE_EXCESS = 2.0  # a sensor cannot measure beyond its range; twice as much is another unit or a glitch, not noise
GLITCHES = 0.02
"""If fewer samples are beyond the range, they are glitches; if more, the unit is another."""
TWICE_FROM = 16


def check_rate(
    name: Path | str, contract: SensorContract, source: str, rate_hz: float | None, facts: tuple[str, ...] = ()
) -> None:
    """Refuse a rate that is less than half of the contract's: what the model looks for may not be in the samples.

    Other rates than the contract's are converted, see `converted_rate`.

    Raises:
        BundleError: says both.
    """
    asked = contract.rate_hz
    if rate_hz is not None and not LOWEST_RATE * asked <= rate_hz < float("inf"):
        more = f" ({', '.join(facts)})" if facts else ""
        raise BundleError(
            f"{name}: wrong rate: the model asks for {asked:g} Hz, {source} {rate_hz:g} Hz{more}",
            f"Record at {asked:g} Hz, or at half of it and more: such a recording is resampled",
        )


def converted_rate(rate_hz: float, contract: SensorContract) -> list[str]:
    """What to say of a rate that is not the contract's within `RATE_TOLERANCE`, and is resampled."""
    asked = contract.rate_hz
    if abs(rate_hz - asked) <= RATE_TOLERANCE * asked:
        return []
    lost = f"; it cannot hold what is faster than {rate_hz / 2:g} Hz" if rate_hz < asked else ""
    return [f"the recording was resampled from {rate_hz:g} to {asked:g} Hz{lost}"]


def steady_rate(rate_hz: float, contract: SensorContract) -> float:
    """The contract's rate, where a measured one differs by no more than `STEADY`."""
    return contract.rate_hz if abs(rate_hz - contract.rate_hz) <= STEADY * contract.rate_hz else rate_hz


def check_length(name: Path | str, contract: SensorContract, samples: int, rate_hz: float | None = None) -> None:
    """Refuse a recording that is shorter or longer than any that the model knows.

    Args:
        name: of the recording.
        contract: gives the bounds, at its own rate.
        samples: of the recording.
        rate_hz: of the recording; None: the contract's, as one that is so within `RATE_TOLERANCE`.

    Raises:
        BundleError: gives the bounds.
    """
    if rate_hz is not None and converted_rate(rate_hz, contract):
        samples = round(samples * contract.rate_hz / rate_hz)
    if contract.min_samples <= samples <= contract.max_samples:
        return
    rate = contract.rate_hz
    bounds = f"{contract.min_samples} to {contract.max_samples} samples"
    seconds = f"{rounded(contract.min_samples / rate, 2)} to {rounded(contract.max_samples / rate)} s at {rate:g} Hz"
    raise BundleError(
        f"{name}: wrong length: the model asks for {bounds} ({seconds}), the recording has {samples}",
        "Cut out one performance of the action" if samples > contract.max_samples else "Record the whole performance",
    )


def check_whole(name: Path | str, contract: SensorContract, clock: Clock | None, samples: int) -> tuple[int, ...]:
    """Where a recording has gaps; a model of whole recordings takes only those that its training data were bridged at.

    Raises:
        BundleError: gives the first gap.
    """
    if clock is None or not clock.breaks:
        return ()
    seconds = samples / (clock.rate_hz or contract.rate_hz) + sum(clock.gaps)
    if contract.window_mode == "whole" and not bridgeable(clock.gaps, seconds):
        raise BundleError(
            f"{name}: a gap of {rounded(clock.gaps[0])} s before data row {clock.breaks[0] + 1}, and the model asks "
            "for one whole performance",
            "Cut out a performance without a gap",
        )
    return clock.breaks


def check_once(name: Path | str, signal: FloatArray) -> None:
    """Refuse a file in which the recording is a second time, sample by sample.

    Raises:
        DataError: names the row where it starts again.
    """
    samples = signal.shape[1]
    if samples < TWICE_FROM:
        return
    moves = np.flatnonzero((signal[:, 1:] != signal[:, :-1]).any(axis=0)) + 1
    if not moves.size:
        return
    first = int(moves[0])  # a sensor that lies still looks like the beginning for hours: its first movement counts
    alike = (signal[:, moves] == signal[:, first, None]) & (signal[:, moves - 1] == signal[:, first - 1, None])
    again = moves[alike.all(axis=0)] - first
    for place in again[(again >= samples // 2) & (again <= samples - TWICE_FROM // 2)]:
        if _repeats(signal, int(place)):
            raise DataError(
                f"{name}: from data row {place + 1} on the samples are those of the beginning: the recording is in the "
                "file twice",
                "Give a file of one recording",
            )


def _repeats(signal: FloatArray, place: int) -> bool:
    """Whether the samples from `place` on are those of the beginning, and not all one value.

    More and more of them are compared: most places differ soon.
    """
    count, tail = TWICE_FROM, signal[:, place:]
    while np.array_equal(tail[:, :count], signal[:, : min(count, tail.shape[1])]):
        if count >= tail.shape[1]:
            return bool((tail != tail[:, :1]).any())
        count *= 4
    return False


def check_alive(name: Path | str, contract: SensorContract, signal: FloatArray) -> None:
    """Refuse a sensor that stands still, or of which one axis does.

    Raises:
        BundleError: names the axis.
    """
    fault = dead_fault(signal, contract.axes)
    if fault:
        raise BundleError(f"{name}: {fault.problem}", fault.action)


def without_glitches(signal: FloatArray, contract: SensorContract, unit: str) -> FloatArray:
    """A signal without the few samples that its sensor cannot have measured; with many, as it is.

    Args:
        signal: (channels, samples) in `unit`.
        contract: gives the range.
        unit: of the signal.
    """
    sizes = np.abs(signal).max(axis=0) * (conversion(unit, contract.unit) or 1.0)
    beyond = sizes > RANGE_EXCESS * contract.range_limit
    return signal[:, ~beyond] if 0 < beyond.sum() <= GLITCHES * signal.shape[1] else signal


def check_plausible(
    name: Path | str, contract: SensorContract, signal: FloatArray, rate_hz: float, unit: str, source: str
) -> None:
    """Refuse values that the sensor cannot have measured, or whose gravity is not that of their unit.

    Args:
        name: of the recording.
        contract: gives the stream, its unit and range.
        signal: (channels, samples) in `unit`.
        rate_hz: samples per second.
        unit: of the signal.
        source: who says the unit; empty where it is only assumed.

    Raises:
        BundleError: says what was measured, and what it looks like.
    """
    asked = f"{name}: the model asks for {contract.unit} of a sensor of ±{contract.range_limit:g} {contract.unit}"
    asked += f", {source} says {unit}" if source in ("the option", "the file") else ""
    shown = contract.calibrated and measures_gravity(contract.stream, contract.unit)
    fault = gravity_fault(signal, unit, rate_hz, stated=bool(source)) if shown else None
    sizes = np.abs(signal).max(axis=0) * (conversion(unit, contract.unit) or 1.0)
    beyond = np.flatnonzero(sizes > RANGE_EXCESS * contract.range_limit)
    if fault and (fault.unit or not 0 < beyond.size < signal.shape[1] / 2):
        state = f", or state their unit: --unit '{fault.unit}'" if fault.unit and not source else ""
        raise BundleError(f"{asked}; {fault.problem}", fault.action + state)
    if not beyond.size:
        return
    if beyond.size <= max(1, GLITCHES * signal.shape[1]):
        raise BundleError(
            f"{asked}; sample {beyond[0]} reaches {rounded(sizes[beyond[0]], 4)} {contract.unit}: a glitch",
            "Repair the sample, or cut it off",
        )
    raise BundleError(
        f"{asked}; {beyond.size} samples are beyond twice of it, up to {rounded(sizes.max(), 4)}: they are in another "
        "unit" + (f"; and {fault.problem}" if fault else ""),
        f"Convert the samples to {contract.unit}" if not fault else f"{fault.action}, in {contract.unit}",
    )
