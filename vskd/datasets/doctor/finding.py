"""What a check finds, and how findings are put in order."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from vskd.datasets.doctor.survey import Survey


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        check: name of the check, in the catalog.
        what: a sentence.
        recordings: that it touches, by id.
        action: what to do next: a command, or a sentence.
        severity, untrustworthy: of the check; see `Check`.
        share: of the data set's recordings that it touches.
    """

    check: str
    what: str
    recordings: tuple[str, ...]
    action: str
    severity: float
    untrustworthy: bool
    share: float

    @property
    def weight(self) -> float:
        """By which findings are ordered: the share of recordings touched, times the severity."""
        return self.severity * self.share


class Check(ABC):
    """One illness that data can have.

    Attributes:
        name: in the catalog and in reports.
        severity: how much a touched recording loses of its worth, from 0 to 1: 1 teaches or proves something false,
            0.5 is noise that training must overcome, 0.1 is a nuisance. A judgement, not a measurement; `reason` says
            what it rests on.
        reason: of the severity, and what the illness does to a model.
        untrustworthy: whether a figure measured on such data says something else than it claims.
        least_share: share of the recordings that must be touched for that: a few odd ones do not spoil a figure.
    """

    name: ClassVar[str]
    severity: ClassVar[float]
    reason: ClassVar[str]
    untrustworthy: ClassVar[bool] = False
    least_share: ClassVar[float] = 0.0

    @abstractmethod
    def find(self, survey: "Survey") -> Iterator[Finding]:
        """Everything of this kind in the data set."""

    def finding(self, survey: "Survey", what: str, recordings: Sequence[str], action: str) -> Finding:
        """A finding of this check."""
        ids = tuple(dict.fromkeys(recordings))
        share = min(1.0, len(ids) / max(1, survey.total))
        untrustworthy = self.untrustworthy and share >= self.least_share
        return Finding(self.name, what, ids, action, self.severity, untrustworthy, share)
