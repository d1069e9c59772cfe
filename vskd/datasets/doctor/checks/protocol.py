"""A protocol that this folder does not fit."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey


class ProtocolFits(Check):
    """See `reason`."""

    name: ClassVar[str] = "protocol"
    severity: ClassVar[float] = 0.9
    reason: ClassVar[str] = "Without a protocol that fits, nothing can be measured on recordings that did not train."
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        if survey.protocol_problem:
            every = [r.id for r in survey.index]
            yield self.finding(survey, survey.protocol_problem, every, "Choose another one with --protocol")
