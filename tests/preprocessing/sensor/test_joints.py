"""Joint trajectories: the body's own frame, and files that are no skeletons."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.joints import cut_joints, in_body_frame, joints_shape, read_joints, trajectories
from vskd.preprocessing.sync.cut import Cut


def body(frames: int = 30) -> npt.NDArray[np.float32]:
    """Twenty joints that move."""
    rng = np.random.default_rng(3)
    joints = rng.normal(0, 0.5, (20, 3, 1)) + np.cumsum(rng.normal(0, 0.02, (20, 3, frames)), axis=2)
    return joints.astype(np.float32)


def written(path: Path, joints: npt.ArrayLike, variable: str = "d_skel") -> Path:
    savemat(path, {variable: np.asarray(joints)})
    return path


def test_positions_are_read_as_they_are_written(tmp_path: Path) -> None:
    joints = read_joints(written(tmp_path / "a.mat", body()), "d_skel")
    assert joints.dtype == np.float32
    np.testing.assert_array_equal(joints, body())


@pytest.mark.parametrize("moved", [(0.0, 0.0, 0.0), (2.0, -1.0, 3.5)])
@pytest.mark.parametrize("size", [0.5, 1.0, 1.3])
def test_the_body_frame_knows_neither_place_nor_size(moved: tuple[float, float, float], size: float) -> None:
    elsewhere = size * body() + np.array(moved, dtype=np.float32).reshape(1, 3, 1)
    np.testing.assert_allclose(in_body_frame(elsewhere), in_body_frame(body()), atol=1e-5)


def test_the_body_frame_against_its_definition() -> None:
    joints = body(4)
    middles = [joints[:, :, t].mean(axis=0) for t in range(4)]
    squares = [np.sum((joints[j, :, t] - middles[t]) ** 2) for t in range(4) for j in range(20)]
    centre, size = np.mean(middles, axis=0), np.sqrt(np.mean(squares))
    expected = np.stack([(joints[:, :, t] - centre) / size for t in range(4)], axis=2)
    np.testing.assert_allclose(in_body_frame(joints), expected, atol=1e-6)


def test_walking_through_the_room_stays() -> None:
    """Only the mean place of the whole recording is taken away."""
    still = np.repeat(body(1), 10, axis=2)
    walking = still + np.linspace(0, 2, 10, dtype=np.float32).reshape(1, 1, 10)
    middle = in_body_frame(walking).mean(axis=0)  # (3, frames)
    assert np.all(np.diff(middle, axis=1) > 0.1)
    assert np.allclose(middle.mean(axis=1), 0, atol=1e-6)


@pytest.mark.parametrize("frames", [2, 16, 40])
def test_every_coordinate_is_a_trajectory_of_the_length_that_is_asked_for(frames: int) -> None:
    joints = body(frames)
    resampled = trajectories(joints, 16)
    assert resampled.shape == (60, 16)
    flat = in_body_frame(joints).reshape(60, frames)
    np.testing.assert_allclose(resampled[:, [0, -1]], flat[:, [0, -1]], atol=1e-6)
    if frames == 16:
        np.testing.assert_allclose(resampled, flat, atol=1e-6)


def test_the_frames_of_a_cut_stay(tmp_path: Path) -> None:
    joints = np.arange(2 * 3 * 10, dtype=np.float32).reshape(2, 3, 10)
    np.testing.assert_array_equal(cut_joints(joints, Cut(0.1, 0.25), 20.0, tmp_path), joints[..., 2:5])
    with pytest.raises(DataError, match=r"of its 10 frames, 1 lie between 0\.1 and 0\.15 s"):
        cut_joints(joints, Cut(0.1, 0.15), 20.0, tmp_path)


def test_all_joints_at_one_place_are_no_body() -> None:
    with pytest.raises(DataError, match="all joints of the skeleton are at one place"):
        in_body_frame(np.ones((20, 3, 5), dtype=np.float32))


@pytest.mark.parametrize(
    ("joints", "told"),
    [
        (np.zeros((20, 30)), r"a skeleton has \(joints, 3, 2 frames or more\), this has \(20, 30\)"),
        (np.zeros((20, 2, 30)), r"this has \(20, 2, 30\)"),
        (body()[:, :, :1], r"2 frames or more\), this has \(20, 3(, 1)?\)"),
        (np.where(np.arange(30) == 7, np.nan, body()), "60 joint coordinates are not finite"),
        (np.where(np.arange(30) == 7, np.inf, body()), "60 joint coordinates are not finite"),
    ],
)
def test_what_is_no_skeleton_is_named(tmp_path: Path, joints: npt.ArrayLike, told: str) -> None:
    path = written(tmp_path / "a1_s1_t1_skeleton.mat", joints)
    with pytest.raises(DataError, match=told) as caught:
        read_joints(path, "d_skel")
    assert str(path) in str(caught.value)


def test_the_shape_is_told_by_the_kind_or_the_head(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"d_skel": np.ones((20, 3, 9))})
    assert joints_shape(tmp_path / "a.mat", "d_skel") == (20, 3)
    assert joints_shape(Path("a.h5")) == (33, 3) and joints_shape(Path("a.json")) == (17, 2)


def test_the_frames_of_a_cut_begin_at_its_start_and_before_its_end(tmp_path: Path) -> None:
    joints = np.arange(2 * 3 * 10, dtype=np.float32).reshape(2, 3, 10)
    np.testing.assert_array_equal(cut_joints(joints, Cut(0.25, 0.75), 4.0, tmp_path), joints[..., 1:3])
    assert cut_joints(joints, Cut(-1.0, 9.0), 4.0, tmp_path).shape[2] == 10


def pose_file(path: Path, sure: float = 0.9) -> Path:
    """Three frames of one person, whose sixth joint is less sure in the second frame."""
    frames = {}
    for number in range(3):
        person = np.column_stack([np.arange(17.0) + 4 * number**2, np.arange(17.0) ** 2, np.full(17, 0.9)])
        person[5, 2] = sure if number == 1 else 0.9
        frames[str(number)] = {"person1": person.ravel().tolist()}
    path.write_text(json.dumps(frames))
    return path


def test_joints_of_a_pose_that_are_unsure_are_on_the_line_between(tmp_path: Path) -> None:
    path = pose_file(tmp_path / "a.json", sure=0.4)
    assert read_joints(path)[5, 0].tolist() == [5, 9, 21] == read_joints(path, "", 0.4)[5, 0].tolist()
    assert read_joints(path, least_confidence=0.5)[5, 0].tolist() == [5, 13, 21]
    with pytest.raises(DataError, match=r"a\.json: joints are seen with a confidence of 0.95 in fewer than 2 frames"):
        read_joints(path, least_confidence=0.95)
    with pytest.raises(DataError, match=r"^[^:]*away\.json: no such file"):
        read_joints(tmp_path / "away.json")


def test_poses_are_in_pixels_or_metres(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.h5: poses are in image or world, not 'd_skel'"):
        read_joints(tmp_path / "a.h5", "d_skel")


def test_tables_of_points_are_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.CSV"
    path.write_text("time,a.x,a.y,a.z,b.x,b.y,b.z\n0,1,2,3,4,5,6\n1,2,3,4,5,6,7\n")
    assert joints_shape(path) == (2, 3)
    assert read_joints(path)[1].tolist() == [[4, 5], [5, 6], [6, 7]]
    savemat(tmp_path / "a.mat", {"other": np.ones((4, 3, 2)), "d_skel": np.ones((20, 3, 2))})
    assert joints_shape(tmp_path / "a.mat", "other") == (4, 3)
    assert read_joints(tmp_path / "a.mat", "other").shape == (4, 3, 2)
