"""Recordings cut off at one range beside others that go far beyond it."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.by_stream import people
from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.errors import rounded

TIMES = 1.5
FEWEST = 3
"""Recordings with a rail at one value (to 1 %) that make it a device's range."""


class MixedRanges(Check):
    """See `reason`."""

    name: ClassVar[str] = "mixed-ranges"
    severity: ClassVar[float] = 0.3
    reason: ClassVar[str] = "Strong movements are cut off in some recordings only: those look like weak ones of others."

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for name, recordings in survey.sensors.items():
            rails: dict[int, list[str]] = {}
            for recording, facts in recordings.items():
                if facts.rail > 0 and not facts.dead and facts.still == 0:
                    rails.setdefault(round(100 * facts.rail), []).append(recording)
            if not (rails := {value: ids for value, ids in rails.items() if len(ids) >= FEWEST}):
                continue
            value, ids = max(rails.items(), key=lambda item: len(item[1]))
            limit = value / 100
            beyond = [i for i, f in recordings.items() if f.signal.largest > TIMES * limit and not f.signal.glitches]
            if len(beyond) >= FEWEST:
                unit = survey.stream(ids[0], name).unit
                what = (
                    f"{name}: {len(ids)} recordings are cut off at {rounded(limit)} {unit} (subjects "
                    f"{people(survey, ids)}), and {len(beyond)} others go on to more than {TIMES:g} times that"
                )
                yield self.finding(survey, what, ids, "Record with one range; or clip all of them to the narrower one")
