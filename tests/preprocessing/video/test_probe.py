"""What headers say."""

from pathlib import Path

from vskd.preprocessing.video.probe import probe_video


def test_header(video: Path) -> None:
    info = probe_video(video)
    assert (info.num_frames, info.rate_hz, info.height, info.width) == (15, 30.0, 48, 64)
