"""Protocols for a folder's own subjects."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vskd.datasets.recording import Index
from vskd.datasets.sensors.sensor_folder import NAME
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import natural_order
from vskd.files import write_text
from vskd.yaml_text import dump_yaml

TEST_SHARE = 4
"""One subject in this many tests."""
FOLDS = 5


def folder_protocols(found: Index, out: Path) -> tuple[Path, ...]:
    """Write the protocols that fit a folder: some subjects test, groups of subjects in turn; of one subject, trials.

    Args:
        found: the data set.
        out: where they are written; leave-one-subject-out comes with vskd.

    Raises:
        WriteError: `out` cannot be written.
    """
    known = UNKNOWN not in found.everything.subjects
    contents = _of_subjects(found) if known and len(found.subjects) > 1 else _of_trials(found)
    paths = []
    for content in contents:
        path = out / f"{content['name']}.yaml"
        write_text(path, dump_yaml(dict(content)))
        paths.append(path)
    return tuple(paths)


def _of_subjects(found: Index) -> list[Mapping[str, Any]]:
    subjects = [_value(s) for s in found.subjects]
    bare = _only_unlabelled((r.subject for r in found), (r.subject for r in found.unlabelled))
    tested = max(1, len(subjects) // TEST_SHARE)
    parts = {"train": [*subjects[:-tested], *bare], "test": subjects[-tested:]}
    rule = {"split_by": "subject", "disjoint": "subject", "validation_unit": "subject"}
    contents: list[Mapping[str, Any]] = [_protocol("cross-subject", "The last subjects test.", {"parts": parts}, rule)]
    if len(subjects) > FOLDS:
        groups = {f"fold{k + 1}": subjects[k::FOLDS] for k in range(FOLDS)}
        contents.append(_protocol("subject-folds", "Groups of subjects test in turn.", {"folds": groups}, rule))
    return contents


def _of_trials(found: Index) -> list[Mapping[str, Any]]:
    """The last trials test; nothing where each class has one trial."""
    trials = [_value(t) for t in natural_order(r.trial for r in found)]
    tested = max(1, len(trials) // TEST_SHARE)
    if len(trials) < 2:
        return []
    rule = {"split_by": "trial", "disjoint": "none", "validation_unit": "recording"}
    bare = _only_unlabelled((r.trial for r in found), (r.trial for r in found.unlabelled))
    parts = {"train": [*trials[:-tested], *bare], "test": trials[-tested:]}
    return [_protocol("last-trials", "The same people train and test; the last trials test.", {"parts": parts}, rule)]


def _only_unlabelled(known: Iterable[str], unlabelled: Iterable[str]) -> list[int | str]:
    """Subjects, or trials, of recordings without a label alone: they train, and can test nothing."""
    return [_value(name) for name in natural_order(set(unlabelled) - set(known))]


def _protocol(name: str, description: str, divided: Mapping[str, Any], rule: Mapping[str, str]) -> Mapping[str, Any]:
    return {"name": name, "version": 1, "dataset": NAME, "description": description, **rule, **divided}


def _value(name: str) -> int | str:
    return int(name) if name.isdecimal() else name
