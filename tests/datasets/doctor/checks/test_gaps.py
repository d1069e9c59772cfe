"""The clock breaks."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_a_hole_of_two_seconds(tmp_path: Path) -> None:
    def hole(r: Recording, stamps: Floats) -> Floats:
        return stamps + np.where(stamps >= 2, 2.0, 0.0) if r.id == "s1_walk_t1" else stamps

    found = only(ward(tmp_path, clock=hole), "gaps")
    assert found.recordings == ("s1_walk_t1",) and "1, the longest 2 s" in found.what
    assert found.weight == pytest.approx(0.3 * 1 / 36)


def test_gaps_are_counted_and_the_longest_is_told() -> None:
    assert said("gaps", longest_gap_s=9.0) == ""
    assert said("gaps", gaps=1, longest_gap_s=0.5) == "1, the longest 0.5 s"
