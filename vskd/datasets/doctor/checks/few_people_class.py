"""Classes that two people alone do."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.errors import natural_order

PEOPLE = 2
OF = 5
"""In smaller data sets all classes have few people; see `few-people`."""


class FewPeopleClass(Check):
    """See `reason`."""

    name: ClassVar[str] = "few-people-class"
    severity: ClassVar[float] = 0.4
    reason: ClassVar[str] = (
        "With one person on each side of a split, the class is learnt from one person and tested on one."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        if len(survey.index.subjects) < OF:
            return
        for number, label in enumerate(survey.index.labels):
            own = [r for r in survey.index if r.label == number]
            who = natural_order(r.subject for r in own)
            if len(who) == PEOPLE:
                what = f"only subjects {' and '.join(who)} do {label}"
                yield self.finding(survey, what, [r.id for r in own], "Record it with other people, or leave it out")
