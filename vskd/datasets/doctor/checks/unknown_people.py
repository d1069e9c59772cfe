"""Recordings of unknown people."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.splits.split import UNKNOWN


class UnknownPeople(Check):
    """See `reason`."""

    name: ClassVar[str] = "unknown-people"
    severity: ClassVar[float] = 0.8
    reason: ClassVar[str] = "Of whom nobody knows who it is, nobody knows whether he trained and is tested."
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        ids = [r.id for r in survey.index if r.subject == UNKNOWN]
        if ids:
            what = f"of {len(ids)} recordings the subject is not known"
            yield self.finding(survey, what, ids, "State the subjects (a pattern, a table or a labels file)")
