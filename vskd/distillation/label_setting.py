"""Which labels a training uses: of the recordings it learns from, and of those that select its epoch."""

from dataclasses import dataclass
from typing import Any

from vskd.files import sha256_json


@dataclass(frozen=True)
class LabelSetting:
    """Which recordings of a training part carry labels.

    Attributes:
        title: for tables: `all`, `subject 1`, `10 %` ...
        chosen: who carries labels in the protocol's training part, whatever streams a recording has.
        train: what is trained on; validation: what selects the epoch, always with labels.
    """

    title: str
    chosen: frozenset[str]
    train: tuple[str, ...]
    validation: tuple[str, ...]

    @property
    def labelled(self) -> frozenset[str]:
        """Recordings trained on whose labels training sees."""
        return self.chosen & frozenset(self.train)

    @property
    def unlabelled(self) -> frozenset[str]:
        """Recordings trained on whose labels are taken away."""
        return frozenset(self.train) - self.chosen

    @property
    def used(self) -> frozenset[str]:
        """Recordings whose labels decide something of the weights."""
        return self.labelled | frozenset(self.validation)

    @property
    def hash(self) -> str:
        """Equal for exactly the same recordings with labels."""
        return sha256_json(sorted(self.chosen))

    def facts(self) -> dict[str, Any]:
        """What a run stamps on its results."""
        return {
            "labels": self.title,
            "labels_hash": self.hash,
            "labelled": len(self.labelled),
            "unlabelled": len(self.unlabelled),
        }
