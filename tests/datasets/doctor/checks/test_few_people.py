"""Few people say little of others."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import only, ward


def test_four_people(tmp_path: Path) -> None:
    found = only(ward(tmp_path, subjects=4), "few-people")
    assert found.what.startswith("4 subjects") and found.share == 1 and not found.untrustworthy


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 0), (2, 1), (4, 1), (5, 0)])
def test_few_people_are_two_to_four(count: int, told: int) -> None:
    """Of one alone `one-person` speaks."""
    seen = surveyed(indexed({str(who): [0, 1] for who in range(count)}))
    assert [(len(one.recordings), one.weight) for one in found("few-people", seen)] == [(2 * count, 0.4)] * told
