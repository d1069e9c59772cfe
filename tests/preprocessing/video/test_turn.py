"""Marks of rotation: of matrices in closed form, and of real files against the mark of the same photo."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.preprocessing.video.clips import HEIGHT, WIDTH, marked, picture, remuxed, write_clip
from vskd.errors import DataError
from vskd.preprocessing.image.image_file import read_image
from vskd.preprocessing.video.frames import read_frames, read_stored_frames
from vskd.preprocessing.video.picture import upright
from vskd.preprocessing.video.probe import probe_video
from vskd.preprocessing.video.turn import UPRIGHT, Turn, turn_of_matrix

ORIENTATIONS = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""EXIF orientation of a photo -> the a, b, c and d of the same mark of a video."""


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    values = (a, b, 0, c, d, 0, 0, 0, 16384)
    return struct.pack("=9i", *(round(65536 * value) for value in values))


@pytest.mark.parametrize(("orientation", "mark"), ORIENTATIONS.items())
def test_pixels_go_where_the_matrix_says(orientation: int, mark: tuple[int, int, int, int]) -> None:
    """(p, q) is shown at (a p + c q, b p + d q), up to the shift that brings it back into the picture."""
    stored = np.arange(12, dtype=np.uint8).reshape(3, 4)
    a, b, c, d = mark
    q, p = np.mgrid[0:3, 0:4]
    across, down = a * p + c * q, b * p + d * q
    expected = np.zeros((np.ptp(down) + 1, np.ptp(across) + 1), np.uint8)
    expected[down - down.min(), across - across.min()] = stored
    np.testing.assert_array_equal(turn_of_matrix(matrix(*mark), Path("x")).apply(stored), expected)
    assert (turn_of_matrix(matrix(*mark), Path("x")) == UPRIGHT) == (orientation == 1)


@pytest.mark.parametrize("mark", [(0.7071, 0.7071, -0.7071, 0.7071), (1, 0.1, 0, 1), (0, 0, 0, 0)])
def test_what_is_no_quarter_turn_is_refused(mark: tuple[float, float, float, float]) -> None:
    if any(mark):
        with pytest.raises(DataError, match=r"^clip: its rotation mark .* is no quarter turn\. Convert"):
            turn_of_matrix(matrix(*mark), Path("clip"))
    else:  # a mark that was never filled in
        assert turn_of_matrix(matrix(*mark), Path("clip")) == UPRIGHT


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize(("orientation", "mark"), ORIENTATIONS.items())
def test_a_marked_video_looks_like_a_marked_photo(
    tmp_path: Path, ending: str, orientation: int, mark: tuple[int, int, int, int]
) -> None:
    path = marked(write_clip(tmp_path / "plain.mp4", 3), tmp_path / "marked.mp4", mark)
    path = path if ending == ".mp4" else remuxed(path, tmp_path / "marked.mkv")
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture(0)).save(tmp_path / "photo.png", exif=exif)
    photo = read_image(tmp_path / "photo.png", size=32, grey=False)
    frame = next(read_frames(path, size=32, fit="squash"))
    assert np.abs(frame.astype(int) - photo).mean() < 6  # the codec; a picture turned otherwise is 18 away
    stored, turn = next(iter(read_stored_frames(path)))
    assert stored.shape == (HEIGHT, WIDTH, 3)
    whole = next(read_frames(path, size=None))
    np.testing.assert_array_equal(whole, turn.apply(stored))
    shape = (WIDTH, HEIGHT) if mark[0] == 0 else (HEIGHT, WIDTH)
    assert whole.shape[:2] == shape
    assert (probe_video(path).height, probe_video(path).width) == (HEIGHT, WIDTH), "as stored"
    middle = next(read_frames(path, size=16))
    assert middle.shape == (16, 16, 3)


def test_centre_crop_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    """Of an odd rest the smaller half is cut off above and to the left of what is shown, marked or not."""
    path = marked(write_clip(tmp_path / "plain.mp4", 2), tmp_path / "turned.mp4", (0, 1, -1, 0))
    (whole, *_), (cut, *_) = (list(read_frames(path, size=size)) for size in (None, 48))
    np.testing.assert_array_equal(cut, whole[8:56])


def test_an_oblique_video_is_refused(tmp_path: Path) -> None:
    path = marked(write_clip(tmp_path / "plain.mp4", 2), tmp_path / "oblique.mp4", (0.7071, 0.7071, -0.7071, 0.7071))
    with pytest.raises(DataError, match=r"oblique\.mp4: its rotation mark"):
        list(read_frames(path, size=8))


@pytest.mark.parametrize(
    ("mark", "turn"),
    [
        ((1, 0.02, -0.02, 1), UPRIGHT),
        ((1, 0.021, 0, 1), None),
        ((1, 0, -0.021, 1), None),
        ((0.5, 0.02, 0, 1), None),
        ((1, 0, 0.02, 0.5), None),
        ((0.02, 1, -1, 0.02), Turn(True, True, False)),
        ((0.021, 1, -1, 0), None),
        ((0, 1, -1, -0.021), None),
        ((0.02, 0.5, -1, 0), None),
        ((0, -1, 0.5, 0.02), None),
        ((2, 0, 0, -0.5), Turn(False, False, True)),
        ((0, 1, 0, 0), None),
        ((0, 0, -1, 0), None),
    ],
)
def test_a_mark_may_be_off_by_a_fiftieth(mark: tuple[float, float, float, float], turn: Turn | None) -> None:
    """Of the smaller of the two numbers that say how it is turned; they need not be equal."""
    exact = struct.pack("=9i", *(round(50000 * value) for value in (mark[0], mark[1], 0, mark[2], mark[3], 0, 0, 0, 1)))
    if turn is not None:
        assert turn_of_matrix(exact, Path("clip")) == turn
        return
    with pytest.raises(DataError, match="is no quarter turn"):
        turn_of_matrix(exact, Path("clip"))


def test_a_camera_that_is_turned_within_a_clip_is_refused() -> None:
    frame, aside = np.zeros((4, 6, 3), np.uint8), Turn(swap=True)
    with pytest.raises(DataError, match=r"^clip: the camera was turned within the clip\. Cut it there"):
        upright(frame, aside, UPRIGHT, None, Path("clip"))
    assert upright(frame, aside, aside, None, Path("clip")).shape == (6, 4, 3)
    assert upright(frame, Turn(flip_rows=True), UPRIGHT, (2, 5), Path("clip")).shape == (2, 5, 3)
