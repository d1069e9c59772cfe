"""Files that are empty, damaged or no recordings."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class Unreadable(Check):
    """See `reason`."""

    name: ClassVar[str] = "unreadable"
    severity: ClassVar[float] = 0.9
    reason: ClassVar[str] = (
        "Such a recording is lost; training stops where more than max_bad_fraction (2 %) of all are."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        found = {p.recording or p.path: p.detail for p in survey.index.problems if p.kind == "corrupt"}
        found |= dict(survey.unreadable)
        if found:
            first, problem = next(iter(found.items()))
            what = f"{len(found)} files are empty or cannot be read, e.g. {first}: {problem}"
            yield self.finding(survey, what, sorted(found), "Copy them again, or remove them")
