"""Labels that the nearest recordings of other people contradict."""

from collections.abc import Iterator
from statistics import mode
from typing import ClassVar

import numpy as np

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.measure import nearest_labels
from vskd.datasets.doctor.survey import Survey

NEIGHBOURS = 9
AGREEING = 7
"""Neighbours that must be of one other class, where none is of the recording's own."""
LEARNABLE = 0.5
"""Only classes of which the neighbours recognise at least this share are spoken of: elsewhere they know nothing.

Measured by swapping 20 labels, five times: of UTD-MHAD's (27 classes) 37 % are named, of Berkeley's right wrist (11
classes) 50 %. As published, 7 of 861 and 15 of 548 recordings are named.
"""


class SuspiciousLabels(Check):
    """See `reason`."""

    name: ClassVar[str] = "suspicious-labels"
    severity: ClassVar[float] = 0.5
    reason: ClassVar[str] = (
        "What looks like another class to its neighbours among other people is often labelled wrongly, "
        "and a wrong label is learnt like a right one. Some are only unusual: look before you change "
        "anything."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        ids = [i for i in survey.sketches if i in survey.by_id]
        if len(ids) < 2 * NEIGHBOURS or len(survey.index.subjects) < 2:
            return
        labels, subjects = [survey.by_id[i].label for i in ids], [survey.by_id[i].subject for i in ids]
        votes = nearest_labels(np.stack([survey.sketches[i] for i in ids]), labels, subjects, NEIGHBOURS)
        right = [sum(v == own for v in line) > NEIGHBOURS / 2 for line, own in zip(votes, labels, strict=True)]
        known = {
            n
            for n in set(labels)
            if np.mean([r for r, own in zip(right, labels, strict=True) if own == n]) >= LEARNABLE
        }
        found = [k for k, own in enumerate(labels) if own in known and _contradicted(votes[k], own, known)]
        if found:
            k = found[0]
            names = survey.index.labels
            what = f"{len(found)} recordings look like another class to the nearest ones of other people, e.g. "
            what += f"{ids[k]} ({names[labels[k]]}) like {names[mode(votes[k])]}"
            yield self.finding(survey, what, [ids[k] for k in found], "Look at them; correct what is labelled wrongly")


def _contradicted(votes: list[int], own: int, known: set[int]) -> bool:
    """Whether nearly all neighbours are of one other class, which the neighbours know too."""
    if not votes:
        return False
    label = mode(votes)
    return votes.count(label) >= AGREEING and own not in votes and label in known
