"""Who it is, nobody knows."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import only, replaced, ward


def test_recordings_of_unknown_people(tmp_path: Path) -> None:
    index = replaced(ward(tmp_path), lambda r: dataclasses.replace(r, subject="unknown") if r.subject == "4" else r)
    found = only(index, "unknown-people")
    assert len(found.recordings) == 6 and "of 6 recordings the subject is not known" in found.what


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 1)])
def test_one_of_them_is_enough(count: int, told: int) -> None:
    ones = found("unknown-people", surveyed(indexed({"1": [0] * 3, "unknown": [0] * count})))
    assert [(one.recordings, one.untrustworthy, one.weight) for one in ones] == [(("sunknown-0",), True, 0.2)] * told
