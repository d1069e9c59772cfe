"""The door for video: exact frames, every kind of broken file, depth in mm, and which frames a segment takes."""

import os
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.video.clips import CODECS, edited, with_cover_first, write_clip
from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.video.depth import depth_to_grey
from vskd.preprocessing.video.frames import Span, read_frames, read_timed_frames
from vskd.preprocessing.video.probe import probe_video
from vskd.preprocessing.video.segments import segment_indices


def gradient(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A grey picture that says its number by its brightness, with a ramp along the width."""
    ramp = np.linspace(0, 60, width) + 10 * number
    return np.broadcast_to(ramp.astype(np.uint8)[None, :, None], (height, width, 3)).copy()


def write_video(path: Path, pictures: list[np.ndarray], codec: str = "libx264", rate: int = 30) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2] if pictures else (48, 64)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(params=[("mp4", "libx264"), ("avi", "mjpeg"), ("avi", "libx264")], ids=["mp4", "mjpeg", "h264-avi"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    ending, codec = request.param
    return write_video(tmp_path / f"clip.{ending}", [gradient(n) for n in range(15)], codec)


def test_header(video: Path) -> None:
    info = probe_video(video)
    assert (info.num_frames, info.rate_hz, info.height, info.width) == (15, 30.0, 48, 64)


def test_every_frame_in_order(video: Path) -> None:
    frames = list(read_frames(video, size=None))
    assert len(frames) == 15
    for number, frame in enumerate(frames):
        assert frame.shape == (48, 64, 3)
        assert frame.dtype == np.uint8
        assert np.abs(frame.astype(int) - gradient(number)).mean() < 4  # lossy codecs; the next frame is 10 away


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


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi"])
@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(5000)])
def test_unreadable(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (probe_video, lambda path: list(read_frames(path, size=8))):
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            read(tmp_path / name)


def test_missing(tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.mat"):
        with pytest.raises(DataError, match=r"clip\.\w+: no such file"):
            list(read_frames(tmp_path / name, size=8))


def test_zero_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", [], "mjpeg")
    with pytest.raises(DataError, match=r"clip\.avi"):
        list(read_frames(path, size=8))


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.8])
def test_truncated(video: Path, fraction: float) -> None:
    """An .mp4 loses its index; an .avi decodes without a complaint as far as it goes, and must not pass for whole."""
    content = video.read_bytes()
    video.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(DataError, match=video.name.replace(".", r"\.")):
        list(read_frames(video, size=8))


def test_attached_pictures_are_no_video(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", 12)
    path = with_cover_first(plain, tmp_path / "cover.mp4")
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams.video] == ["png", "h264"]
    info = probe_video(path)
    assert (info.num_frames, info.height, info.width) == (12, 48, 64)
    for one, other in zip(read_frames(path, size=None), read_frames(plain, size=None), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cover_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path = with_cover_first(tmp_path / "sound.mp4", tmp_path / "song.mp4")
    for read in (probe_video, lambda path: list(read_frames(path, size=8))):
        with pytest.raises(DataError, match=r"song\.mp4: has only an attached picture"):
            read(path)


def test_what_an_edit_list_cuts_away_is_not_shown_and_not_missed(tmp_path: Path) -> None:
    """A phone trims a clip without encoding it anew: the second half of 60 frames remains, as the list says."""
    plain = write_clip(tmp_path / "plain.mp4", 60)
    frames = list(read_frames(edited(plain, tmp_path / "trimmed.mp4", 1.0, 1.0), size=None))
    assert len(frames) == 30
    for one, other in zip(frames, list(read_frames(plain, size=None))[30:], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("ending", [".avi", ".mkv", ".mov"])
def test_dropped_frames_are_not_missed(tmp_path: Path, ending: str) -> None:
    """An .avi counts them in its header; 20 of 58 are there."""
    path = write_clip(tmp_path / f"clip{ending}", 60, codec="mjpeg", keep=lambda number: number % 3 == 0)
    assert len(list(read_frames(path, size=8))) == 20


def test_frames_that_cannot_be_decoded_are_missed(tmp_path: Path) -> None:
    """The sizes are right and a third of the pictures is gone: what is left of a disc without power."""
    path = write_clip(tmp_path / "clip.avi", 60)
    content = bytearray(path.read_bytes())
    start, stop = len(content) // 3, 2 * len(content) // 3
    content[start:stop] = bytes(stop - start)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\.avi: (the video breaks off|only \d+ of its)"):
        list(read_frames(path, size=8))


def test_a_picture_size_that_changes_becomes_that_of_the_first_frame(tmp_path: Path) -> None:
    """Calls are recorded so. Two .ts files in a row are one."""
    small = write_video(tmp_path / "small.ts", [gradient(n) for n in range(5)])
    large = write_video(tmp_path / "large.ts", [gradient(n, 96, 128) for n in range(5)])
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    frames = list(read_frames(tmp_path / "both.ts", size=None))
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert len(frames) == 10


def test_a_play_list_does_not_reach_for_the_network(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://192.0.2.1/clip.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DataError, match=r"clip\.avi"):
        list(read_frames(path, size=8))


def test_names_and_titles_that_are_no_utf8_do_no_harm(tmp_path: Path) -> None:
    write_clip(tmp_path / "title.mkv", 5, title="Latin-ONE")
    content = (tmp_path / "title.mkv").read_bytes()
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))
    path.write_bytes(content.replace(b"Latin-ONE", b"Latin-\xd6\xd1\xc9"))
    assert len(list(read_frames(path, size=8))) == 5


def cut_offs(content: bytes) -> list[int]:
    """Lengths all over a file, more of them near its ends."""
    size = len(content)
    return sorted({*range(0, size, max(1, size // 40)), *(size - n for n in (1, 2, 3, 5, 8, 13, 40, 100)), 4, 12, 40})


@pytest.mark.parametrize("ending", CODECS)
@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}, {"movflags": "frag_keyframe+empty_moov"}])
def test_a_part_of_a_file_never_passes_for_the_whole(
    tmp_path: Path, ending: str, options: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Cut off anywhere, a clip is refused by name, or said to be one of which nobody can tell."""
    if options and ending not in (".mp4", ".mov"):
        pytest.skip("of .mp4 and .mov only")
    content = write_clip(tmp_path / f"whole{ending}", 45, options=options).read_bytes()
    path = tmp_path / f"cut{ending}"
    refused = 0
    for length in cut_offs(content):
        path.write_bytes(content[:length])
        caplog.clear()
        started = time.monotonic()
        try:
            count = sum(1 for _ in read_frames(path, size=8))
        except DataError as error:
            refused += path.name in str(error)
            continue
        finally:
            assert time.monotonic() - started < 10
        said = ("nothing in this file says how long it should be", "is it all there?")
        assert count == 45 or any(words in caplog.text for words in said), length
        assert ending not in (".mp4", ".mov", ".avi", ".mkv", ".webm") or count > 0.9 * 45, length
    assert refused > 5


def test_a_recorded_stream_that_states_its_duration_is_held_against_it(tmp_path: Path) -> None:
    """Segments of unknown size, as a camera leaves them that lost its power; one in ten of the time may be missing."""
    content = bytearray(write_clip(tmp_path / "whole.mkv", 60).read_bytes())
    place = content.index(b"\x18\x53\x80\x67") + 4
    content[place : place + 8] = b"\x01" + b"\xff" * 7
    path = tmp_path / "cut.mkv"
    path.write_bytes(content)
    assert len(list(read_frames(path, size=8))) == 60
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut\.mkv: it ends after [01]\.\d\d of the 2\.00 s that it states"):
        list(read_frames(path, size=8))


def test_sound_that_goes_on_is_not_a_missing_picture(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 30, sound_seconds=4)
    content = bytearray(path.read_bytes())
    place = content.index(b"\x18\x53\x80\x67") + 4
    content[place : place + 8] = b"\x01" + b"\xff" * 7
    path.write_bytes(content)
    assert len(list(read_frames(path, size=8))) == 30


@pytest.mark.parametrize("name", ["demo.mp4", "test.avi"])
def test_real_clips_cut_off_are_refused(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "video-fixtures" / name
    if not source.is_file():
        pytest.skip("needs video-fixtures")
    content = source.read_bytes()
    for fraction in (0.1, 0.5, 0.9, 0.99, 0.9999):
        (tmp_path / name).write_bytes(content[: int(fraction * len(content))])
        with pytest.raises(DataError, match=name):
            list(read_frames(tmp_path / name, size=8))


def test_a_real_mpeg_clip_is_read_and_said_to_state_no_length(
    shared_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = sorted((shared_data / "ucf11-sample").rglob("*.mpg"))
    if not found:
        pytest.skip("needs ucf11-sample")
    assert len(list(read_frames(found[0], size=8))) == 151
    assert "nothing in this file says how long it should be; 151 frames were found" in caplog.text
    (tmp_path / "cut.mpg").write_bytes(found[0].read_bytes()[:300_001])
    with pytest.raises(DataError, match=r"cut\.mpg is truncated: it ends within a packet"):
        list(read_frames(tmp_path / "cut.mpg", size=8))


def test_sound_without_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DataError, match="no video stream"):
        list(read_frames(tmp_path / "sound.mp4", size=8))


def test_pyav_absent_is_told_with_the_extra(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match="'av'"):
        list(read_frames(video, size=8))


def test_depth_to_grey_is_the_published_formula() -> None:
    """grey = 1 + 254 (mm - 1800) / 1600, clipped to 1..255; 0 = no reading."""
    depth = np.array([0, 1, 1799, 1800, 1801, 2600, 3399, 3400, 3401, 65535], np.uint16)
    wanted = [0, 1, 1, 1, 1, 128, 255, 255, 255, 255]
    assert depth_to_grey(depth).tolist() == wanted
    everywhere = np.arange(1, 65536, dtype=np.uint16)
    exact = np.clip(np.round(1 + 254 * (everywhere.astype(np.float64) - 1800) / 1600), 1, 255)
    np.testing.assert_array_equal(depth_to_grey(everywhere), exact)


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_depth_mat_goes_through_the_same_door(tmp_path: Path, dtype: type) -> None:
    depth = np.random.default_rng(0).integers(0, 4000, size=(24, 32, 5)).astype(dtype)
    savemat(tmp_path / "clip.mat", {"d_depth": depth})
    info = probe_video(tmp_path / "clip.mat", "d_depth")
    assert (info.num_frames, info.rate_hz, info.height, info.width) == (5, 0.0, 24, 32)
    frames = list(read_frames(tmp_path / "clip.mat", size=None, variable="d_depth"))
    assert len(frames) == 5
    for number, frame in enumerate(frames):
        grey = depth_to_grey(depth[:, :, number])
        assert frame.shape == (24, 32, 3)
        for channel in range(3):
            np.testing.assert_array_equal(frame[..., channel], grey)
    assert next(read_frames(tmp_path / "clip.mat", size=8)).shape == (8, 8, 3)


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 0), (2, 3, 4, 5)])
def test_depth_of_another_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    savemat(tmp_path / "clip.mat", {"d_depth": np.ones(shape, np.uint16)})
    for read in (probe_video, lambda path: list(read_frames(path, size=8))):
        with pytest.raises(DataError, match=r"clip\.mat"):
            read(tmp_path / "clip.mat")


def test_the_two_real_depth_sources_agree(utd_mhad_root: Path) -> None:
    """The videos were made from the .mat files, by a lossy codec."""
    if not (utd_mhad_root / "Depth").is_dir():
        pytest.skip("needs original depth .mat files")
    for recording in ("a1_s1_t1", "a27_s1_t1"):
        original = list(read_frames(utd_mhad_root / "Depth" / f"{recording}_depth.mat", size=64))
        video = list(read_frames(utd_mhad_root / "DepthVideo" / f"{recording}_depth.mp4", size=64))
        assert len(original) == len(video)
        assert len(original) == probe_video(utd_mhad_root / "Depth" / f"{recording}_depth.mat", "d_depth").num_frames
        assert np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(original, video, strict=True)]) < 3
        shifted = [np.abs(a.astype(int) - b).mean() for a, b in zip(original[:-5], video[5:], strict=True)]
        same = [np.abs(a.astype(int) - b).mean() for a, b in zip(original[:-5], video[:-5], strict=True)]
        assert np.mean(same) < np.mean(shifted)  # the frames are in step


def test_real_clips_of_other_makers(shared_data: Path) -> None:
    folder = shared_data / "video-fixtures"
    if not folder.is_dir():
        pytest.skip("needs video-fixtures")
    for path in sorted(folder.iterdir()):
        frames = sum(1 for _ in read_frames(path, size=16))
        assert frames == probe_video(path).num_frames > 100


@pytest.mark.parametrize("segments", [1, 3, 8])
@pytest.mark.parametrize("frames", [1, 5, 8, 9, 76, 1000])
def test_segments_random_and_middle(frames: int, segments: int) -> None:
    edges = [k * frames // segments for k in range(segments + 1)]
    middle = segment_indices(frames, segments, None)
    assert middle.dtype == np.int64
    assert np.array_equal(middle, segment_indices(frames, segments, None))
    generator = np.random.default_rng(0)
    drawn = np.stack([segment_indices(frames, segments, generator) for _ in range(200)])
    for k in range(segments):
        inside = set(range(edges[k], max(edges[k + 1], edges[k] + 1)))
        assert middle[k] in inside
        assert set(drawn[:, k]) <= inside
        if len(inside) <= 10:
            assert set(drawn[:, k]) == inside  # every frame has its turn
        assert abs(int(middle[k]) - (min(inside) + max(inside)) / 2) <= 0.5
    assert (np.diff(drawn, axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("frames", "segments", "expected"),
    [(12, 3, [1, 5, 9]), (15, 3, [2, 7, 12]), (9, 5, [0, 1, 3, 5, 7]), (2, 4, [0, 0, 1, 1])],
)
def test_of_two_middle_frames_the_earlier_is_taken(frames: int, segments: int, expected: list[int]) -> None:
    assert segment_indices(frames, segments, None).tolist() == expected


def test_segments_are_those_of_the_seed() -> None:
    first = segment_indices(76, 8, np.random.default_rng(3))
    assert np.array_equal(first, segment_indices(76, 8, np.random.default_rng(3)))
    assert not np.array_equal(first, segment_indices(76, 8, np.random.default_rng(4)))


@pytest.mark.parametrize(("frames", "segments"), [(0, 8), (5, 0), (-1, 1)])
def test_no_frames_or_segments(frames: int, segments: int) -> None:
    with pytest.raises(DataError, match=f"{segments} segments of a clip of {frames} frames"):
        segment_indices(frames, segments, None)
