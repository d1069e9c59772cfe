"""Who it is, nobody knows."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import only, replaced, ward


def test_recordings_of_unknown_people(tmp_path: Path) -> None:
    index = replaced(ward(tmp_path), lambda r: dataclasses.replace(r, subject="unknown") if r.subject == "4" else r)
    found = only(index, "unknown-people")
    assert len(found.recordings) == 6 and "of 6 recordings the subject is not known" in found.what
