"""The model becomes this person."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import only, replaced, ward


def test_one_person_has_most(tmp_path: Path) -> None:
    index = ward(tmp_path, subjects=9)
    own = {"6", "7", "8", "9"}
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, subject="5") if r.subject in own else r), "dominant-person"
    )
    assert found.what == "subject 5 has 30 recordings, the others 6 (median)" and len(found.recordings) == 30


@pytest.mark.parametrize(
    ("people", "ids"),
    [
        ({"a": 1, "b": 6, "c": 2, "d": 5}, 0),  # three times the usual 2
        ({"a": 1, "b": 7, "c": 2, "d": 5}, 7),
        ({"b": 9}, 0),
        ({"b": 4, "a": 1}, 4),  # the usual is that of the others
        ({"a": 1, "b": 3}, 0),
        ({}, 0),
    ],
)
def test_one_person_has_more_than_three_times_the_usual(people: dict[str, int], ids: int) -> None:
    ones = found("dominant-person", surveyed(indexed({who: [0] * count for who, count in people.items()})))
    assert ids_of(ones) == [tuple(f"sb-{n}" for n in range(ids))] * bool(ids)
    assert all(one.weight == pytest.approx(0.3 * ids / sum(people.values())) for one in ones)
