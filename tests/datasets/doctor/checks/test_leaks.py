"""Training sees what is tested."""

import dataclasses
import shutil
from pathlib import Path

from tests.datasets.doctor.ward import changed, findings, odd_and_even, only, ward
from vskd.datasets.recording import Index
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
