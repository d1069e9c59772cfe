"""`vskd doctor` for a library user: what is wrong with a data set, worst first."""

import dataclasses
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.survey import Survey, survey_of
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index
from vskd.datasets.splits.own_protocols import own_protocols
from vskd.datasets.splits.protocol import Protocol, load_protocol
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import split_facts
from vskd.errors import DataError, ProtocolError


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        survey: what was gathered.
        findings: those that make figures untrustworthy first, then by their weight; see `Finding.weight`.
    """

    survey: Survey
    findings: tuple[Finding, ...]

    @property
    def trustworthy(self) -> bool:
        """Whether no finding makes a figure on these data say something else than it claims."""
        return not any(finding.untrustworthy for finding in self.findings)

    def summary(self) -> dict[str, Any]:
        """As plain numbers and names; JSON-serialisable."""
        return {
            "dataset": self.survey.index.dataset,
            "root": str(self.survey.index.root),
            "recordings": self.survey.total,
            "trustworthy": self.trustworthy,
            "checks": len(CHECKS),
            "findings": [
                {**dataclasses.asdict(one), "weight": one.weight, "reason": CHECKS[one.check].reason}
                for one in self.findings
            ],
        }


def diagnose(
    entry: DatasetEntry, root: Path, *, protocol: str | None = None, fold: str | None = None, window_s: float = 0.0
) -> Diagnosis:
    """Read a data set once and look for everything in `CHECKS`.

    Args:
        entry: of the data set.
        root: its folder.
        protocol: whose parts are compared; None takes the data set's usual one, or the one that `import` wrote.
        fold: one of its folds; None looks at all of them.
        window_s: seconds of the window that a model will see; 0 where it sees recordings whole.

    Raises:
        DataError: the folder does not hold the data set, or holds no recording.
        ProtocolError: there is no such protocol.
    """
    index = entry.index(root)
    if not len(index):
        raise DataError(
            f"{root} has no usable recordings", f"vskd datasets index {entry.name} --data {shlex.quote(str(root))}"
        )
    main = entry.defaults.get("window", {}).get("streams", [None])[0]
    survey = with_protocol(survey_of(index, main=main, window_s=window_s), entry, protocol, fold)
    found = [finding for check in CHECKS.values() for finding in check.find(survey)]
    found.sort(key=lambda one: (not one.untrustworthy, -one.weight))
    return Diagnosis(survey, tuple(found))


def with_protocol(survey: Survey, entry: DatasetEntry, protocol: str | None, fold: str | None) -> Survey:
    """The survey with the splits of a protocol, or with the reason why there are none."""
    rule = load_protocol(entry.name, protocol or first_protocol(entry, survey.index.root))
    try:
        splits = _splits(survey.index, rule, fold)
    except (ProtocolError, DataError) as error:
        return dataclasses.replace(survey, protocol_problem=error.problem)
    shared = tuple(split_facts(survey.index, split, survey.contents) for split in splits)
    return dataclasses.replace(survey, splits=tuple(splits), shared=shared)


def first_protocol(entry: DatasetEntry, root: Path) -> str:
    """The data set's usual protocol, or of the folder's own ones that of its name, else the first."""
    named, own = str(root / f"{entry.protocols[0]}.yaml"), own_protocols(root)
    return named if named in own else (*own, entry.protocols[0])[0]


def _splits(index: Index, rule: Protocol, fold: str | None) -> Sequence[Split]:
    names = rule.fold_names(index) if fold is None else (fold,)
    return [rule.split(index, name) for name in names or (None,)]
