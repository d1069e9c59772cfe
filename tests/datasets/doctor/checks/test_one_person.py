"""Nobody is left to test on."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import only, replaced, ward


def test_everything_is_of_one_person(tmp_path: Path) -> None:
    found = only(replaced(ward(tmp_path, subjects=5), lambda r: dataclasses.replace(r, subject="7")), "one-person")
    assert "of one subject (7)" in found.what and found.share == 1 and found.untrustworthy
