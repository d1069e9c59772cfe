import time
from collections import Counter
from pathlib import Path

from tests.datasets.entries import assert_entry
from vskd.datasets.sensors.utd_mhad import INERTIAL, LABELS, LAYOUT, RGB, SKELETON, index


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


def test_what_each_kind_of_file_holds() -> None:
    held = {
        stream.name + spec.endings[0]: (
            spec.folder,
            spec.variable,
            spec.shape,
            stream.kind,
            stream.rate_hz,
            stream.unit,
        )
        for spec in LAYOUT.files
        for stream in spec.streams
    }
    assert held == {
        "accelerometer_inertial.mat": ("Inertial", "d_iner", (None, 6), "sensor", 50.0, "g"),
        "gyroscope_inertial.mat": ("Inertial", "d_iner", (None, 6), "sensor", 50.0, "deg/s"),
        "skeleton_skeleton.mat": ("Skeleton", "d_skel", (20, 3, None), "skeleton", 30.0, "m"),
        "depth_depth.mp4": ("DepthVideo", "", (), "video", 30.0, "uint8"),
        "depth_depth.mat": ("Depth", "d_depth", (None, None, None), "video", 30.0, "mm"),
        "rgb_color.avi": ("RGB", "", (), "video", 30.0, "uint8"),
    }
    accelerometer, gyroscope = INERTIAL.streams
    assert (accelerometer.columns, accelerometer.range_limit) == ((0, 1, 2), 8.0)
    assert (gyroscope.columns, gyroscope.range_limit) == ((3, 4, 5), 1000.0)
    assert accelerometer.axes == gyroscope.axes == SKELETON.streams[0].axes == ("x", "y", "z")
    assert RGB.endings == ("_color.avi", "_color.mp4")
    assert (LAYOUT.subjects, LAYOUT.trials, LAYOUT.dataset) == (tuple(range(1, 9)), (1, 2, 3, 4), "utd-mhad")
    assert LAYOUT.absent == {"a8_s1_t4", "a23_s6_t4", "a27_s8_t4"}
    ids = list(LAYOUT.expected())
    assert (len(ids), ids[0], ids[-1]) == (27 * 8 * 4, "a1_s1_t1", "a27_s8_t4")


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("utd-mhad", tmp_path)
