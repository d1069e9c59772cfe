"""Files beside the data set."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import changed, findings, ward
from vskd.datasets.recording import Problem


def test_files_that_no_recording_is_made_of(tmp_path: Path) -> None:
    problems = (
        Problem("unknown", "", "notes.csv", "its name does not fit"),
        Problem("duplicate", "s1_walk_t1", "copy.csv", "is given already"),
    )
    one, two = findings(changed(ward(tmp_path), problems=problems))
    assert (one.check, two.check) == ("names", "names")
    assert "1 files whose names fit no recording, e.g. notes.csv" in one.what and two.recordings == ("s1_walk_t1",)


@pytest.mark.parametrize(("kind", "word"), [("unknown", "fit no recording"), ("duplicate", "given twice")])
def test_files_are_named_by_recording_or_path(kind: str, word: str) -> None:
    told = (Problem(kind, "", "a.csv", "odd"), Problem(kind, "s1-0", "b.csv", "even"), Problem("missing", "", "c", ""))  # type: ignore[arg-type]
    (one,) = found("names", surveyed(dataclasses.replace(indexed({"1": [0] * 4}), problems=told)))
    assert one.recordings == ("a.csv", "s1-0") and one.weight == 0.6 * 2 / 4
    assert one.what.startswith("2 ") and one.what.endswith(f"{word}, e.g. a.csv: odd")
