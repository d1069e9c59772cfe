"""Few people say little of others."""

from pathlib import Path

from tests.datasets.doctor.ward import only, ward


def test_four_people(tmp_path: Path) -> None:
    found = only(ward(tmp_path, subjects=4), "few-people")
    assert found.what.startswith("4 subjects") and found.share == 1 and not found.untrustworthy
