import time
from collections import Counter
from pathlib import Path

from vskd.datasets.sensors.utd_mhad import LABELS, index


def test_there_are_27_different_actions() -> None:
    assert len(set(LABELS)) == 27
    assert (LABELS[0], LABELS[8], LABELS[26]) == ("swipe left", "draw circle clockwise", "squat")


def test_the_real_data_set(utd_mhad_root: Path) -> None:
    start = time.monotonic()
    found = index(utd_mhad_root)
    assert time.monotonic() - start < 10, "indexing must read headers only"
    assert len(found) == 861
    assert found.subjects == tuple("12345678")
    assert {r.label for r in found} == set(range(27))
    assert Counter(name for r in found for name in r.streams) == dict.fromkeys(
        ("accelerometer", "gyroscope", "skeleton", "depth"), 861
    )
    assert [(p.kind, p.recording) for p in found.problems] == [
        ("missing", "a23_s6_t4"),
        ("missing", "a27_s8_t4"),
        ("missing", "a8_s1_t4"),
    ]
    assert all("nor is it in the published data set" in p.detail for p in found.problems)
    assert {r.stream("depth").path.suffix for r in found} == {".mp4"}
