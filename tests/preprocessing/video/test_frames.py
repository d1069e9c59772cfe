"""The door for video: exact frames in order, and parts of clips."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.video.clips import gradient, write_video
from vskd.errors import DataError
from vskd.preprocessing.video.depth import depth_to_grey
from vskd.preprocessing.video.frames import Span, no_frames, read_frames, read_stored_frames, read_timed_frames, within
from vskd.preprocessing.video.probe import probe_video
from vskd.preprocessing.video.turn import UPRIGHT


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


def depth_file(path: Path) -> Path:
    """Depth of 2000, 2100, ... mm in six frames of 4 x 6 pixels, whose left half is farther; and another array."""
    depth = np.full((4, 6, 6), 2000.0) + 100 * np.arange(6)
    depth[:, :3] += 300
    savemat(path, {"other": np.full((4, 6, 2), 3000.0), "d": depth})
    return path


def grey(mm: float) -> int:
    return int(depth_to_grey(np.array(mm)))


@pytest.mark.parametrize(
    ("span", "numbers"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        (Span(0.0, 0.1, 10.0), [0]),
        (Span(0.2, 0.4, 10.0), [2, 3]),
        (Span(0.2, 0.4, 20.0), [4, 5]),
        (Span(-1.0, 9.0, 10.0), [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_span_holds_its_start_and_not_its_end(tmp_path: Path, span: Span | None, numbers: list[int]) -> None:
    path = depth_file(tmp_path / "clip.MAT")
    found = list(read_frames(path, size=None, variable="d", span=span, channels=1))
    assert [int(frame[0, -1, 0]) for frame in found] == [grey(2000 + 100 * number) for number in numbers]
    assert len(list(within(path, "d", span, 1))) == len(numbers)


def test_timed_frames_are_whole_grey_squares_at_the_rate_that_is_told(tmp_path: Path) -> None:
    timed = list(read_timed_frames(depth_file(tmp_path / "clip.mat"), size=6, rate_hz=4.0, variable="d"))
    assert [time for time, _ in timed] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]
    for number, (_, frame) in enumerate(timed):
        assert frame.shape == (6, 6, 1)
        assert abs(int(frame[0, 0, 0]) - grey(2300 + 100 * number)) <= 2
        assert abs(int(frame[0, -1, 0]) - grey(2000 + 100 * number)) <= 2
    timeless = list(read_timed_frames(depth_file(tmp_path / "clip.mat"), size=6, rate_hz=0.0, variable="other"))
    assert [time for time, _ in timeless] == [0.0, 0.0]


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    """A transport stream begins at 1.4 s."""
    path = write_video(tmp_path / "clip.ts", [gradient(n) for n in range(5)])
    times = [time for time, _ in read_timed_frames(path, size=8, rate_hz=7.0)]
    np.testing.assert_allclose(times, np.arange(5) / 30, atol=1e-4)


def test_a_clip_without_frames_is_told_as_such() -> None:
    assert str(no_frames(Path("clip.mp4"), None)).startswith("clip.mp4: the video has no frames. The file is truncated")
    told = str(no_frames(Path("clip.mp4"), Span(0.25, 1.5, 30.0)))
    assert told == "clip.mp4: no frame lies between 0.25 and 1.5 s. Correct sync.csv."


def test_stored_frames_are_whole_and_in_colour(video: Path) -> None:
    stored = list(read_stored_frames(video))
    assert len(stored) == 15 and {turn for _, turn in stored} == {UPRIGHT}
    for (one, _), other in zip(stored, read_frames(video, size=None), strict=True):
        np.testing.assert_array_equal(one, other)
