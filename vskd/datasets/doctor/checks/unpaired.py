"""Recordings without a stream that the others have."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.sync.table import FILE as SYNC

USUAL = 0.5
"""A stream that this share of the recordings has is one that all should have."""


class Unpaired(Check):
    """See `reason`."""

    name: ClassVar[str] = "unpaired"
    severity: ClassVar[float] = 0.4
    reason: ClassVar[str] = (
        "A recording without its partner cannot be taught by it; if they lack in some classes only, the "
        "teacher is worse there."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        told = [p for p in survey.index.problems if p.kind in ("missing", "unpaired") and p.recording]
        found = {p.recording for p in told if Path(p.path).name != SYNC}
        here = [r for r in survey.index if r.id in found]
        counts = Counter(name for r in survey.index for name in r.streams)
        usual = {name for name, count in counts.items() if count >= USUAL * len(survey.index)}
        lacking = {r.id: usual - set(r.streams) for r in survey.index if usual - set(r.streams)}
        ids = sorted({r.id for r in here} | set(lacking))
        if ids:
            names = ", ".join(sorted(set().union(*lacking.values()))) or "a file"
            what = f"{len(ids)} recordings lack what others have ({names})"
            yield self.finding(survey, what, ids, f"vskd datasets index {survey.name}")
