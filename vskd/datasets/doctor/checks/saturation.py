"""Recordings that spend time at the sensor's range."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream

MOST = 0.02


class Saturation(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "saturation"
    severity: ClassVar[float] = 0.3
    reason: ClassVar[str] = "At the rail the strongest part of a movement is cut off, and strong movements look alike."
    what = "are at the rail for more than 2 % of their samples"
    action = "Record with a wider range; vskd datasets signals {survey} --stream {stream}"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        return f"{facts.signal.saturated:.1%} of its samples" if facts.signal.saturated > MOST else ""
