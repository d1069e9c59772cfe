"""Berkeley's cameras, motion capture and skeletons on generated files: none of the publisher's was at hand."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.sensors.test_berkeley_mhad import problems, write_trial
from vskd.datasets.recording import Problem
from vskd.datasets.sensors.berkeley_mhad import STREAMS, index
from vskd.datasets.sensors.berkeley_others import camera_rate, other_streams
from vskd.preprocessing.sensor.joints import joints_shape, read_joints


def write_others(root: Path, video: Path) -> None:
    """Cameras, motion capture and a converted skeleton of one trial, as the publisher and converters write them."""
    place = root / "Camera/Cluster01/Cam02/S01/A01/R01"
    place.mkdir(parents=True)
    shutil.copyfile(video, place / "clip.mp4")
    shutil.copyfile(video, place.parent / "R02.avi")
    pictures = root / "Camera/Cluster01/Cam03/S01/A01/R01"
    pictures.mkdir(parents=True)
    for frame in range(3):
        (pictures / f"img_l01_c03_s01_a01_r01_{frame:05d}.pgm").write_bytes(b"P5 1 1 255 x")
    random = np.random.default_rng(0)
    (root / "Mocap/OpticalData").mkdir(parents=True)
    markers = np.column_stack([random.normal(0, 500, (6, 129)), np.arange(6), 1.3e9 + np.arange(6) / 480])
    np.savetxt(root / "Mocap/OpticalData/moc_s01_a01_r01.txt", markers, fmt="%.6f")
    (root / "Mocap/SkeletalData").mkdir()
    names = ",".join(["time", *(f"{joint}.{axis}" for joint in ("Hips", "Head", "LeftFoot") for axis in "xyz")])
    rows = np.column_stack([np.arange(5) / 480, random.normal(0, 50, (5, 9))])
    path = root / "Mocap/SkeletalData/skl_s01_a01_r01_pos.csv"
    np.savetxt(path, rows, fmt="%.6f", delimiter=",", header=names, comments="")
    (root / "Time_stamps").mkdir()
    clock = np.column_stack([np.arange(44), 1.3e9 + np.arange(44) / 21.7])
    np.savetxt(root / "Time_stamps/time_stamps_img_s01_a01_r01.txt", clock, fmt=["%d", "%.6f"])


def test_cameras_and_skeletons_beside_the_sensors_are_streams(tmp_path: Path, video: Path) -> None:
    for trial in (1, 2):
        write_trial(tmp_path, 1, 1, trial)
    write_others(tmp_path, video)
    found = index(tmp_path)
    one, two = found
    assert set(one.streams) - set(STREAMS) == {"rgb-cluster01-cam02", "markers", "skeleton"}
    assert set(two.streams) - set(STREAMS) == {"rgb-cluster01-cam02"}
    camera = one.stream("rgb-cluster01-cam02")
    assert (camera.kind, camera.placement) == ("video", "cluster 1, camera 2")
    assert camera.rate_hz == pytest.approx(21.7, abs=1e-3), "by the cameras' time stamps"
    assert two.stream("rgb-cluster01-cam02").rate_hz == 22.0, "without them, the usual rate"
    for name, shape in (("markers", (43, 3, 6)), ("skeleton", (3, 3, 5))):
        stream = one.stream(name)
        assert (stream.kind, stream.rate_hz, stream.axes) == ("skeleton", 480.0, ("x", "y", "z"))
        assert stream.unit == ("mm" if name == "markers" else "not stated")
        joints = read_joints(stream.path, stream.variable)
        assert joints.shape == shape and joints_shape(stream.path) == shape[:2]
    raw = np.loadtxt(one.stream("markers").path)
    np.testing.assert_allclose(read_joints(one.stream("markers").path)[7, 1], raw[:, 3 * 7 + 1], rtol=1e-6)
    (picture,) = [p for p in found.problems if p.kind == "unknown"]
    assert picture.detail.startswith("1 clips are folders of single pictures")


def test_others_of_no_recording_twice_or_empty_are_named(tmp_path: Path, video: Path) -> None:
    write_trial(tmp_path, 1, 1, 1)
    write_others(tmp_path, video)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/moc_s01_a01_r01.txt").write_text("1 2\n")
    (tmp_path / "Mocap/SkeletalData/skl_s01_a01_r01_pos.csv").write_text("")
    found = index(tmp_path)
    assert ("s01_a01_r02", "R02.avi") in problems(found, "unknown")
    assert problems(found, "duplicate") == [("s01_a01_r01", "moc_s01_a01_r01.txt")]
    assert ("s01_a01_r01", "skl_s01_a01_r01_pos.csv") in problems(found, "missing")
    assert "skeleton" not in found.recordings[0].streams


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        *((e, "video") for e in ("avi", "mp4", "mkv", "mpg", "AVI")),
        *((e, "") for e in ("pgm", "ppm", "png", "jpg", "bmp")),
    ],
)
def test_videos_of_cameras_are_streams_and_pictures_are_counted_by_folder(
    tmp_path: Path, ending: str, kind: str
) -> None:
    for trial in (1, 2):
        folder = tmp_path / f"Cluster02/Cam01/S07/A03/R{trial:02d}"
        folder.mkdir(parents=True)
        for frame in range(3 if not kind else 1):
            (folder / f"{frame}.{ending}").write_bytes(b"x")
        (folder / "notes.txt").write_text("x")
    problems: list[Problem] = []
    found = list(other_streams(tmp_path, (), problems))
    assert [one.key for one in found] == ([(7, 3, 1), (7, 3, 2)] if kind else [])
    assert all(one.stream.name == "rgb-cluster02-cam01" and one.stream.rate_hz == 22 for one in found)
    assert [p.detail.split(",")[0] for p in problems] == ([] if kind else ["2 clips are folders of single pictures"])
    assert all(Path(p.path).name == "R01" for p in problems)
    assert not list(other_streams(tmp_path, (tmp_path / "Cluster02",), []))


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("0 10.0\n1 10.5\n\n2 11.0\n", 2.0),
        ("", 22.0),
        ("0 1\n", 22.0),
        ("a b\n", 22.0),
        ("0 1.0\n1 1.0\n", 22.0),
        ("7\n", 22.0),
    ],
)
def test_the_rate_of_a_camera_by_its_time_stamps(tmp_path: Path, text: str, rate: float) -> None:
    (tmp_path / "clock.txt").write_text(text)
    assert camera_rate(tmp_path / "clock.txt") == rate
    assert camera_rate(tmp_path / "nowhere.txt") == 22.0
