"""Files beside the data set."""

from pathlib import Path

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
