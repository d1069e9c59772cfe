"""MMAct's files of poses, generated as its published loader reads them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.video.pose_json import read_pose_json

JOINTS = 17

Frame = dict[str, Any]


def someone(x: float, size: float = 10.0, confidence: float = 0.9) -> list[float]:
    """Seventeen joints on a square of `size` about (x, 50)."""
    around = np.random.default_rng(0).uniform(-size / 2, size / 2, (JOINTS, 2))
    around[:2] = [[-size / 2, -size / 2], [size / 2, size / 2]]
    return np.column_stack([around + np.array([x, 50]), np.full(JOINTS, confidence)]).reshape(-1).tolist()


def written(folder: Path, *frames: Frame) -> Path:
    path = folder / "drinking.json"
    path.write_text(json.dumps({f"{number:05d}": frame for number, frame in enumerate(frames)}))
    return path


def test_joints_and_confidences_are_read(tmp_path: Path) -> None:
    seen = read_pose_json(written(tmp_path, {"person1": someone(20)}, {"person1": someone(22, confidence=0.4)}))
    assert seen.positions.shape == (17, 2, 2) and seen.confidence.shape == (17, 2)
    expected = np.array(someone(20), np.float32).reshape(17, 3)
    np.testing.assert_array_equal(seen.positions[:, :, 0], expected[:, :2])
    np.testing.assert_allclose(seen.confidence, np.broadcast_to([0.9, 0.4], (17, 2)), rtol=1e-6)


def test_triples_are_read_as_well_as_a_row_of_numbers(tmp_path: Path) -> None:
    nested = np.array(someone(20)).reshape(17, 3).tolist()
    frames = [{"person1": nested}, {"person1": someone(20)}]
    positions = read_pose_json(written(tmp_path, *frames)).positions
    np.testing.assert_array_equal(positions[..., 0], positions[..., 1])


def test_of_two_people_the_larger_then_the_nearest(tmp_path: Path) -> None:
    frames = [
        {"person1": someone(20, 10), "person2": someone(80, 30)},
        {"person1": someone(82, 30), "person2": someone(22, 40)},
        {"person1": [], "person2": someone(84, 30)},
    ]
    middles = np.nanmean(read_pose_json(written(tmp_path, *frames)).positions[:2, 0], axis=0)
    np.testing.assert_allclose(middles, [80, 82, 84], atol=1e-4)


@pytest.mark.parametrize("nobody", [{}, {"person1": []}, {"person1": [0.0] * 51}, {"person1": None}])
def test_frames_without_a_person_are_nan(tmp_path: Path, nobody: Frame) -> None:
    seen = read_pose_json(written(tmp_path, {"person1": someone(20)}, nobody, {"person1": someone(30)}))
    assert np.isnan(seen.positions[..., 1]).all() and not seen.confidence[:, 1].any()
    assert np.isfinite(seen.positions[..., [0, 2]]).all()


def test_a_joint_that_is_not_seen_is_nan_not_the_corner_of_the_picture(tmp_path: Path) -> None:
    person = someone(20)
    person[3 * 5 : 3 * 6] = [0.0, 0.0, 0.0]
    seen = read_pose_json(written(tmp_path, {"person1": person}, {"person1": someone(20)}))
    assert np.isnan(seen.positions[5, :, 0]).all() and seen.confidence[5, 0] == 0
    assert np.isfinite(np.delete(seen.positions[..., 0], 5, axis=0)).all()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not a readable JSON file"),
        ("[1]", "no object of frames"),
        ('{"1": [1]}', "no object of frames"),
        ('{"1": {"person1": [1, 2]}}', "person1 of frame 1 has 2 numbers, not 17 joints"),
        ('{"1": {"person2": ["a"]}}', "person2 of frame 1 is not of numbers"),
        ("{}", "nobody is in 0 of its 0 frames"),
    ],
)
def test_what_is_no_such_file_is_named(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "drinking.json"
    path.write_text(content)
    with pytest.raises(DataError, match=told) as caught:
        read_pose_json(path)
    assert str(path) in str(caught.value)


def test_too_many_empty_frames_are_refused(tmp_path: Path) -> None:
    half: list[Frame] = [{"person1": someone(20)}, {}]
    assert read_pose_json(written(tmp_path, *half)).positions.shape[2] == 2
    with pytest.raises(DataError, match="nobody is in 2 of its 3 frames"):
        read_pose_json(written(tmp_path, *half, {}))
    with pytest.raises(DataError, match="no such file"):
        read_pose_json(tmp_path / "absent.json")


def test_who_was_lost_is_found_near_the_last_place(tmp_path: Path) -> None:
    """Not the larger one that stands elsewhere. Unseen joints move no middle and make nobody larger."""
    hidden = someone(70, 12)
    hidden[3 * 9 : 3 * 10] = [0.0, 0.0, 0.0]
    frames = [
        {"person1": someone(20, 10), "person2": hidden},
        {},
        {"person1": someone(20, 40), "person2": someone(68, 10)},
        {"person1": someone(61, 40), "person2": someone(67, 10)},
    ]
    middles = read_pose_json(written(tmp_path, *frames)).positions[:2, 0].mean(axis=0)
    np.testing.assert_allclose(middles, [70, np.nan, 68, 67], atol=1e-4)


def test_frames_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "drinking.json"
    path.write_text(json.dumps({"10": {"person1": someone(20)}, "9": {"person1": someone(30)}}))
    np.testing.assert_allclose(read_pose_json(path).positions[:2, 0].mean(axis=0), [20, 30], atol=1e-4)


@pytest.mark.parametrize("confidence", [0.0, -0.5])
def test_joints_without_confidence_are_nobody_s(tmp_path: Path, confidence: float) -> None:
    frames = [{"person1": someone(20)}, {"person1": someone(30, confidence=confidence)}]
    assert np.isnan(read_pose_json(written(tmp_path, *frames)).positions[..., 1]).all()


@pytest.mark.parametrize("numbers", [48, 50, 52, 54])
def test_seventeen_joints_of_three_numbers(tmp_path: Path, numbers: int) -> None:
    with pytest.raises(DataError, match=f"person2 of frame 00001 has {numbers} numbers, not 17 joints x, y, c"):
        read_pose_json(written(tmp_path, {"person1": someone(20)}, {"person2": [1.0] * numbers}))
