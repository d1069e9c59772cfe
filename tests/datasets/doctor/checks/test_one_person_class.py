"""The person gives the class away."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import only, replaced, ward


def test_a_class_of_one_person(tmp_path: Path) -> None:
    """Six recordings of waving are there, all of subject 3."""
    index = ward(tmp_path, keep=lambda r: r.label != 2 or int(r.subject) <= 3)
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, subject="3") if r.label == 2 else r), "one-person-class"
    )
    assert found.what == "only subject 3 does wave" and len(found.recordings) == 6 and found.untrustworthy
