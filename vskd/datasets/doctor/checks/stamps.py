"""Jitter: stamps that run backwards, repeat or come in bursts."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream


class Stamps(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "stamps"
    severity: ClassVar[float] = 0.03
    reason: ClassVar[str] = (
        "An even clock is fitted through late stamps; where many are late, the fitted rate and the place of "
        "gaps are less sure."
    )
    what = "have time stamps that come late, twice or in bursts, or leave steps out"
    action = "vskd datasets signals {survey} --stream {stream}"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        return "; ".join(fact for fact in facts.clock if "gap" not in fact)
