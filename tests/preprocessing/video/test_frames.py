"""The door for video: exact frames in order, and parts of clips."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.video.clips import gradient, write_video
from vskd.errors import DataError
from vskd.preprocessing.video.depth import depth_to_grey
from vskd.preprocessing.video.frames import Span, read_frames, read_timed_frames
from vskd.preprocessing.video.probe import probe_video


def test_every_frame_in_order(video: Path) -> None:
    frames = list(read_frames(video, size=None))
    assert len(frames) == 15
    for number, frame in enumerate(frames):
        assert frame.shape == (48, 64, 3)
        assert frame.dtype == np.uint8
        assert np.abs(frame.astype(int) - gradient(number)).mean() < 4  # lossy codecs; the next frame is 10 away


def test_size_does_not_change_the_number_of_frames(video: Path) -> None:
    assert len(list(read_frames(video, size=20))) == len(list(read_frames(video, size=None)))


def test_a_span_gives_the_frames_that_begin_in_it(video: Path, tmp_path: Path) -> None:
    every, rate = list(read_frames(video, size=None)), probe_video(video).rate_hz
    some = list(read_frames(video, size=None, span=Span(3 / rate - 1e-4, 7 / rate - 1e-4, rate)))
    np.testing.assert_array_equal(np.stack(some), np.stack(every)[3:7])
    savemat(tmp_path / "depth.mat", {"d": np.arange(2000, 2060, 10, dtype=np.uint16) * np.ones((4, 4, 1), np.uint16)})
    timeless = list(read_frames(tmp_path / "depth.mat", size=None, span=Span(0.2, 0.4, 10.0), channels=1))
    assert [int(frame[0, 0, 0]) for frame in timeless] == [int(depth_to_grey(np.array(mm))) for mm in (2020, 2030)]
    with pytest.raises(DataError, match=r"no frame lies between 900 and 901 s\. Correct sync\.csv"):
        list(read_frames(video, size=None, span=Span(900, 901, rate)))


def test_frames_have_the_times_of_the_file(video: Path) -> None:
    timed = list(read_timed_frames(video, size=8, rate_hz=7.0))
    rate = probe_video(video).rate_hz
    np.testing.assert_allclose([time for time, _ in timed], np.arange(len(timed)) / rate, atol=1e-4)
    assert timed[0][1].shape == (8, 8, 1)


def test_frames_come_one_at_a_time(video: Path) -> None:
    clip = read_frames(video, size=None)
    first = next(clip)
    second = next(clip)
    assert not np.array_equal(first, second)
    clip.close()  # type: ignore[attr-defined]


def test_a_picture_size_that_changes_becomes_that_of_the_first_frame(tmp_path: Path) -> None:
    """Calls are recorded so. Two .ts files in a row are one."""
    small = write_video(tmp_path / "small.ts", [gradient(n) for n in range(5)])
    large = write_video(tmp_path / "large.ts", [gradient(n, 96, 128) for n in range(5)])
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    frames = list(read_frames(tmp_path / "both.ts", size=None))
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert len(frames) == 10


def test_real_clips_of_other_makers(shared_data: Path) -> None:
    folder = shared_data / "video-fixtures"
    if not folder.is_dir():
        pytest.skip("needs video-fixtures")
    for path in sorted(folder.iterdir()):
        frames = sum(1 for _ in read_frames(path, size=16))
        assert frames == probe_video(path).num_frames > 100
