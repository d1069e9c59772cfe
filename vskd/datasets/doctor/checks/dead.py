"""Constant channels, and sensors that stand still."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream


class Dead(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "dead"
    severity: ClassVar[float] = 0.9
    reason: ClassVar[str] = (
        "A channel that never changes says nothing, and a model that relied on it is wrong; training leaves "
        "such recordings out."
    )
    what = "have a dead axis or a dead sensor"
    action = "Leave them out, or name the right columns"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        return facts.dead
