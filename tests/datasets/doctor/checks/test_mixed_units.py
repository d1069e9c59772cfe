"""Two units in one set."""

from pathlib import Path

from tests.datasets.doctor.ward import Floats, findings, ward
from vskd.datasets.recording import Recording


def test_one_person_in_another_unit(tmp_path: Path) -> None:
    """Of a device that need not show 1 g; that it does not is a finding, too."""

    def other(r: Recording, values: Floats) -> Floats:
        return values * 9.80665 if r.subject == "2" else values

    found, gravity = findings(ward(tmp_path, other, calibrated=False))
    assert (found.check, gravity.check) == ("mixed-units", "uncalibrated")
    assert "subjects 2 rest at about 9.79 g, the others at 1" in found.what
    assert len(found.recordings) == 6 and found.untrustworthy


def test_one_odd_recording_is_no_other_unit(tmp_path: Path) -> None:
    def odd(r: Recording, values: Floats) -> Floats:
        return values * 9.80665 if r.id == "s2_walk_t1" else values

    assert "mixed-units" not in {one.check for one in findings(ward(tmp_path, odd, calibrated=False))}
