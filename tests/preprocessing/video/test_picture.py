"""How a frame becomes as large as it should be."""

import gc
from pathlib import Path

import av
import numpy as np
import pytest

from tests.preprocessing.video.clips import gradient, write_video
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.picture import Scaler, both, middle, scaled, stored, turn_of
from vskd.preprocessing.video.turn import UPRIGHT, Turn


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 31, 48, 100])
def test_centre_crop_keeps_the_middle_and_squash_the_whole(tmp_path: Path, size: int, channels: int) -> None:
    """Columns carry their own brightness: a crop of 48 of 64 columns lacks the 8 on either side."""
    video = write_video(tmp_path / "clip.mp4", [gradient(5)] * 3)
    for fit, first, last in (("centre-crop", 8, 55), ("squash", 0, 63)):
        frame = next(read_frames(video, size=size, channels=channels, fit=fit))  # type: ignore[arg-type]
        assert frame.shape == (size, size, channels)
        ends = frame[size // 2, [0, -1], 0].astype(int)
        assert np.abs(ends - gradient(5)[0, [first, last], 0]).max() <= 5


def test_shrinking_averages(tmp_path: Path) -> None:
    """Single lines, of which sampling would take all or none, become an even grey."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[::2] = 200
    frame = next(read_frames(write_video(tmp_path / "clip.mp4", [picture] * 2), size=16))
    assert np.abs(frame.astype(int) - 100).max() < 25


def test_what_was_scaled_before_does_not_matter() -> None:
    """Frames of other sizes, formats and targets in between: each is what the library alone makes of it."""
    random, scaler = np.random.default_rng(0), Scaler()
    for height, width, edge, channels in ((48, 64, 16, 3), (24, 32, 16, 3), (48, 64, 31, 1), (48, 64, 16, 3)):
        picture = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for format in ("yuv420p", "rgb24"):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=format)
            colours = "gray" if channels == 1 else "rgb24"
            alone = frame.to_ndarray(format=colours, width=edge, height=edge, interpolation="AREA", threads=1)
            found = scaler.to_array(frame, (edge, edge), channels)  # type: ignore[arg-type]
            np.testing.assert_array_equal(found, alone.reshape(edge, edge, channels))


@pytest.mark.parametrize(
    ("size", "cut", "squashed"),
    [
        ((24, 32), (24, 32), (24, 32)),
        ((24, 24), (24, 32), (24, 24)),
        ((10, 32), (24, 32), (10, 32)),
        ((48, 20), (48, 64), (48, 20)),
        ((31, 31), (31, 41), (31, 31)),
        ((7, 11), (8, 11), (7, 11)),
        ((50, 90), (68, 90), (50, 90)),
    ],
)
def test_a_frame_is_scaled_until_it_covers_the_size(
    size: tuple[int, int], cut: tuple[int, int], squashed: tuple[int, int]
) -> None:
    """Of 48 x 64 pixels."""
    frame = av.VideoFrame(64, 48, "rgb24")
    assert (scaled(frame, size, "centre-crop"), scaled(frame, size, "squash")) == (cut, squashed)


def test_of_an_odd_rest_the_smaller_half_is_above_and_left() -> None:
    picture = np.arange(7 * 10, dtype=np.uint8).reshape(7, 10)
    assert middle(picture, (4, 7)).tolist() == picture[1:5, 1:8].tolist()
    assert middle(picture, 2).tolist() == picture[2:4, 4:6].tolist()
    assert middle(picture, (7, 10)).tolist() == picture.tolist()


def test_sizes_of_squares_and_of_what_is_stored_aside() -> None:
    assert both(5) == (5, 5) and both((5, 7)) == (5, 7)
    assert (
        stored((5, 7), Turn()) == (5, 7) and stored((5, 7), Turn(swap=True)) == (7, 5) and stored(4, Turn()) == (4, 4)
    )


def test_a_frame_is_freed_at_once(tmp_path: Path) -> None:
    """Not when the garbage collector comes by: until then megabytes of pictures would pile up."""
    path = write_video(tmp_path / "clip.mpg", [gradient(5)] * 4, codec="mpeg1video")
    gc.collect()
    gc.disable()
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                assert turn_of(frame, path) == UPRIGHT
        del frame, container
        assert not [found for found in gc.get_objects() if isinstance(found, av.VideoFrame)]
    finally:
        gc.enable()
