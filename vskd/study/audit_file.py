"""audit.json: what `vskd datasets audit --json` printed of a protocol, as far as it is read again."""

from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from vskd.errors import DataError
from vskd.schema import Fraction, Strict, read_json

AUDIT = "audit.json"


class _Printed(Strict):
    """What is not read again is kept as it is."""

    model_config = ConfigDict(extra="allow")


class AuditScores(_Printed):
    """Figures of a baseline that needs no learning."""

    accuracy: Fraction
    macro_f1: Fraction


class AuditFold(_Printed):
    """One fold of the protocol."""

    protocol: str


class Audit(_Printed):
    """A whole audit; `pooled` is over its folds, by the baseline's name."""

    dataset: str
    folds: tuple[AuditFold, ...]
    pooled: dict[str, AuditScores]

    def content(self) -> dict[str, Any]:
        """What stands in the file."""
        return self.model_dump(mode="json")


def read_audit(path: Path, action: str = "Run `vskd datasets audit --json` again") -> Audit:
    """Read an audit.

    Raises:
        DataError: the file is missing, is no JSON, or is no audit.
    """
    audit: Audit = read_json(path, Audit, DataError, action)
    return audit
