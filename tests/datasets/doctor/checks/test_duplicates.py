"""One recording under two names."""

import shutil
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import only, ward


def test_copies_in_one_class(tmp_path: Path) -> None:
    index = ward(tmp_path)
    shutil.copyfile(tmp_path / "s1_walk_t1.npy", tmp_path / "s1_walk_t2.npy")
    found = only(index, "duplicates")
    assert found.recordings == ("s1_walk_t1", "s1_walk_t2") and not found.untrustworthy
    assert "2 recordings of 1 contents" in found.what


def test_copies_are_counted_and_three_of_them_named() -> None:
    index = indexed({"1": [0, 0, 0, 0, 1, 1, 2]})
    contents = {**{f"s1-{n}": "a" for n in range(4)}, "s1-4": "b", "s1-5": "b", "s1-6": "c"}
    (one,) = found("duplicates", surveyed(index, contents=contents))
    assert one.what == "6 recordings of 2 contents: copies, or parts of a file that are one, e.g. s1-0 = s1-1 = s1-2"
    assert ids_of([one]) == [tuple(f"s1-{n}" for n in range(6))] and one.weight == pytest.approx(0.5 * 6 / 7)
    assert found("duplicates", surveyed(index, contents={"s1-0": "a", "s1-4": "a", "s1-1": "b"})) == []  # two classes
