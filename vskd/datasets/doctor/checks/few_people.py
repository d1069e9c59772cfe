"""Few people."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey

FEWEST = 5


class FewPeople(Check):
    """See `reason`."""

    name: ClassVar[str] = "few-people"
    severity: ClassVar[float] = 0.4
    reason: ClassVar[str] = "A model for people needs many of them, and the interval of a figure over a few is wide."

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        count = len(survey.index.subjects)
        if 1 < count < FEWEST:
            what = f"{count} subjects; the spread between people is not known from so few"
            every = [r.id for r in survey.index]
            yield self.finding(survey, what, every, "Record more people; report leave-one-subject-out")
