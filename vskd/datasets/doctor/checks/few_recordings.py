"""Classes with hardly any recordings."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.errors import first_few

FEWEST = 5


class FewRecordings(Check):
    """See `reason`."""

    name: ClassVar[str] = "few-recordings"
    severity: ClassVar[float] = 0.6
    reason: ClassVar[str] = (
        "A class of a few recordings is learnt by heart, and its recall is measured in steps of a quarter or more."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        counts = Counter(r.label for r in survey.index)
        absent = [label for number, label in enumerate(survey.index.labels) if not counts[number]]
        if absent:
            what = f"classes without a recording: {first_few(absent, 6, ', ')}"
            yield self.finding(survey, what, [], "Record them, or leave the classes out")
        for number, label in enumerate(survey.index.labels):
            if 0 < counts[number] < FEWEST:
                ids = [r.id for r in survey.index if r.label == number]
                what = f"class {label} has {counts[number]} recording(s), fewer than {FEWEST}"
                yield self.finding(survey, what, ids, "Record more, or leave the class out or join it with another")
