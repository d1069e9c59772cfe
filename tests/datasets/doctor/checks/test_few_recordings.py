"""Hardly anything to learn from."""

from pathlib import Path

from tests.datasets.doctor.ward import only, ward


def test_a_class_of_four(tmp_path: Path) -> None:
    index = ward(tmp_path, keep=lambda r: r.label != 2 or (int(r.subject) <= 4 and r.trial == "1"))
    found = only(index, "few-recordings")
    assert found.what == "class wave has 4 recording(s), fewer than 5" and len(found.recordings) == 4
