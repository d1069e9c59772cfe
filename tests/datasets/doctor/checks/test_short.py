"""The window does not fit in."""

from pathlib import Path

from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_shorter_than_the_window(tmp_path: Path) -> None:
    def cut(r: Recording, values: Floats) -> Floats:
        return values[25:175] if r.id == "s1_walk_t1" else values

    index = ward(tmp_path, cut)
    found = only(index, "short", window_s=3.5)
    assert found.recordings == ("s1_walk_t1",) and "3.00 s of 3.5 s" in found.what
