"""What cannot be read is lost."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.ward import changed, only, ward
from vskd.datasets.doctor.checks.unreadable import Unreadable
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Problem


def test_damaged_files(tmp_path: Path) -> None:
    index = ward(tmp_path)
    (tmp_path / "s1_walk_t1.npy").write_bytes(b"no numbers")
    lost = Problem("corrupt", "s9_walk_t1", "s9_walk_t1.npy", "is empty (0 bytes)")
    found = only(changed(index, problems=(lost,)), "unreadable")
    assert set(found.recordings) == {"s1_walk_t1", "s9_walk_t1"} and "2 files" in found.what
    assert found.share == 2 / 37  # the one that the index has no recording of counts, too


def test_they_are_listed_by_name_and_the_first_that_was_found_is_told(tmp_path: Path) -> None:
    index = ward(tmp_path)
    for name in ("s2_rest_t1", "s1_walk_t1"):
        (tmp_path / f"{name}.npy").write_bytes(b"no numbers")
    lost = [Problem("corrupt", r, f"{r}.npy", "is empty") for r in ("s9_z", "s7_a")]
    nameless = Problem("corrupt", "", "x.npy", "is odd")
    found = only(changed(index, problems=(*lost, nameless)), "unreadable")
    assert found.recordings == ("s1_walk_t1", "s2_rest_t1", "s7_a", "s9_z", "x.npy")
    assert found.what == "5 files are empty or cannot be read, e.g. s9_z: is empty"


def test_problems_of_other_kinds_are_told_elsewhere(tmp_path: Path) -> None:
    index = ward(tmp_path)
    missing = Problem("missing", "s1_walk_t1", "x.mat", "is gone")
    lost = Problem("corrupt", "s1_walk_t2", "s1_walk_t2.npy", "is empty")
    survey = dataclasses.replace(survey_of(index), index=changed(index, problems=(missing, lost)))
    (found,) = Unreadable().find(survey)
    assert found.recordings == ("s1_walk_t2",) and found.weight == pytest.approx(0.9 / 36)
    told = dataclasses.replace(survey, index=index, unreadable={"s1_walk_t2": "is short"})
    assert [one.what for one in Unreadable().find(told)] == [
        "1 files are empty or cannot be read, e.g. s1_walk_t2: is short"
    ]
    assert not list(Unreadable().find(dataclasses.replace(survey, index=changed(index, problems=(missing,)))))
