"""Known people are tested."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import odd_and_even, only, ward
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import SplitFacts, split_facts


def test_a_protocol_that_shares_people(tmp_path: Path) -> None:
    index = ward(tmp_path)
    split = odd_and_even(index, "none")
    moved = dataclasses.replace(split, train=(*split.train, "s2_walk_t1"), test=tuple(set(split.test) - {"s2_walk_t1"}))
    found = only(index, "same-people", splits=(moved,))
    assert "1 of 3 people" in found.what and found.untrustworthy
    assert len(found.recordings) == 5 and all(i.startswith("s2_") for i in found.recordings)


@pytest.mark.parametrize(
    ("disjoint", "people", "clips", "ids"),
    [
        ("none", ("a",), (), ("sa-0",)),
        ("none", (), ("b",), ("sb-0",)),  # clips are called like the people here
        ("none", ("a",), ("b",), ("sa-0", "sb-0")),
        ("none", (), (), None),
        ("subject", ("a",), ("b",), None),
    ],
)
def test_people_and_videos_on_both_sides_count_where_the_protocol_promises_nothing(
    disjoint: str, people: tuple[str, ...], clips: tuple[str, ...], ids: tuple[str, ...] | None
) -> None:
    split = Split(("sc-0",), (), ("sa-0", "sb-0"), "p", None, "x", "x", disjoint)  # type: ignore[arg-type]
    shared = SplitFacts("p", None, "x", disjoint, {}, {}, 7, 8, people, (), clips, 0, None)
    index = indexed({"a": [0], "b": [0], "c": [0]})
    index = dataclasses.replace(index, recordings=tuple(dataclasses.replace(r, clip=r.subject) for r in index))
    told = found("same-people", surveyed(index, splits=(split,), shared=(shared,)))
    assert ids_of(told) == ([] if ids is None else [ids])
    for one in told:
        assert one.what == (
            f"protocol p: {len(people)} of 7 people and {len(clips)} of 8 source videos of the test part train, too"
        )
        assert one.untrustworthy and one.weight == pytest.approx(0.8 * len(one.recordings) / 3)


def test_each_split_is_looked_at() -> None:
    """The first keeps people apart."""
    index = indexed({"1": [0, 0], "2": [0, 0]})
    mixed = Split(("s1-0", "s2-0"), (), ("s1-1", "s2-1"), "p", None, "x", "x", "none")
    apart = dataclasses.replace(mixed, train=("s1-0", "s1-1"), test=("s2-0", "s2-1"))
    splits = (apart, dataclasses.replace(mixed, disjoint="subject"), mixed)
    seen = surveyed(index, splits=splits, shared=tuple(split_facts(index, split, {}) for split in splits))
    assert ids_of(found("same-people", seen)) == [("s1-1", "s2-1")]
