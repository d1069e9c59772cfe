"""Everything is of one person."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class OnePerson(Check):
    """See `reason`."""

    name: ClassVar[str] = "one-person"
    severity: ClassVar[float] = 1.0
    reason: ClassVar[str] = "Nobody is left to test on: what a figure says of other people is nothing."
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        if len(survey.index.subjects) == 1:
            what = f"all recordings are of one subject ({survey.index.subjects[0]})"
            yield self.finding(survey, what, [r.id for r in survey.index], "Record other people")
