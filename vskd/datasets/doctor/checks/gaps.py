"""Breaks of the clock."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream
from vskd.errors import rounded


class Gaps(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "gaps"
    severity: ClassVar[float] = 0.3
    reason: ClassVar[str] = (
        "Whole windows bridge a gap by a straight line, which nobody moved; sliding windows lose what is beside it."
    )
    what = "have gaps in time"
    action = "vskd datasets signals {survey} --stream {stream}"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        found = facts.signal
        return f"{found.gaps}, the longest {rounded(found.longest_gap_s, 2)} s" if found.gaps else ""
