"""The landmark network's answers: heat that moves a joint, and joints put back into the picture."""

import math

import numpy as np

from vskd.preprocessing.video.pose_geometry import Square
from vskd.preprocessing.video.pose_landmarks import body, refined

INPUT, JOINTS, OUTPUTS, KERNEL = 256, 33, 39, 9

COLD = -20.0
SQUARE = Square(100.0, 50.0, 64.0, math.pi / 2)


def heat(*spots: tuple[int, int, int, float]) -> np.ndarray:
    """Logits (64, 64, 39), cold but at (row, column, joint)."""
    result = np.full((64, 64, OUTPUTS), COLD, np.float32)
    for row, column, joint, logit in spots:
        result[row, column, joint] = logit
    return result


def points(*of: tuple[float, float]) -> np.ndarray:
    result = np.full((OUTPUTS, 3), 0.5)
    result[: len(of), :2] = np.reshape(of, (-1, 2))
    return result


def test_a_joint_moves_to_the_one_hot_cell_near_it() -> None:
    found = refined(points((0.5, 0.5)), heat((30, 34, 0, 20.0)))
    np.testing.assert_allclose(found[0, :2], [34 / 64, 30 / 64], atol=1e-6)
    np.testing.assert_array_equal(found[1:], points()[1:])


def test_of_two_hot_cells_the_mean_by_probability() -> None:
    found = refined(points((0.5, 0.5)), heat((32, 30, 0, 20.0), (32, 34, 0, math.log(3))))  # 1 and 0.75
    np.testing.assert_allclose(found[0, :2], [(30 + 0.75 * 34) / 1.75 / 64, 0.5], atol=1e-6)


def test_heat_that_is_far_lukewarm_or_outside_moves_nothing() -> None:
    reach = (KERNEL - 1) // 2
    for place, spot in (
        ((0.5, 0.5), (32, 32 + reach + 1, 0, 20.0)),
        ((0.5, 0.5), (32, 33, 0, -0.1)),
        ((-0.01, 0.5), (32, 0, 0, 20.0)),
        ((0.5, 1.0), (63, 32, 0, 20.0)),
    ):
        np.testing.assert_array_equal(refined(points(place), heat(spot)), points(place))


def test_the_kernel_ends_at_the_border() -> None:
    found = refined(points((0.0, 0.999)), heat((63, 2, 0, 20.0)))
    np.testing.assert_allclose(found[0, :2], [2 / 64, 63 / 64], atol=1e-5)


def outputs() -> tuple[np.ndarray, np.ndarray]:
    landmarks = np.zeros((OUTPUTS, 5), np.float32)
    landmarks[:, :2] = INPUT / 2
    landmarks[0] = [INPUT, INPUT / 2, 25.6, math.log(3), -math.log(3)]  # the square's right edge, its middle
    landmarks[33, :2], landmarks[34, :2] = [INPUT / 2, INPUT / 2], [INPUT / 2, 0]
    metres = np.zeros((OUTPUTS, 3), np.float32)
    metres[0] = [0.5, 0, 0.2]
    return landmarks, metres


def test_joints_are_put_back_into_the_picture() -> None:
    """The square is turned by 90 degrees: its right is the picture's down."""
    found = body(*outputs(), heat(), 0.9, SQUARE)
    assert found is not None and found.score == 0.9 and found.square == SQUARE
    assert found.joints.shape == found.metres.shape == (JOINTS, 3)
    np.testing.assert_allclose(found.joints[0], [100, 50 + 32, 6.4], atol=1e-5)
    np.testing.assert_allclose(found.metres[0], [0, 0.5, 0.2], atol=1e-7)
    np.testing.assert_allclose([found.visibility[0], found.presence[0]], [0.75, 0.25], atol=1e-7)
    np.testing.assert_allclose([found.hips, found.reach], [(100, 50), (100 + 32, 50)], atol=1e-5)


def test_a_square_without_a_person_has_no_joints() -> None:
    assert body(*outputs(), heat(), 0.5, SQUARE) is None


def test_heat_counts_up_to_four_cells_away_in_each_direction() -> None:
    for away in range(-6, 7):
        for row, column in ((32 + away, 32), (32, 32 + away)):
            found = refined(points((0.5, 0.5)), heat((row, column, 0, 20.0)))[0, :2]
            expected = [column / 64, row / 64] if abs(away) <= 4 else [0.5, 0.5]
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_heat_of_one_half_is_enough_and_joints_outside_have_none() -> None:
    assert refined(points((0.5, 0.5)), heat((32, 33, 0, 0.0)))[0, 0] > 0.51
    for x, y in ((1.0, 0.5), (0.5, -0.01), (-0.01, 0.5), (0.5, 1.0)):
        row, column = (min(max(int(64 * place), 0), 63) for place in (y, x))
        np.testing.assert_array_equal(refined(points((x, y)), heat((row, column, 0, 20.0))), points((x, y)))
    found = refined(points((0.999, 0.0)), heat((2, 63, 0, 20.0)))
    np.testing.assert_allclose(found[0, :2], [63 / 64, 2 / 64], atol=1e-5)


def test_maps_of_heat_may_be_wider_than_high() -> None:
    wide = np.full((16, 32, OUTPUTS), COLD, np.float32)
    wide[9, 20, 0] = 20.0
    np.testing.assert_allclose(refined(points((0.6, 0.6)), wide)[0, :2], [20 / 32, 9 / 16], atol=1e-6)


def test_who_is_more_likely_there_than_not_is_there() -> None:
    assert body(*outputs(), heat(), 0.501, SQUARE) is not None
    assert body(*outputs(), heat(), math.nan, SQUARE) is None


def test_each_joint_has_its_own_numbers() -> None:
    """Upright square of the network's own size: places are the network's pixels."""
    landmarks = np.arange(5.0 * OUTPUTS, dtype=np.float32).reshape(OUTPUTS, 5) / 10
    metres = np.arange(3.0 * OUTPUTS, dtype=np.float32).reshape(OUTPUTS, 3)
    found = body(landmarks, metres, heat(), 0.9, Square(INPUT / 2, INPUT / 2, INPUT))
    assert found is not None
    np.testing.assert_allclose(found.joints, landmarks[:33, :3], atol=1e-4)
    np.testing.assert_allclose(found.metres, metres[:33])
    np.testing.assert_allclose(found.visibility, 1 / (1 + np.exp(-landmarks[:33, 3].astype(float))))
    np.testing.assert_allclose(found.presence, 1 / (1 + np.exp(-landmarks[:33, 4].astype(float))))
    np.testing.assert_allclose([found.hips, found.reach], landmarks[33:35, :2], atol=1e-4)
