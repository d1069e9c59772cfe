"""What a recorded signal shows of its device: clock, gaps, saturation, glitches, gravity. Nothing is changed by it."""

from dataclasses import asdict, dataclass

import numpy as np

from vskd.preprocessing.sensor.gravity import at_rest, gravity_fault, measures_gravity
from vskd.preprocessing.sensor.timed import Timed

RAIL = 0.005
"""A sample whose largest axis is so near to the range, as a fraction of it, is at the rail."""
BEYOND = 1.05
"""A sample beyond so many times the range is a glitch: no device measures it."""


@dataclass(frozen=True)
class SignalFacts:
    """Facts of one recording.

    Attributes:
        samples, seconds: its length; seconds by its clock, gaps included.
        rate_hz: samples per second, of the clock or as declared.
        gaps, longest_gap_s: breaks of the clock.
        saturated: share of the samples that are at the device's rail; 0 where its range is not known.
        glitches: samples that no device of this range can measure.
        largest: largest absolute value.
        rest: length of an accelerometer's vector in the stillest stretches; 0 of other streams.
        gravity: why that is no calibrated accelerometer's, empty where it is one's.
    """

    samples: int
    seconds: float
    rate_hz: float
    gaps: int
    longest_gap_s: float
    saturated: float
    glitches: int
    largest: float
    rest: float
    gravity: str

    def attributes(self) -> dict[str, int | float | str]:
        """As plain values, for a store or JSON."""
        return asdict(self)


def signal_facts(timed: Timed, *, stream: str, unit: str, range_limit: float) -> SignalFacts:
    """Measure a signal.

    Args:
        timed: samples and clock.
        stream: its name, which says whether gravity must show.
        unit: of the samples.
        range_limit: largest value that the device can measure, in `unit`; 0 where it is not known.
    """
    largest = np.abs(timed.signal).max(axis=0)
    shown = measures_gravity(stream, unit)
    fault = gravity_fault(timed.signal, unit, timed.rate_hz, stated=True) if shown else None
    glitches = largest > BEYOND * range_limit if range_limit else np.zeros(largest.shape, dtype=bool)
    railed = (largest >= (1 - RAIL) * range_limit) & ~glitches if range_limit else glitches
    return SignalFacts(
        samples=timed.signal.shape[1],
        seconds=float(timed.times[-1] - timed.times[0]),
        rate_hz=timed.rate_hz,
        gaps=len(timed.clock.breaks),
        longest_gap_s=max(timed.clock.gaps, default=0.0),
        saturated=float(railed.mean()),
        glitches=int(glitches.sum()),
        largest=float(largest.max()),
        rest=at_rest(timed.signal, timed.rate_hz).length if shown else 0.0,
        gravity=fault.problem if fault else "",
    )
