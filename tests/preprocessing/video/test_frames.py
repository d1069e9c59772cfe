"""The door for video: exact frames, every kind of broken file, depth in mm, and which frames a segment takes."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.video.frames import depth_to_grey, probe_video, read_frames, segment_indices


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
