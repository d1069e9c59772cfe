"""Classes that one person alone does."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class OnePersonClass(Check):
    """See `reason`."""

    name: ClassVar[str] = "one-person-class"
    severity: ClassVar[float] = 0.9
    reason: ClassVar[str] = (
        "Whoever knows the person knows the class: the model learns the person, and no split by people can "
        "test the class."
    )
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        people: dict[int, set[str]] = {}
        for recording in survey.index:
            people.setdefault(recording.label, set()).add(recording.subject)
        if len(survey.index.subjects) < 2:
            return
        for number, subjects in sorted(people.items()):
            if len(subjects) == 1:
                ids = [r.id for r in survey.index if r.label == number]
                what = f"only subject {next(iter(subjects))} does {survey.index.labels[number]}"
                yield self.finding(survey, what, ids, "Record it with other people, or leave the class out")
