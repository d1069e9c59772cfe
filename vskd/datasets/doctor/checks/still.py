"""Non-wear: recordings in which nothing moves."""

from typing import ClassVar

from vskd.datasets.doctor.by_stream import StreamCheck
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream

MOST = 0.8
"""Of its seconds. Standing and sitting people move a little all the time."""


class Still(StreamCheck):
    """See `reason`."""

    name: ClassVar[str] = "still"
    severity: ClassVar[float] = 0.5
    reason: ClassVar[str] = (
        "A sensor that lies on a table has the label of a movement: the class is taught as stillness."
    )
    what = "are still for most of their time"
    of_null_class: ClassVar[bool] = False
    action = "Look whether the sensor was worn; leave them out, or make stillness a class"

    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """See `StreamCheck`."""
        return f"nothing moves in {facts.still:.0%} of its seconds" if facts.still >= MOST else ""
