"""Recordings of equal content in one class."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class Duplicates(Check):
    """See `reason`."""

    name: ClassVar[str] = "duplicates"
    severity: ClassVar[float] = 0.5
    reason: ClassVar[str] = (
        "A copy counts twice in training and in figures, and as soon as the copies are in different parts of "
        "a split it is a leak."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        groups: dict[str, list[str]] = {}
        for recording, content in survey.contents.items():
            groups.setdefault(content, []).append(recording)
        same = [ids for ids in groups.values() if len(ids) > 1 and len({survey.by_id[i].label for i in ids}) == 1]
        if same:
            copies = [i for ids in same for i in ids]
            what = f"{len(copies)} recordings of {len(same)} contents: copies, or parts of a file that are one, e.g. "
            yield self.finding(survey, what + " = ".join(same[0][:3]), copies, "Remove the copies")
