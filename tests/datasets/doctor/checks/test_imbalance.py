"""A rare class."""

from pathlib import Path

from tests.datasets.doctor.ward import only, ward


def test_one_class_is_six_times_another(tmp_path: Path) -> None:
    index = ward(tmp_path, subjects=15, keep=lambda r: r.label < 2 or (r.trial == "1" and int(r.subject) <= 5))
    found = only(index, "imbalance")
    assert "has 30 recordings, the smallest 5" in found.what and len(found.recordings) == 5
    assert "sampling: balanced" in found.action
