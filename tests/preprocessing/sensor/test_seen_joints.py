"""What stands for joints that nobody saw."""

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.seen_joints import SeenJoints, completed

NAN = np.nan


def seen(positions: object, confidence: object = None) -> SeenJoints:
    """(joints, frames) of one axis, or (joints, axes, frames)."""
    array = np.array(positions, dtype=np.float32)
    array = array[:, None] if array.ndim == 2 else array
    sure = np.ones((len(array), array.shape[2])) if confidence is None else np.array(confidence)
    return SeenJoints(array, sure.astype(np.float32))


def test_whole_skeletons_stay_bit_for_bit() -> None:
    joints = np.random.default_rng(0).normal(size=(5, 3, 7)).astype(np.float32)
    np.testing.assert_array_equal(completed(seen(joints)), joints)


def test_gaps_are_straight_lines_and_ends_are_held() -> None:
    found = completed(seen([[NAN, 1, NAN, NAN, 7, NAN], [0, 0, 0, 0, 0, 0]]))
    np.testing.assert_allclose(found[0, 0], [1, 1, 3, 5, 7, 7])
    np.testing.assert_array_equal(found[1, 0], 0)


def test_joints_below_the_confidence_are_missing() -> None:
    one = seen([[1, 99, 3], [0, 0, 0]], [[0.9, 0.2, 0.9], [1, 1, 1]])
    np.testing.assert_array_equal(completed(one)[0, 0], [1, 99, 3])
    np.testing.assert_allclose(completed(one, 0.5)[0, 0], [1, 2, 3])


def test_a_joint_that_is_never_seen_is_at_the_middle_of_the_others() -> None:
    found = completed(seen([[1, 2, 3], [5, 6, 7], [NAN, NAN, NAN]]))
    np.testing.assert_allclose(found[2, 0], [3, 4, 5])


def test_what_is_given_is_not_changed() -> None:
    one = seen([[NAN, 1, 2], [0, 1, 2]])
    completed(one)
    assert np.isnan(one.positions[0, 0, 0])


def test_frames_are_counted_and_not_joints() -> None:
    np.testing.assert_array_equal(completed(seen([[1, 2, NAN], [NAN] * 3]))[0, 0], [1, 2, 2])
    with pytest.raises(DataError, match="joints are seen in fewer than 2 frames"):
        completed(seen([[NAN, 1, NAN], [NAN, 5, NAN], [NAN, 6, NAN]]))


def test_a_body_that_is_hardly_seen_is_refused() -> None:
    with pytest.raises(DataError, match="joints are seen in fewer than 2 frames"):
        completed(seen([[NAN, 1, NAN]]))
    with pytest.raises(DataError, match=r"with a confidence of 0.5 in fewer than 2 frames"):
        completed(seen([[1, 1, 1]], [[0.6, 0.4, 0.4]]), 0.5)


def test_a_joint_of_just_the_confidence_is_seen() -> None:
    one = seen([[1, 99, 3], [0, 0, 0]], [[0.5, 0.5, 0.5], [1, 1, 0.25]])
    np.testing.assert_array_equal(completed(one, 0.5)[0, 0], [1, 99, 3])


def test_an_axis_that_is_missing_is_a_joint_that_is_missing() -> None:
    found = completed(seen([[[1, 2, 3], [4, NAN, 8]], [[0, 0, 0], [0, 0, 0]]]))
    np.testing.assert_array_equal(found[0], [[1, 2, 3], [4, 6, 8]])
