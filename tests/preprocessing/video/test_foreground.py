"""The square around the figure, in closed form."""

import numpy as np
import pytest

from vskd.preprocessing.video.foreground import crop_to_foreground, foreground_square

MARGIN, THRESHOLD = 0.03, 16


def clip(frames: int = 10, height: int = 60, width: int = 80, channels: int = 1) -> np.ndarray:
    return np.zeros((frames, height, width, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_square_holds_the_figure_and_is_centred_on_it(channels: int) -> None:
    frames = clip(channels=channels)
    frames[:, 10:50, 20:36] = 200  # 40 high, 16 wide
    top, left, edge = foreground_square(frames)
    assert edge == round(40 * (1 + 2 * MARGIN))
    assert top <= 10 and top + edge >= 50
    assert abs((left + edge / 2) - 28) <= 1
    assert abs((top + edge / 2) - 30) <= 1


def test_square_holds_every_place_the_figure_goes() -> None:
    frames = clip()
    for number in range(10):
        frames[number, 20:30, 5 * number : 5 * number + 10] = 200
    _, left, edge = foreground_square(frames)
    assert left <= 0 and left + edge >= 55


@pytest.mark.parametrize("value", [0, THRESHOLD])
def test_noise_is_no_figure(value: int) -> None:
    """Where nothing stands out, it is the middle square."""
    frames = clip()
    frames[:] = value
    assert foreground_square(frames) == (0, 10, 60)


def test_isolated_flicker_does_not_move_it() -> None:
    frames = clip(frames=100)
    frames[:, 10:50, 20:36] = 200
    wanted = foreground_square(frames)
    frames[0, 0, 79] = frames[1, 59, 0] = 255  # in one frame of a hundred each
    assert foreground_square(frames) == wanted
    frames[:, 0, 79] = 255  # always, but a single pixel
    assert foreground_square(frames) == wanted


@pytest.mark.parametrize("channels", [1, 3])
def test_crop_cuts_the_same_square_from_every_frame(channels: int) -> None:
    frames = clip(channels=channels)
    frames[:, 10:50, 20:60] = 200
    frames[:, 20:40, 30:50] = np.arange(10, dtype=np.uint8)[:, None, None, None]
    top, left, edge = foreground_square(frames)
    cropped = crop_to_foreground(frames, edge)  # at its own size nothing is interpolated
    assert cropped.shape == (10, edge, edge, channels)
    assert cropped.dtype == np.uint8
    np.testing.assert_array_equal(cropped, frames[:, top : top + edge, left : left + edge])


def test_a_square_beyond_the_picture_is_filled_with_no_reading() -> None:
    frames = clip()
    frames[:, :, 0:10] = 200  # full height at the left border: the square reaches out on three sides
    top, left, edge = foreground_square(frames)
    assert top < 0 and left < 0 and top + edge > 60
    cropped = crop_to_foreground(frames, edge)
    assert not cropped[:, :, :-left].any()
    assert (cropped[:, -top : -top + 60, -left : -left + 10] == 200).all()


def test_crop_resizes() -> None:
    frames = clip()
    frames[:, 10:50, 20:60] = 200
    cropped = crop_to_foreground(frames, 16)
    assert cropped.shape == (10, 16, 16, 1)
    assert (cropped[:, 4:12, 4:12] == 200).all()


@pytest.mark.parametrize(
    ("rows", "columns", "square"),
    [
        ((10, 50), (20, 36), (9, 7, 42)),
        ((10, 26), (20, 60), (-3, 19, 42)),
        ((10, 12), (20, 22), (10, 20, 2)),  # two pixels either way
        ((10, 11), (20, 40), (0, 10, 60)),  # a single row: noise, so that it is the middle of the picture
        ((10, 40), (20, 21), (0, 10, 60)),
    ],
)
def test_the_square_in_numbers(rows: tuple[int, int], columns: tuple[int, int], square: tuple[int, int, int]) -> None:
    frames = clip()
    frames[:, slice(*rows), slice(*columns)] = THRESHOLD + 1
    assert foreground_square(frames) == square


def test_the_middle_of_an_upright_picture() -> None:
    assert foreground_square(clip(height=80, width=50)) == (15, 0, 50)


@pytest.mark.parametrize(("frames", "counts"), [(1, False), (2, False), (3, True)])
def test_a_pixel_counts_that_is_lit_in_more_than_a_fiftieth_of_the_frames(frames: int, counts: bool) -> None:
    shown = clip(frames=100)
    shown[:, 10:50, 20:36] = 200
    shown[:frames, 10:20, 60:80] = 200
    edge = foreground_square(shown)[2]
    assert edge == (round(60 * 1.06) if counts else round(40 * 1.06))


def test_the_brightest_channel_counts() -> None:
    shown = clip(channels=3)
    for channel, columns in enumerate((slice(10, 20), slice(20, 30), slice(30, 50))):
        shown[:, 5:15, columns, channel] = 200
    assert foreground_square(shown)[2] == round(40 * 1.06)
