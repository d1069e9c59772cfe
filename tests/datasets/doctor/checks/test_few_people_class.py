"""Two people alone do it."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import only, replaced, ward


def test_a_class_of_two_people(tmp_path: Path) -> None:
    """Six recordings of waving are there, of subjects 1 and 2."""
    index = ward(tmp_path, keep=lambda r: r.label != 2 or int(r.subject) <= 3)
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, subject="2") if r.id.startswith("s3_wave") else r),
        "few-people-class",
    )
    assert found.what == "only subjects 1 and 2 do wave" and len(found.recordings) == 6
    assert not found.untrustworthy
