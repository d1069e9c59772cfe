"""Recordings that `sync.csv` leaves out, or knows little of."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.sync.table import FILE, OWN

CLEAR = 1.5
"""Least ratio of the peaks; that of `vskd.preprocessing.sync.align`, which loads SciPy."""


class VideoOffset(Check):
    """See `reason`."""

    name: ClassVar[str] = "video-offset"
    severity: ClassVar[float] = 0.4
    reason: ClassVar[str] = (
        "Some recordings were put in time and others were not: of those, teacher and student see different moments."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        if not survey.sync:
            return
        known = {row.recording for row in survey.sync}
        kinds = {r.id: {s.kind for s in r.streams.values()} for r in survey.index}
        left = [i for i, have in kinds.items() if {"sensor", "video"} <= have and i not in known]
        doubtful = [row.recording for row in survey.sync if row.by == OWN and row.confidence < CLEAR]
        others = [p.recording for p in survey.index.problems if Path(p.path).name == FILE]
        for ids, what in (
            (left, "have no line in sync.csv"),
            (doubtful, "have a line without a clear peak"),
            (others, "have a sensor with a clock of its own and no line"),
        ):
            if ids:
                action = f"vskd datasets sync {survey.name} --median subject"
                yield self.finding(survey, f"{len(ids)} recordings with sensor and video {what}", ids, action)
