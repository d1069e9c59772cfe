"""Sensors that are known not to be calibrated, and show it."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream


class Uncalibrated(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "uncalibrated"
    severity: ClassVar[float] = 0.2
    reason: ClassVar[str] = (
        "Axes that are off differ between devices: a model that uses the tilt learns the device. The data set"
        " says that it is so."
    )
    what = "of a sensor that is known not to be calibrated do not show 1 g at rest"
    action = "Train with random rotations; ask for figures on people with other devices"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        return "" if stream.calibrated else facts.signal.gravity
