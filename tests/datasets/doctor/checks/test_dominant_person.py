"""The model becomes this person."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import only, replaced, ward


def test_one_person_has_most(tmp_path: Path) -> None:
    index = ward(tmp_path, subjects=9)
    own = {"6", "7", "8", "9"}
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, subject="5") if r.subject in own else r), "dominant-person"
    )
    assert found.what == "subject 5 has 30 recordings, the others 6 (median)" and len(found.recordings) == 30
