"""Clocks that are a little fast or slow against the stated rate, all in one direction."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from vskd.datasets.doctor.checks.wrong_rate import MOST as WRONG
from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey

LEAST = 0.005
FEWEST = 5
"""Recordings of a stream that say something of its device."""
LONG_S = 10.0
"""Shorter ones do not know their rate to a thousandth."""


class Drift(Check):
    """See `reason`."""

    name: ClassVar[str] = "drift"
    severity: ClassVar[float] = 0.1
    reason: ClassVar[str] = (
        "Half a percent is seconds in ten minutes: streams and labels of long recordings slide apart."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for name, recordings in survey.sensors.items():
            long = {i: f for i, f in recordings.items() if f.clocked and f.signal.seconds >= LONG_S}
            off = {i: f.signal.rate_hz / f.stated_hz - 1 for i, f in long.items()}
            middle = float(np.median(list(off.values()))) if len(off) >= FEWEST else 0.0
            if LEAST < abs(middle) <= WRONG:
                ids = [i for i, value in off.items() if value * np.sign(middle) > LEAST]
                what = f"{name}: clocks of {len(ids)} of {len(off)} long recordings are off by {middle:+.2%} (median)"
                yield self.finding(survey, what, ids, f"State the rate as {_rate(survey, name, middle):.4g} Hz")


def _rate(survey: Survey, name: str, off: float) -> float:
    return next(iter(survey.sensors[name].values())).stated_hz * (1 + off)
