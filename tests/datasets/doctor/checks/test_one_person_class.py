"""The person gives the class away."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import only, replaced, ward


def test_a_class_of_one_person(tmp_path: Path) -> None:
    """Six recordings of waving are there, all of subject 3."""
    index = ward(tmp_path, keep=lambda r: r.label != 2 or int(r.subject) <= 3)
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, subject="3") if r.label == 2 else r), "one-person-class"
    )
    assert found.what == "only subject 3 does wave" and len(found.recordings) == 6 and found.untrustworthy


@pytest.mark.parametrize(("doing", "others", "told"), [(1, 1, 1), (2, 1, 0), (1, 0, 0)])
def test_a_class_of_one_person_counts_where_there_are_others(doing: int, others: int, told: int) -> None:
    people = {**{str(who): [2, 2] for who in range(doing)}, **{f"{who}{n}": [0] for who in "ab" for n in range(others)}}
    ones = found("one-person-class", surveyed(indexed(people)))
    assert [(one.what, one.weight) for one in ones] == [("only subject 0 does wave", 0.9 * 2 / 4)] * told


def test_each_class_of_one_person_is_a_finding_in_the_order_of_the_classes() -> None:
    ones = found("one-person-class", surveyed(indexed({"1": [2], "2": [0], "3": [1], "4": [1]})))
    assert [one.what for one in ones] == ["only subject 2 does rest", "only subject 1 does wave"]
    assert [one.recordings for one in ones] == [("s2-0",), ("s1-0",)]
