"""The window does not fit in."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_shorter_than_the_window(tmp_path: Path) -> None:
    def cut(r: Recording, values: Floats) -> Floats:
        return values[25:175] if r.id == "s1_walk_t1" else values

    index = ward(tmp_path, cut)
    found = only(index, "short", window_s=3.5)
    assert found.recordings == ("s1_walk_t1",) and "3.00 s of 3.5 s" in found.what
    assert found.weight == pytest.approx(0.5 * 1 / 36)


@pytest.mark.parametrize(
    ("seconds", "window_s", "told"),
    [
        (0.48, 0.0, ""),  # from the first to the last of 25 samples
        (0.46, 0.0, "0.48 s of 0.5 s"),
        (3.98, 4.0, ""),
        (3.98, 4.001, "4.00 s of 4.001 s"),
        (0.28, 0.3, ""),  # a window may be shorter than what is short else
    ],
)
def test_a_recording_is_as_long_as_the_window_or_half_a_second(seconds: float, window_s: float, told: str) -> None:
    assert said("short", seconds=seconds, window_s=window_s) == told
