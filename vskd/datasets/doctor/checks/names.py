"""Files that no recording is made of."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class Names(Check):
    """See `reason`."""

    name: ClassVar[str] = "names"
    severity: ClassVar[float] = 0.6
    reason: ClassVar[str] = (
        "A recording whose name fits nothing is not seen at all, and of two of one name only one is."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for kind, what in (("unknown", "files whose names fit no recording"), ("duplicate", "recordings given twice")):
            found = [p for p in survey.index.problems if p.kind == kind]
            if found:
                ids = [p.recording or p.path for p in found]
                text = f"{len(found)} {what}, e.g. {found[0].path}: {found[0].detail}"
                yield self.finding(survey, text, ids, f"vskd datasets index {survey.name}")
