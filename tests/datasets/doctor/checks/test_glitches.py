"""What no sensor measures."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_a_sample_beyond_the_range(tmp_path: Path) -> None:
    def struck(r: Recording, values: Floats) -> Floats:
        values = values.copy()
        values[100, 2] = 60.0 if r.id == "s4_wave_t2" else values[100, 2]
        return values

    found = only(ward(tmp_path, struck, range_limit=8.0), "glitches")
    assert found.recordings == ("s4_wave_t2",) and "1 up to 60 g" in found.what
    assert found.weight == pytest.approx(0.2 * 1 / 36)


def test_one_glitch_is_enough() -> None:
    assert said("glitches", largest=99.0) == "" and said("glitches", glitches=1, largest=60.0) == "1 up to 60 g"
