"""A protocol that allows people or source videos on both sides."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class SamePeople(Check):
    """See `reason`."""

    name: ClassVar[str] = "same-people"
    severity: ClassVar[float] = 0.8
    reason: ClassVar[str] = (
        "People and source videos of the test part train too: the figure says how well known people are "
        "recognised, and nothing of new ones."
    )
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for split, shared in zip(survey.splits, survey.shared, strict=True):
            if split.disjoint != "none" or not (shared.shared_subjects or shared.shared_clips):
                continue
            known = {*shared.shared_subjects}, {*shared.shared_clips}
            ids = [i for i in split.test if survey.by_id[i].subject in known[0] or survey.by_id[i].clip in known[1]]
            what = (
                f"protocol {split.protocol}: {len(shared.shared_subjects)} of {shared.subjects} people and "
                f"{len(shared.shared_clips)} of {shared.clips} source videos of the test part train, too"
            )
            yield self.finding(survey, what, ids, "Measure new people: a protocol that is disjoint by subject")
