"""Samples beyond the range of the device."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream
from vskd.errors import rounded


class Glitches(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "glitches"
    severity: ClassVar[float] = 0.2
    reason: ClassVar[str] = "A sample that no sensor can measure stretches every range and mean that is taken from it."
    what = "hold samples that the sensor cannot measure"
    action = "vskd datasets signals {survey} --stream {stream}"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        found = facts.signal
        return f"{found.glitches} up to {rounded(found.largest)} {stream.unit}" if found.glitches else ""
