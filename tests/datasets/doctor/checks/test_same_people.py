"""Known people are tested."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import odd_and_even, only, ward


def test_a_protocol_that_shares_people(tmp_path: Path) -> None:
    index = ward(tmp_path)
    split = odd_and_even(index, "none")
    moved = dataclasses.replace(split, train=(*split.train, "s2_walk_t1"), test=tuple(set(split.test) - {"s2_walk_t1"}))
    found = only(index, "same-people", splits=(moved,))
    assert "1 of 3 people" in found.what and found.untrustworthy
    assert len(found.recordings) == 5 and all(i.startswith("s2_") for i in found.recordings)
