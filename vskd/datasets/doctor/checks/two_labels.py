"""Recordings of equal content in different classes."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.splits.split_facts import two_classes


class TwoLabels(Check):
    """See `reason`."""

    name: ClassVar[str] = "two-labels"
    severity: ClassVar[float] = 1.0
    reason: ClassVar[str] = (
        "One of the two labels is wrong, and a model that learns both learns neither; a figure counts one of "
        "them as an error whatever the model says."
    )
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for group in two_classes(survey.index.recordings, survey.contents):
            labels = sorted({survey.index.labels[survey.by_id[i].label] for i in group})
            what = f"the same content has the classes {' and '.join(labels)}"
            yield self.finding(survey, what, group, "Find out which is right, and remove the others")
