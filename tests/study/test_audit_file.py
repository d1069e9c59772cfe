"""audit.json: what is read again is checked, and what is not is kept as it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from vskd.errors import DataError
from vskd.study.audit_file import AUDIT, read_audit

CONTENT: dict[str, Any] = {
    "dataset": "utd-mhad",
    "folds": [{"protocol": "ct", "leaks": 0}, {"protocol": "ct", "shared": ["a"]}],
    "pooled": {"majority": {"accuracy": 0.25, "macro_f1": 0.1, "interval": [0.2, 0.3]}},
    "written_by": "vskd 1",
}


def write(folder: Path, content: object) -> Path:
    path = folder / AUDIT
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_an_audit_is_read_and_all_of_it_is_kept(tmp_path: Path) -> None:
    assert AUDIT == "audit.json"
    audit = read_audit(write(tmp_path, CONTENT))
    assert audit.dataset == "utd-mhad"
    assert [fold.protocol for fold in audit.folds] == ["ct", "ct"]
    assert (audit.pooled["majority"].accuracy, audit.pooled["majority"].macro_f1) == (0.25, 0.1)
    assert audit.content() == CONTENT


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dataset": None}, "dataset"),
        ({"folds": [{}]}, "folds"),
        ({"pooled": {"majority": {"accuracy": 1.5, "macro_f1": 0.1}}}, "accuracy"),
        ({"pooled": {"majority": {"accuracy": 0.5, "macro_f1": -0.1}}}, "macro_f1"),
        ({"pooled": {"majority": {"accuracy": 0.5}}}, "macro_f1"),
    ],
)
def test_what_is_read_again_is_checked(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    path = write(tmp_path, CONTENT | change)
    with pytest.raises(DataError, match=field) as caught:
        read_audit(path)
    assert str(path) in caught.value.problem
    assert caught.value.action == "Run `vskd datasets audit --json` again"


def test_a_missing_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"audit\.json") as caught:
        read_audit(tmp_path / AUDIT, "Do something else")
    assert caught.value.action == "Do something else"
    (tmp_path / AUDIT).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"audit\.json"):
        read_audit(tmp_path / AUDIT)
