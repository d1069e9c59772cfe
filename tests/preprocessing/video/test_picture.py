"""How a frame becomes as large as it should be."""

from pathlib import Path

import numpy as np
import pytest

from tests.preprocessing.video.clips import gradient, write_video
from vskd.preprocessing.video.frames import read_frames


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
