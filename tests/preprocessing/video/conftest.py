"""A small clip of several kinds."""

from pathlib import Path

import pytest

from tests.preprocessing.video.clips import gradient, write_video


@pytest.fixture(params=[("mp4", "libx264"), ("avi", "mjpeg"), ("avi", "libx264")], ids=["mp4", "mjpeg", "h264-avi"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    ending, codec = request.param
    return write_video(tmp_path / f"clip.{ending}", [gradient(n) for n in range(15)], codec)
