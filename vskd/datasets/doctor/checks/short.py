"""Recordings shorter than a window."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream

LEAST_S = 0.5
"""Where recordings are seen whole: no movement is over sooner."""


class Short(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "short"
    severity: ClassVar[float] = 0.5
    reason: ClassVar[str] = "A recording shorter than the window is left out, or stretched to it."
    what = "are shorter than the window"
    action = "Use a shorter window, or record longer"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        least = survey.window_s or LEAST_S
        seconds = facts.signal.seconds + 1 / facts.signal.rate_hz
        return f"{seconds:.2f} s of {least:g} s" if seconds < least else ""
