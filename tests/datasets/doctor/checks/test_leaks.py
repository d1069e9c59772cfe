"""Training sees what is tested."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import changed, findings, odd_and_even, only, ward
from vskd.datasets.recording import Index, Stream
from vskd.datasets.splits.split import Split
from vskd.preprocessing.sensor.reading import Reading


def test_a_copy_on_the_other_side_of_the_split(tmp_path: Path) -> None:
    index = ward(tmp_path)
    shutil.copyfile(tmp_path / "s1_walk_t1.npy", tmp_path / "s2_walk_t2.npy")
    found = findings(index, splits=(odd_and_even(index),))
    assert [one.check for one in found] == ["leaks", "duplicates"]  # a copy is both
    assert set(found[0].recordings) == {"s1_walk_t1", "s2_walk_t2"} and found[0].untrustworthy
    assert found[0].action.endswith("--protocol cross-subject")


def test_overlapping_parts_of_one_file(tmp_path: Path) -> None:
    index = ward(tmp_path)
    by_id, path = index.by_id(), tmp_path / "s1_walk_t1.npy"
    for name, rows in (("s1_walk_t1", (0, 150)), ("s2_walk_t1", (100, 200))):
        own = by_id[name].stream("accelerometer")
        part = dataclasses.replace(own, path=path, columns=(0, 1, 2), reading=Reading(rows=rows))
        by_id[name] = dataclasses.replace(by_id[name], streams={"accelerometer": part})
    cut: Index = changed(index, recordings=tuple(by_id.values()))
    found = only(cut, "leaks", splits=(odd_and_even(cut),))
    assert "overlapping accelerometer samples: s1_walk_t1 and s2_walk_t1" in found.what
    assert set(found.recordings) == {"s1_walk_t1", "s2_walk_t1"}


def test_the_fold_is_named_and_every_recording_of_the_shared_content() -> None:
    index = indexed({"1": [0, 0], "2": [0, 0], "3": [0]})
    split = Split(("s1-0", "s1-1"), ("s3-0",), ("s2-0", "s2-1"), "p", "2", "x", "x")
    contents = {"s1-0": "a", "s1-1": "b", "s2-1": "a", "s3-0": "c"}  # of s2-0 nothing is known
    (one,) = found("leaks", surveyed(index, splits=(split,), contents=contents))
    assert one.recordings == ("s1-0", "s2-1") and one.what.startswith("protocol p, fold 2: train and test hold")
    assert one.weight == pytest.approx(2 / 5)
    assert found("leaks", surveyed(index, splits=(split,), contents={"s1-0": "a", "s2-1": "b"})) == []


def test_parts_of_which_nothing_is_known_share_nothing() -> None:
    index = indexed({"1": [0, 0], "2": [0, 0]})
    split = Split(("s1-0", "s1-1"), (), ("s2-0", "s2-1"), "p", None, "x", "x")
    (one,) = found("leaks", surveyed(index, splits=(split,), contents={"s1-0": "a", "s2-0": "a"}))
    assert one.recordings == ("s1-0", "s2-0") and one.what.startswith("protocol p: ")


def test_a_recording_whose_name_begins_another_s_is_not_touched(tmp_path: Path) -> None:
    """Of three recordings two overlap; the third is only called like them, and lacks the second sensor."""
    (tmp_path / "a.csv").write_text("1,2,3\n" * 200)

    def part(name: str, first: int) -> Stream:
        reading = Reading(rows=(first, first + 100))
        return Stream(
            name, "sensor", tmp_path / "a.csv", 50.0, "g", ("x", "y", "z"), columns=(0, 1, 2), reading=reading
        )

    index = indexed({"1": [0], "2": [0], "22": [0]})
    starts = {"s1-0": 0, "s2-0": 50, "s22-0": 100}
    recordings = [dataclasses.replace(r, id=r.id[:-2], streams={"b": part("b", starts[r.id])}) for r in index]
    third = dataclasses.replace(recordings[2], streams={"b": part("b", 150), "a": part("a", 0)})
    index = dataclasses.replace(index, recordings=(*recordings[:2], third))
    split = Split(("s1",), (), ("s2", "s22"), "p", None, "x", "x")
    (one,) = found("leaks", surveyed(index, splits=(split,), sensors={"a": {}, "b": {}}))
    assert one.recordings == ("s1", "s2") and "overlapping b samples: s1 and s2" in one.what
