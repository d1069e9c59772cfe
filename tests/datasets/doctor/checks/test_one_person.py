"""Nobody is left to test on."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import only, replaced, ward


def test_everything_is_of_one_person(tmp_path: Path) -> None:
    found = only(replaced(ward(tmp_path, subjects=5), lambda r: dataclasses.replace(r, subject="7")), "one-person")
    assert "of one subject (7)" in found.what and found.share == 1 and found.untrustworthy


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 1), (2, 0)])
def test_one_person_is_one(count: int, told: int) -> None:
    seen = surveyed(indexed({str(who): [0, 1, 2] for who in range(count)}))
    assert [(len(one.recordings), one.weight) for one in found("one-person", seen)] == [(3, 1.0)] * told
