"""A check that looks at one sensor recording at a time."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream
from vskd.errors import first_few, natural_order


class StreamCheck(Check):
    """Finds the recordings of each sensor stream that `remark` says something of.

    Attributes:
        what: what they are, to follow their number.
        action: what to do next.
        of_null_class: whether it looks at recordings of the null class, too.
    """

    what: str
    action: str
    of_null_class: ClassVar[bool] = True

    @abstractmethod
    def remark(self, facts: SensorFacts, stream: Stream, survey: Survey) -> str:
        """What is wrong with a recording; empty where nothing is."""

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for name, recordings in survey.sensors.items():
            counted = {i: f for i, f in recordings.items() if self.of_null_class or not survey.is_null(i)}
            remarks = {i: self.remark(f, survey.stream(i, name), survey) for i, f in counted.items()}
            found = {i: text for i, text in remarks.items() if text}
            if found:
                first, text = next(iter(found.items()))
                what = f"{name}: {len(found)} of {len(counted)} recordings {self.what}, e.g. {first}: {text}"
                yield self.finding(survey, what, list(found), self.action.format(survey=survey.name, stream=name))


def people(survey: Survey, ids: list[str]) -> str:
    """Subjects of some recordings, for a message."""
    return first_few(natural_order(survey.by_id[i].subject for i in ids), 4, ", ")
