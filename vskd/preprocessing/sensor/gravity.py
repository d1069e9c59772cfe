"""What an accelerometer must show: about 1 g in its unit at rest, and three axes that live.

A body is at rest for some part of nearly every recording, and then an accelerometer measures gravity alone. So the
stillest stretches tell the unit, and whether gravity was removed. The bounds were set on the 861 recordings of
UTD-MHAD, which all lie within them (at rest 0.65 to 1.45 g; the mean vector at least 0.12 of the root mean square).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.errors import rounded
from vskd.preprocessing.sensor.units import GRAVITY, normal_unit, parse_unit

Signal = npt.NDArray[np.float32]

REST = (0.6, 1.6)
"""Length at rest of a sensor that measures gravity, in g: cheap sensors are off by a tenth, and none by half."""
MOVING = (1 / 3, 3.0)
"""The same of a recording that is never still: somebody who circles an arm adds a steady pull to gravity."""
STILL = 0.1
"""Largest change within a stillest stretch, as a fraction of the vector's length: more is no rest."""
MEAN_VECTOR = 0.1
"""Smallest length of the mean vector, as a fraction of the root mean square; without gravity it is near 0."""
STILLNESS = 0.35
"""Smallest length at rest, as a fraction of the root mean square."""
STRETCH_S = 0.3
STILLEST = 0.1
"""The stillest tenth of all stretches."""
WITHIN = (0.01, 0.99)
"""Quantiles of an axis; values beyond them, hits and glitches, count as these."""
FROZEN = 0.5
"""A sensor that repeats one sample for this fraction of a recording is dead: noise never repeats."""
_OTHER = (
    ("m/s^2", GRAVITY["m/s^2"]),
    ("g", 1.0),
    ("mg", 1000.0),
    *((f"1/{2**n} g", float(2**n)) for n in (6, 7, 8, 9, 11, 12, 13, 14)),
)
"""What else 1 g may be written as; powers of two are counts of a converter."""
_NEAR = 1.25
_WITHOUT_GRAVITY = ("linear", "user", "body", "removed", "dynamic", "gravity")


@dataclass(frozen=True)
class Fault:
    """What a recording shows that it must not.

    Attributes:
        problem: what was measured, and what that is, to follow the name of the file.
        action: what to do.
        unit: the unit that the samples seem to be in; empty where it is another fault.
    """

    problem: str
    action: str
    unit: str = ""


@dataclass(frozen=True)
class Rest:
    """A recording's stillest stretches, in its unit: `length` of the vector there, root mean square `change` within
    them, `mean` of the whole recording's mean vector, `rms` of all vectors."""

    length: float
    change: float
    mean: float
    rms: float


def measures_gravity(stream: str, unit: str) -> bool:
    """Whether a stream is an accelerometer's whole signal, gravity included.

    >>> measures_gravity("accelerometer", "m/s2"), measures_gravity("linear acceleration", "g")
    (True, False)
    """
    name = stream.lower()
    return normal_unit(unit) in GRAVITY and "acc" in name and not any(word in name for word in _WITHOUT_GRAVITY)


def at_rest(signal: Signal, rate_hz: float) -> Rest:
    """Measure the stillest stretches of `STRETCH_S` of a signal, (axes, samples)."""
    samples = signal.shape[1]
    width = min(samples, max(5, round(STRETCH_S * rate_hz)))
    low = np.quantile(signal, WITHIN[0], axis=1, keepdims=True, method="higher")
    high = np.quantile(signal, WITHIN[1], axis=1, keepdims=True, method="lower")
    values = np.clip(signal.astype(np.float64), low, high)
    centred = values - values.mean(axis=1, keepdims=True)  # so that no digits are lost in the sums of squares
    mean = _moving_mean(centred, width)
    unrest = (_moving_mean(centred**2, width) - mean**2).sum(axis=0)
    stillest = np.argsort(unrest, kind="stable")[: max(1, int(STILLEST * unrest.size))]
    vectors = mean[:, stillest] + values.mean(axis=1, keepdims=True)
    return Rest(
        float(np.median(np.linalg.norm(vectors, axis=0))),
        float(np.sqrt(max(0.0, np.median(unrest[stillest])))),
        float(np.linalg.norm(values.mean(axis=1))),
        float(np.sqrt((values**2).sum(axis=0).mean())),
    )


def _moving_mean(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return np.asarray((sums[:, width:] - sums[:, :-width]) / width)


def lacks_gravity(rest: Rest) -> bool:
    """Whether gravity was removed, or the sensor is no accelerometer: its vector is near 0 on average, or at rest.

    Whatever the unit is: both are compared with the root mean square.
    """
    return rest.mean < MEAN_VECTOR * rest.rms or rest.length < STILLNESS * rest.rms


def gravity_fault(signal: Signal, unit: str, rate_hz: float, *, stated: bool = False) -> Fault | None:
    """What is wrong with the gravity of an accelerometer's signal, (3, samples) in `unit`.

    Args:
        signal: of the recording.
        unit: of the samples.
        rate_hz: samples per second.
        stated: whether somebody says the unit. Then a recording that is never still need not prove it to a half.

    Returns:
        None where it shows about 1 g at rest, or where `unit` is none of acceleration.
    """
    known = parse_unit(unit)
    if known is None or known.quantity != "acceleration" or signal.shape[0] != 3:
        return None
    one_g = 1 / known.factor
    rest = at_rest(signal, rate_hz)
    length, gravity = rounded(rest.length), rounded(one_g, 4)
    measured = f"at rest the vector of the samples is {length} {unit} long, and gravity is {gravity} {unit}"
    if lacks_gravity(rest):
        return Fault(
            f"{measured}; on average it is {rounded(rest.mean, 2)} {unit}: gravity was removed, or this is no "
            "accelerometer",
            "Give the accelerometer's own signal, gravity included",
        )
    lowest, highest = MOVING if stated and rest.change > STILL * rest.length else REST
    if lowest <= rest.length / one_g <= highest:
        return None
    return _wrong_unit(measured, rest.length, unit, one_g)


def _wrong_unit(measured: str, length: float, unit: str, one_g: float) -> Fault:
    name, value = min(_OTHER, key=lambda other: abs(np.log(max(length, 1e-30) / other[1])))
    if not 1 / _NEAR <= length / value <= _NEAR:
        factor = one_g / max(length, 1e-30)
        return Fault(
            f"{measured}: the samples are in no unit that vskd knows",
            f"Convert them to {unit}: times {rounded(factor, 4)} fits",
        )
    factor = value / one_g
    how = f"divide by {factor:.6g}" if factor > 1 else f"multiply by {1 / factor:.6g}"
    return Fault(f"{measured}: the samples look like {name}", f"Convert the samples to {unit} ({how})", name)


def dead_fault(signal: Signal, axes: Sequence[str]) -> Fault | None:
    """An axis that never changes, or a sensor that stands still for half of the recording: (axes, samples)."""
    constant = [axis for axis, row in zip(axes, signal, strict=True) if row.min() == row.max()]
    if len(constant) == len(axes):
        return Fault("no sample differs from the first: a dead sensor", "Remove this recording, or record it again")
    if constant:
        value = signal[list(axes).index(constant[0]), 0] + 0.0  # so that -0 is written as 0
        return Fault(
            f"axis {constant[0]} is {rounded(value, 4)} in every sample: a dead axis, or a column of something else",
            "Remove this recording, or name the right columns",
        )
    run = _longest_repeat(signal)
    if run + 1 >= FROZEN * signal.shape[1] and run > 1:
        return Fault(
            f"{run + 1} of {signal.shape[1]} samples, one behind the other, are the same: the sensor stood still",
            "Remove this recording, or cut the dead part off",
        )
    return None


def _longest_repeat(signal: Signal) -> int:
    """Most steps in a row over which no axis changes."""
    moved = np.flatnonzero(np.concatenate([[True], (np.diff(signal) != 0).any(axis=0), [True]]))
    return int(np.diff(moved).max()) - 1
