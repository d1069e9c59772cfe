"""Squares: turned upright about a person, cut out pixel for pixel, and their points put back."""

import math

import numpy as np
import pytest

from vskd.preprocessing.video.pose_geometry import Square, about_person, cut, turned, whole

FRACTIONS, ROOM = 32, 1.25

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("degrees", [0, 30, 90, -120, 179])
def test_a_person_is_upright_in_the_square(degrees: float) -> None:
    """The head is above the hips in the square, however the person lies in the picture."""
    angle, hips = math.radians(degrees), np.array([40.0, 25.0])
    up = np.array([math.sin(angle), -math.cos(angle)])  # a person turned clockwise by `degrees`
    square = about_person(hips, hips + 10 * up)
    assert square is not None
    assert math.isclose(square.angle, angle, abs_tol=1e-9) and math.isclose(square.edge, 2 * 10 * ROOM)
    head = square.to_picture(np.array([[0.5, 0.5 - 10 / square.edge]]))[0]
    np.testing.assert_allclose(head, hips + 10 * up, atol=1e-9)


def test_two_equal_points_are_no_person() -> None:
    assert about_person(np.zeros(2), np.zeros(2)) is None


def test_points_go_back_by_complex_numbers() -> None:
    square, points = Square(7.0, -3.0, 12.0, 0.7), RNG.random((5, 3))
    flat = (points[:, 0] - 0.5 + 1j * (points[:, 1] - 0.5)) * 12 * np.exp(0.7j) + 7 - 3j
    expected = np.column_stack([flat.real, flat.imag, 12 * points[:, 2]])
    np.testing.assert_allclose(square.to_picture(points), expected)
    np.testing.assert_allclose(turned(turned(points, 0.7), -0.7), points)


def test_the_square_of_a_whole_picture() -> None:
    assert whole(PICTURE) == Square(15.0, 10.0, 30.0)


def test_a_square_of_whole_pixels_is_the_picture_itself() -> None:
    np.testing.assert_array_equal(cut(PICTURE, Square(8.0, 9.0, 8.0), 8, "black"), PICTURE[5:13, 4:12])


def test_quarter_turns_are_those_of_numpy() -> None:
    """Turned by 90 degrees, the square's right is the picture's down."""
    found = cut(PICTURE, Square(8.0, 9.0, 8.0, math.pi / 2), 8, "black")
    expected = np.stack([[PICTURE[9 - 4 + i, 8 + 4 - j] for i in range(8)] for j in range(8)])
    np.testing.assert_array_equal(found, expected)


def naive(picture: np.ndarray, square: Square, size: int, outside: str) -> np.ndarray:
    """Pixel by pixel, in real numbers."""
    result = np.zeros((size, size, picture.shape[2]))

    def at(x: int, y: int) -> np.ndarray:
        inside = 0 <= x < picture.shape[1] and 0 <= y < picture.shape[0]
        if outside == "black" and not inside:
            return np.zeros(picture.shape[2])
        return picture[min(max(y, 0), picture.shape[0] - 1), min(max(x, 0), picture.shape[1] - 1)].astype(float)

    for row in range(size):
        for column in range(size):
            x, y = square.to_picture(np.array([[column / size, row / size]]))[0]
            left, top = math.floor(x), math.floor(y)
            p, q = x - left, y - top
            result[row, column] = (1 - q) * ((1 - p) * at(left, top) + p * at(left + 1, top)) + q * (
                (1 - p) * at(left, top + 1) + p * at(left + 1, top + 1)
            )
    return result


@pytest.mark.parametrize("outside", ["black", "edge"])
def test_cut_against_a_loop_over_pixels(outside: str) -> None:
    """Places are whole 32nds of a pixel: no value is off by more than two such steps and the rounding."""
    smooth = np.clip(np.add.outer(4.0 * np.arange(20), 3.0 * np.arange(30))[..., None] + [0, 20, 40], 0, 255)
    picture, square = smooth.astype(np.uint8), Square(14.3, 11.1, 31.0, -0.4)
    found, expected = cut(picture, square, 24, outside), naive(picture, square, 24, outside)  # type: ignore[arg-type]
    assert found.dtype == np.uint8
    inside = naive(np.full_like(picture, 255), square, 24, "black") == 255
    assert np.abs(found - expected)[inside].max() <= (4 + 3) / (2 * FRACTIONS) + 0.5
    assert np.abs(found - expected).max() <= 255 / FRACTIONS + 0.5
    assert (~inside).any()


def test_a_square_is_of_plain_numbers() -> None:
    square = about_person(np.array([40.0, 25.0]), np.array([37.0, 21.0]))
    assert square is not None and {type(v) for v in (square.x, square.y, square.edge, square.angle)} == {float}
    assert (square.x, square.y, square.edge) == (40.0, 25.0, 2 * ROOM * 5)
