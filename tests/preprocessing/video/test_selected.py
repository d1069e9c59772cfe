"""Chosen frames are those of a decoder that is shown everything, bit by bit; and where damage is looked for."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.video.clips import edited, remuxed, write_clip
from vskd.errors import DataError
from vskd.preprocessing.video import decode, selected
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.picture import ResizeFit
from vskd.preprocessing.video.sampling import clip_indices
from vskd.preprocessing.video.selected import read_chosen_frames

FRAMES, SIZE = 41, 32
CODECS = [
    (".mpg", "mpeg1video"),
    (".mpg", "mpeg2video"),
    (".mkv", "mpeg2video"),
    (".ts", "mpeg2video"),
    (".avi", "mpeg4"),
    (".mkv", "mpeg4"),
    (".mp4", "libx264"),
    (".avi", "libx264"),
    (".avi", "mjpeg"),
]
CHOICES = [(16, "spread"), (3, "spread"), (1, "spread"), (50, "spread"), (16, "reference")]


def scene(number: int) -> np.ndarray:
    """A backdrop that moves, so that no two frames are alike."""
    backdrop = np.kron(np.random.default_rng(0).integers(0, 255, (16, 30, 3)), np.ones((4, 4, 1)))
    return np.ascontiguousarray(backdrop[: 2 * 24, number : number + 64].astype(np.uint8))


def write(path: Path, codec: str, group: int = 12, between: int = 0, *, closed: bool = False) -> Path:
    """A clip with key frames `group` frames apart and up to `between` B pictures in a row."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = 48, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = group, between
        if codec == "libx264":
            stream.options = {"x264-params": f"keyint={group}:open-gop={int(not closed)}:bframes={between}"}
        elif closed:
            stream.options = {"flags": "+cgop", "sc_threshold": "1000000000"}  # as its encoder demands
        for number in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(number), format="rgb24")))
        container.mux(stream.encode())
    return path


def everything(path: Path) -> np.ndarray:
    """All frames as the library's own loop gives them."""
    with av.open(str(path)) as container:
        return np.stack(
            [
                frame.to_ndarray(format="rgb24", width=SIZE, height=SIZE, interpolation="AREA")
                for frame in container.decode(video=0)
            ]
        )


def chosen(path: Path, length: int, sampling: str, **how: object) -> tuple[np.ndarray, int]:
    return read_chosen_frames(
        path,
        lambda count: clip_indices(count, length, sampling, 1),  # type: ignore[arg-type]
        size=SIZE,
        fit="squash",
        **how,  # type: ignore[arg-type]
    )


def assert_those_of_the_whole(path: Path) -> None:
    whole = everything(path)
    for length, sampling in CHOICES:
        frames, count = chosen(path, length, sampling)
        assert count == len(whole)
        indices = np.minimum(clip_indices(count, length, sampling, 1), count - 1)  # type: ignore[arg-type]
        here = clip_indices(count, length, sampling, 1) < count  # type: ignore[arg-type]
        np.testing.assert_array_equal(frames[here], whole[indices][here])


@pytest.mark.parametrize(("group", "between"), [(1, 0), (5, 0), (12, 2), (300, 2)])
@pytest.mark.parametrize(("ending", "codec"), CODECS)
def test_they_are_those_of_the_whole_clip(tmp_path: Path, ending: str, codec: str, group: int, between: int) -> None:
    """B pictures before a key picture are made from the group before it, too: the groups are open."""
    path = write(tmp_path / f"clip{ending}", codec, group, between if codec != "mjpeg" else 0)
    assert len(np.unique(everything(path).reshape(FRAMES, -1), axis=0)) == FRAMES
    assert_those_of_the_whole(path)


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video", "libx264"])
def test_closed_groups(tmp_path: Path, codec: str) -> None:
    assert_those_of_the_whole(write(tmp_path / "clip.mkv", codec, 7, 2, closed=True))


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video", "libx264"])
def test_a_clip_that_begins_within_another(tmp_path: Path, codec: str) -> None:
    """The pictures before its first key picture lack what they are made from, and are not shown."""
    path = write(tmp_path / "whole.mkv", codec, 12, 2)
    with av.open(str(path)) as container:
        keys = [packet.dts for packet in container.demux(video=0) if packet.is_keyframe]
    part = tmp_path / "part.mkv"
    with av.open(str(path)) as source, av.open(str(part), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.dts >= keys[1]:
                packet.stream = stream
                target.mux(packet)
    whole = everything(part)
    frames, count = chosen(part, 5, "spread")
    assert count == len(whole) < FRAMES
    np.testing.assert_array_equal(frames, whole[clip_indices(count, 5, "spread", 1)])


@pytest.fixture
def mpeg(tmp_path: Path) -> Path:
    return write(tmp_path / "clip.mpg", "mpeg1video", 8)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files of which every frame was decoded."""
    seen: list[Path] = []

    def spy(path: Path, *others: object) -> object:
        seen.append(path)
        return original(path, *others)

    original: Callable[..., object] = selected.decode_packets
    monkeypatch.setattr(selected, "decode_packets", spy)
    return seen


def test_only_what_is_needed_is_decoded_unless_all_is_to_be_checked(mpeg: Path, decoded: list[Path]) -> None:
    used = chosen(mpeg, 4, "spread")
    assert not decoded
    full = chosen(mpeg, 4, "spread", check="full")
    assert decoded == [mpeg]
    np.testing.assert_array_equal(used[0], full[0])


def test_damage_where_no_frame_is_used_is_found_by_a_full_check(mpeg: Path) -> None:
    """The middle frame is alone in its group. Of another group a picture's own bits are turned around."""
    content = bytearray(mpeg.read_bytes())
    with av.open(str(mpeg)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    place = content.index(packets[33][-24:])
    content[place : place + 20] = bytes(byte ^ 0x5A or 1 for byte in content[place : place + 20])
    mpeg.write_bytes(content)
    chosen(mpeg, 1, "spread")
    for length, check in ((1, "full"), (FRAMES, "used")):
        with pytest.raises(DataError, match=r"clip\.mpg: (\d+ of its \d+ frames are damaged|the video breaks off)"):
            chosen(mpeg, length, "spread", check=check)


def test_what_can_be_seen_without_decoding_is_found_in_every_frame(mpeg: Path) -> None:
    content = bytearray(mpeg.read_bytes())
    with av.open(str(mpeg)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    place = content.index(packets[33][-24:])
    content[place : place + 12] = bytes(12)
    mpeg.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\.mpg"):
        chosen(mpeg, 1, "spread")


def test_a_recorded_stream_is_held_against_its_stated_duration_without_decoding(
    tmp_path: Path, decoded: list[Path]
) -> None:
    """The size of its segment, 8 bytes, is unknown as in a stream; its duration of 1.64 s is stated."""
    content = bytearray(write(tmp_path / "whole.mkv", "mpeg2video", 8).read_bytes())
    size = content.index(b"\x18\x53\x80\x67") + 4
    content[size : size + 8] = b"\x01" + b"\xff" * 7
    path = tmp_path / "cut.mkv"
    path.write_bytes(content)
    assert chosen(path, 3, "spread")[1] == FRAMES
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut\.mkv: it ends after [01]\.\d\d of the 1\.64 s that it states"):
        chosen(path, 3, "spread")
    assert decoded == []


@pytest.mark.parametrize("ending", [".mpg", ".mkv", ".mp4"])
def test_a_file_too_large_to_be_held_is_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[Path], ending: str
) -> None:
    path = write(tmp_path / "clip.mpg", "mpeg1video", 8)
    path = path if ending == ".mpg" else remuxed(path, tmp_path / f"clip{ending}")
    held = chosen(path, 6, "spread")
    assert selected.HELD_BYTES == 64 * 1024**2
    monkeypatch.setattr(selected, "HELD_BYTES", 1000)
    np.testing.assert_array_equal(chosen(path, 6, "spread")[0], held[0])
    assert not decoded, "it was read by the sequential reader"


def test_real_clips(shared_data: Path) -> None:
    paths = [*(shared_data / "ucf11-sample").rglob("*.mpg"), *(shared_data / "video-fixtures").glob("test.avi")]
    if not paths:
        pytest.skip("needs ucf11-sample or video-fixtures")
    for path in paths:
        assert_those_of_the_whole(path)


def depth_file(path: Path) -> Path:
    depth = np.full((6, 9, 8), 2000.0) + 100 * np.arange(8)
    depth[:, :3] += 400
    savemat(path, {"other": np.full((6, 9, 2), 3000.0), "d": depth})
    return path


@pytest.mark.parametrize("fit", ["centre-crop", "squash"])
@pytest.mark.parametrize("span", [None, Span(0.2, 0.7, 10.0)])
def test_of_depth_the_array_and_the_part_that_are_named(tmp_path: Path, span: Span | None, fit: ResizeFit) -> None:
    path, size = depth_file(tmp_path / "clip.MAT"), (4, 5)
    everything = list(read_frames(path, size=size, variable="d", fit=fit, span=span))
    frames, count = read_chosen_frames(
        path, lambda count: np.array([2, 0, 2]), size=size, variable="d", fit=fit, span=span
    )
    assert count == len(everything) == (8 if span is None else 5)
    np.testing.assert_array_equal(frames, np.stack([everything[number] for number in (2, 0, 2)]))


def test_frames_beyond_the_end_are_zero_and_no_part_has_none(tmp_path: Path) -> None:
    path = depth_file(tmp_path / "clip.mat")
    frames, _ = read_chosen_frames(path, lambda count: np.array([7, 8]), size=(4, 5), variable="d")
    assert frames.shape == (2, 4, 5, 3) and frames[0].all() and not frames[1].any()
    with pytest.raises(DataError, match=r"no frame lies between 5 and 6 s\. Correct sync\.csv"):
        read_chosen_frames(path, lambda count: np.arange(count), size=4, variable="d", span=Span(5, 6, 10))


@pytest.mark.parametrize("name", ["clip.mpg", "clip.mkv", "clip.mp4"])
def test_frames_are_cut_to_the_middle_unless_told(tmp_path: Path, name: str) -> None:
    """Height and width are not changed for each other; a part is that of the reader of all frames."""
    path = write(tmp_path / name, "mpeg2video" if name != "clip.mp4" else "libx264", 8, 2)
    span = Span(0.39, 1.21, 25.0)
    for part, numbers in ((None, [40, 3, 3]), (span, [2, 19, 0])):
        everything = list(read_frames(path, size=(16, 30), span=part))
        frames, count = read_chosen_frames(
            path, lambda count, numbers=numbers: np.array(numbers), size=(16, 30), span=part
        )
        assert count == len(everything)
        np.testing.assert_array_equal(frames, np.stack([everything[number] for number in numbers]))


def test_what_an_edit_list_cuts_away_is_not_counted(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", 60)
    trimmed = edited(plain, tmp_path / "trimmed.mp4", 1.0, 1.0)
    asked: list[int] = []

    def choose(count: int) -> np.ndarray:
        asked.append(count)
        return np.array([0, count - 1])

    frames, count = read_chosen_frames(trimmed, choose, size=(48, 64))
    assert count == 30 and asked == [30]
    whole = list(read_frames(plain, size=None))
    np.testing.assert_array_equal(frames, np.stack([whole[30], whole[59]]))


def test_frames_of_a_stream_that_lost_a_little_are_those_of_all_of_it(tmp_path: Path, decoded: list[Path]) -> None:
    """Of a damaged frame that is used all are decoded, by a decoder that forgot what it had seen."""
    path = write(tmp_path / "clip.ts", "mpeg2video", 8)
    content = bytearray(path.read_bytes())
    packet = 188 * (2 * len(content) // 188 // 3)
    content[packet + 40 : packet + 188] = bytes(148)
    path.write_bytes(content)
    whole = list(read_frames(path, size=SIZE, fit="squash"))
    for length in (FRAMES, 7, 2):
        frames, count = chosen(path, length, "spread")
        assert count == len(whole)
        indices = clip_indices(count, length, "spread", 1)
        np.testing.assert_array_equal(frames, np.stack([whole[index] for index in indices]))
    assert decoded, "all of it was decoded"


@pytest.mark.parametrize(
    "how", [{}, {"check": "full"}, {"span": Span(0.2, 1.0, 25.0)}], ids=["only what is needed", "all", "a part"]
)
def test_as_many_threads_decode_as_are_said(
    mpeg: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, object]
) -> None:
    """0 is as many as the decoder likes."""
    told: list[int] = []
    real = decode.set_threads
    for module in (selected, decode):
        monkeypatch.setattr(
            module, "set_threads", lambda stream, threads: (told.append(threads), real(stream, threads))
        )
    frames = {threads: chosen(mpeg, 8, "spread", threads=threads, **how)[0] for threads in (1, 3)}
    assert np.array_equal(frames[1], frames[3]) and list(dict.fromkeys(told)) == [1, 3]
    told.clear()
    chosen(mpeg, 8, "spread", **how)
    assert set(told) == {0}
