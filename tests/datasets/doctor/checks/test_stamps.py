"""Jitter."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_stamps_that_come_late(tmp_path: Path) -> None:
    def late(r: Recording, stamps: Floats) -> Floats:
        stamps = stamps.copy()
        stamps[[30, 77]] += 0.035 if r.id == "s2_wave_t1" else 0.0
        return stamps

    found = only(ward(tmp_path, clock=late), "stamps")
    assert found.recordings == ("s2_wave_t1",) and "2 stamps late" in found.what
    assert found.weight == pytest.approx(0.03 * 1 / 36)


def test_gaps_are_told_elsewhere() -> None:
    assert said("stamps", clock=("1 gap",)) == ""
    assert said("stamps", clock=("a gap", "2 go back", "a gap", "jitter")) == "2 go back; jitter"
