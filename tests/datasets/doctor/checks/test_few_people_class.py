"""Two people alone do it."""

import dataclasses
import itertools
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
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


@pytest.mark.parametrize(("people", "doing", "told"), [(5, 2, 1), (4, 2, 0), (5, 3, 0), (5, 1, 0), (9, 2, 1)])
def test_a_class_has_two_people_where_five_are_there(people: int, doing: int, told: int) -> None:
    seen = surveyed(indexed({str(who): [0, 1, 2, 2] if who < doing else [0, 1] for who in range(people)}))
    ones = found("few-people-class", seen)
    assert ids_of(ones) == [("s0-2", "s0-3", "s1-2", "s1-3")] * told
    assert all(one.weight == pytest.approx(0.4 * 4 / (2 * people + 4)) for one in ones)


def test_each_such_class_is_a_finding_and_its_two_are_named_in_order() -> None:
    pairs = list(itertools.combinations("abcde", 2))
    people = {who: [n for n, pair in enumerate(pairs) if who in pair] for who in "abcde"}
    ones = found("few-people-class", surveyed(indexed(people, labels=[f"class {n}" for n in range(10)])))
    assert [one.what for one in ones] == [f"only subjects {a} and {b} do class {n}" for n, (a, b) in enumerate(pairs)]
