"""The largest value that a sensor can measure: a property of the device, estimated where nobody declares it."""

import math
from collections.abc import Sequence

import numpy as np

from vskd.preprocessing.sensor.units import GRAVITY, normal_unit

_G = (8.0, 16.0, 32.0, 64.0, 100.0, 200.0, 400.0)
_DPS = (1000.0, 2000.0, 4000.0)
RANGES = {
    "g": _G,
    "m/s^2": tuple(g * GRAVITY["m/s^2"] for g in _G),
    "deg/s": _DPS,
    "rad/s": tuple(math.radians(rate) for rate in _DPS),
}
"""What inertial sensors are set to. The narrower settings (2 and 4 g; 125 to 500 deg/s) are left out: that training
recordings stay below them says that the movements are gentle, not that the device cannot measure more."""
OUTLYING = 0.05
"""Fraction of recordings whose largest values may be glitches; of a few recordings, always one."""
MARGIN = 1.25
ROUNDING = 1.01


def estimate_range(largest: Sequence[float], unit: str) -> float:
    """The range of the device that made some recordings, in `unit`.

    It is the narrowest usual one that holds them all but the few that may hold a glitch; in units without usual ranges
    the largest value of those recordings and a quarter more.

    Args:
        largest: the largest absolute value of each recording, at least one.
        unit: of the values.

    >>> estimate_range([1.2, 1.9, 8.0, 2.5, 60.0], "g")
    8.0
    """
    values = np.sort(np.asarray(largest, dtype=np.float64))
    dropped = max(1, int(OUTLYING * values.size)) if values.size > 2 else 0
    high = float(values[values.size - 1 - dropped])
    usual = [one for one in RANGES.get(normal_unit(unit), ()) if high <= one * ROUNDING]
    return usual[0] if usual else max(high * MARGIN, float(np.finfo(np.float32).tiny))
