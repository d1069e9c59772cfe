"""One person has most of the recordings."""

import statistics
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey

TIMES = 3


class DominantPerson(Check):
    """See `reason`."""

    name: ClassVar[str] = "dominant-person"
    severity: ClassVar[float] = 0.3
    reason: ClassVar[str] = (
        "The model becomes this person: the others count little in training, and in a figure too if he is tested."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        counts = Counter(r.subject for r in survey.index)
        if len(counts) < 2:
            return
        subject = max(counts, key=counts.__getitem__)
        most = counts[subject]
        usual = statistics.median(count for name, count in counts.items() if name != subject)
        if most > TIMES * usual:
            ids = [r.id for r in survey.index if r.subject == subject]
            what = f"subject {subject} has {most} recordings, the others {usual:g} (median)"
            yield self.finding(survey, what, ids, "Leave some of them out of training, or record the others more")
