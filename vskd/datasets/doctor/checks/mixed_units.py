"""People whose accelerometers rest at quite another length than those of the others."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from vskd.datasets.doctor.by_stream import people
from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.errors import rounded

TIMES = 3.0


class MixedUnits(Check):
    """See `reason`."""

    name: ClassVar[str] = "mixed-units"
    severity: ClassVar[float] = 0.9
    reason: ClassVar[str] = (
        "The same movement has two sizes: the model tells units apart, and with them people or devices."
    )
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for name, recordings in survey.sensors.items():
            rest: dict[str, list[float]] = {}
            for recording, facts in recordings.items():
                if facts.signal.rest > 0:
                    rest.setdefault(survey.by_id[recording].subject, []).append(facts.signal.rest)
            lengths = {subject: float(np.median(values)) for subject, values in rest.items()}
            usual = float(np.median(list(lengths.values()))) if lengths else 0.0
            odd = {who: length for who, length in lengths.items() if not 1 / TIMES <= length / usual <= TIMES}
            ids = [i for i in recordings if survey.by_id[i].subject in odd]
            if ids:
                unit, length = survey.stream(ids[0], name).unit, float(np.median(list(odd.values())))
                who = people(survey, ids)
                what = f"{name}: subjects {who} rest at about {rounded(length)} {unit}, the others at {rounded(usual)}"
                yield self.finding(survey, what, ids, "Convert them to one unit, or describe them as two streams")
