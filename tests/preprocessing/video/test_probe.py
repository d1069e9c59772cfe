"""What headers say."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.video.clips import CODECS, write_clip
from vskd.errors import DataError
from vskd.preprocessing.video.probe import probe_video


def test_header(video: Path) -> None:
    info = probe_video(video)
    assert (info.path, info.num_frames, info.rate_hz, info.height, info.width) == (video, 15, 30.0, 48, 64)


@pytest.mark.parametrize("ending", sorted(CODECS.keys() - {".mpg"}))  # its duration is a guess
def test_a_header_without_a_count_gives_duration_times_rate(tmp_path: Path, ending: str) -> None:
    info = probe_video(write_clip(tmp_path / f"clip{ending}", 45))
    assert info.num_frames == 45
    assert (info.rate_hz, info.height, info.width) == (30.0, 48, 64)


def test_a_stream_that_states_nothing_has_no_count(tmp_path: Path) -> None:
    assert probe_video(write_clip(tmp_path / "clip.mkv", 45, options={"live": "1"})).num_frames == 0


def test_of_depth_the_array_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "clip.MAT"
    savemat(path, {"other": np.ones((7, 8, 9)), "d_depth": np.ones((24, 32, 5), np.uint16), "flat": np.ones((4, 4))})
    info = probe_video(path, "d_depth")
    assert (info.path, info.num_frames, info.rate_hz, info.height, info.width) == (path, 5, 0.0, 24, 32)
    with pytest.raises(DataError, match=r"clip\.MAT: a depth clip must be \(height, width, frames\), got shape"):
        probe_video(path, "flat")


def test_a_header_has_plain_numbers(video: Path, tmp_path: Path) -> None:
    for info in (probe_video(video), probe_video(write_clip(tmp_path / "clip.mkv", 44))):
        assert type(info.rate_hz) is float
        assert {type(number) for number in (info.num_frames, info.height, info.width)} == {int}
