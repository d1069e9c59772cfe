"""Clocks that contradict the stated rate."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream

MOST = 0.1


class WrongRate(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "wrong-rate"
    severity: ClassVar[float] = 0.7
    reason: ClassVar[str] = (
        "On the device the movement runs faster or slower than in training: another movement for the model."
    )
    untrustworthy: ClassVar[bool] = True
    least_share: ClassVar[float] = 0.05
    what = "run at another rate than is stated"
    action = "State the true rate; vskd datasets signals {survey} --stream {stream}"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        rate, stated = facts.signal.rate_hz, facts.stated_hz
        differs = facts.clocked and abs(rate / stated - 1) > MOST
        return f"{rate:.4g} Hz by its time stamps, {stated:g} Hz by the description" if differs else ""
