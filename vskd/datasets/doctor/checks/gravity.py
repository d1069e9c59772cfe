"""Accelerometers that do not show about 1 g at rest."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream


class Gravity(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "gravity"
    severity: ClassVar[float] = 0.8
    reason: ClassVar[str] = (
        "Another unit, or gravity removed: on the device the model sees numbers of another size, and of the "
        "sensor's tilt nothing."
    )
    untrustworthy: ClassVar[bool] = True
    least_share: ClassVar[float] = 0.05
    what = "do not show 1 g at rest"
    action = "State the unit of the files, or leave them out; vskd datasets signals {survey} --stream {stream}"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        return facts.signal.gravity if stream.calibrated else ""
