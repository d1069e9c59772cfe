"""The rate is not what is stated."""

from pathlib import Path

from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_a_device_at_forty_hertz(tmp_path: Path) -> None:
    def slow(r: Recording, stamps: Floats) -> Floats:
        return stamps * 1.25 if r.subject == "3" else stamps

    found = only(ward(tmp_path, clock=slow), "wrong-rate")
    assert len(found.recordings) == 6 and "40 Hz by its time stamps, 50 Hz by the description" in found.what
    assert found.untrustworthy


def test_one_odd_file_spoils_no_figure(tmp_path: Path) -> None:
    def slow(r: Recording, stamps: Floats) -> Floats:
        return stamps * 1.25 if r.id == "s3_walk_t1" else stamps

    assert not only(ward(tmp_path, clock=slow), "wrong-rate").untrustworthy
