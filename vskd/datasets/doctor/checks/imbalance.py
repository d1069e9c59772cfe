"""Classes of very different sizes."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.errors import first_few

MOST = 5
"""Times the smallest class."""


class Imbalance(Check):
    """See `reason`."""

    name: ClassVar[str] = "imbalance"
    severity: ClassVar[float] = 0.3
    reason: ClassVar[str] = "Rare classes are sacrificed to frequent ones, and accuracy hides it."

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        counts = Counter(r.label for r in survey.index)
        if len(counts) < 2 or max(counts.values()) <= MOST * min(counts.values()):
            return
        rare = {label for label, count in counts.items() if MOST * count < max(counts.values())}
        names = [survey.index.labels[label] for label in sorted(rare, key=counts.__getitem__)]
        what = f"the largest class has {max(counts.values())} recordings, the smallest {min(counts.values())}"
        ids = [r.id for r in survey.index if r.label in rare]
        action = f"Look at macro F1, and train with sampling: balanced; rare are {first_few(names, 4, ', ')}"
        yield self.finding(survey, what, ids, action)
