"""All frames or an error: every kind of broken file."""

import math
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tests.preprocessing.video.clips import CODECS, edited, write_clip, write_video
from vskd.errors import DataError
from vskd.preprocessing.video.decode import Progress, check_all_there, decode_packets, set_threads, states_duration
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.video_file import open_video


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


def zeroed(content: bytearray, start: int, stop: int) -> None:
    content[start:stop] = bytes(stop - start)


def random_bytes(content: bytearray, start: int, stop: int) -> None:
    content[start:stop] = np.random.default_rng(start).bytes(stop - start)


def swapped(content: bytearray, start: int, stop: int) -> None:
    half = (stop - start) // 2
    content[start : start + 2 * half] = content[start + half : start + 2 * half] + content[start : start + half]


@pytest.mark.parametrize("share", [3, 12])
@pytest.mark.parametrize("harm", [zeroed, random_bytes, swapped])
@pytest.mark.parametrize(
    ("ending", "codec"), [(".avi", "mpeg4"), (".mp4", "libx264"), (".mkv", "libx264"), (".mpg", "mpeg1video")]
)
def test_damage_in_the_middle(
    tmp_path: Path, ending: str, codec: str, harm: Callable[[bytearray, int, int], None], share: int
) -> None:
    """A third of the file, or a twelfth, is not what it was; headers, index and size are."""
    pictures = [np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8) for number in range(30)]
    path = write_video(tmp_path / f"clip{ending}", pictures, codec)
    assert len(list(read_frames(path, size=8))) == 30
    content = bytearray(path.read_bytes())
    harm(content, len(content) // 3, len(content) // 3 + len(content) // share)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\."):
        list(read_frames(path, size=8))


def test_packets_that_are_gone_without_a_trace_are_missed_by_the_index(tmp_path: Path) -> None:
    """Of an .avi of key frames alone, which lack nothing."""
    path = write_clip(tmp_path / "clip.avi", 30)
    content = bytearray(path.read_bytes())
    first = content.index(b"00dc", content.index(b"movi"))
    places = [first]
    while len(places) < 30:
        places.append(content.index(b"00dc", places[-1] + 8))
    for place in places[10:12]:
        content[place : place + 4] = b"JUNK"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\.avi: 2 of the 30 packets of its index are gone"):
        list(read_frames(path, size=8))


def test_a_stream_may_lose_a_little_on_its_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pictures = [np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8) for number in range(30)]
    path = write_video(tmp_path / "clip.ts", pictures, "mpeg2video")
    content = bytearray(path.read_bytes())
    packet = 188 * (2 * len(content) // 188 // 3)
    content[packet + 40 : packet + 188] = bytes(148)
    path.write_bytes(content)
    assert len(list(read_frames(path, size=8))) == 30
    assert "clip.ts: 1 of its 30 frames are damaged" in caplog.text
    for lost in range(188 * (len(content) // 188 // 4), packet, 376):
        content[lost + 40 : lost + 188] = bytes(148)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\.ts: (only \d+ of its|\d+ of its 30 frames are damaged)"):
        list(read_frames(path, size=8))


@pytest.mark.parametrize("ending", CODECS)
def test_headers_of_these_containers_state_their_duration(tmp_path: Path, ending: str) -> None:
    with open_video(write_clip(tmp_path / f"clip{ending}")) as container:
        assert states_duration(container) == (ending in (".mkv", ".webm", ".flv", ".wmv"))


def test_a_live_stream_states_none(tmp_path: Path) -> None:
    with open_video(write_clip(tmp_path / "clip.mkv", options={"live": "1"})) as container:
        assert not states_duration(container)


@pytest.mark.parametrize(
    ("frames", "packets", "said"),
    [
        (30, 30, ""),
        (31, 30, ""),
        (29, 30, "only 29 of its 30 frames can be decoded"),
        (27, 30, "only 27 of its 30 frames can be decoded"),
        (26, 30, None),
        (0, 30, None),
        (0, 0, ""),
    ],
)
def test_nine_in_ten_frames_must_come_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, frames: int, packets: int, said: str | None
) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    with open_video(path) as container:
        progress = Progress(packets=packets, found=packets, frames=frames)
        if said is None:
            with pytest.raises(DataError, match=rf"clip\.mp4: only {frames} of its 30 frames can be decoded"):
                check_all_there(path, container, progress, True)
        else:
            check_all_there(path, container, progress, True)
            assert said in caplog.text and bool(said) == bool(caplog.text)


@pytest.mark.parametrize(
    ("ending", "damaged", "said"),
    [
        (".mp4", 0, ""),
        (".mp4", 1, None),
        (".avi", 1, None),
        (".mkv", 1, None),
        (".ts", 0, ""),
        (".ts", 1, "1 of its 30 frames are damaged"),
        (".ts", 3, "3 of its 30 frames are damaged"),
        (".ts", 4, None),
        (".flv", 3, "3 of its 30 frames are damaged"),
        (".flv", 4, None),
    ],
)
def test_how_many_frames_may_be_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ending: str, damaged: int, said: str | None
) -> None:
    path = write_clip(tmp_path / f"clip{ending}")
    with open_video(path) as container:
        ends = {0: round(1 / container.streams.video[0].time_base)}
        progress = Progress(packets=30, found=30, frames=30, damaged=damaged, ends=ends)
        if said is None:
            with pytest.raises(DataError, match=rf"clip\{ending}: {damaged} of its 30 frames are damaged"):
                check_all_there(path, container, progress, True)
        else:
            check_all_there(path, container, progress, True)
            assert said in caplog.text and bool(said) == bool(caplog.text)


@pytest.mark.parametrize(("stated", "frames", "said"), [(True, 30, False), (False, 30, True), (False, 0, False)])
def test_where_nothing_states_a_length_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, stated: bool, frames: int, said: bool
) -> None:
    path = write_clip(tmp_path / "clip.ts")
    with open_video(path) as container:
        check_all_there(path, container, Progress(frames=frames), stated)
    assert (f"how long it should be; {frames} frames were found" in caplog.text) == said == bool(caplog.text)


@pytest.mark.parametrize(("found", "gone"), [(29, 1), (30, 0), (31, 0)])
def test_the_index_of_an_avi_counts_its_packets(tmp_path: Path, found: int, gone: int) -> None:
    path = write_clip(tmp_path / "clip.avi")
    with open_video(path) as container:
        progress = Progress(packets=found, found=found, frames=30)
        if not gone:
            return check_all_there(path, container, progress, True)
        with pytest.raises(DataError, match=r"clip\.avi: 1 of the 30 packets of its index are gone"):
            check_all_there(path, container, progress, True)


@pytest.mark.parametrize(
    ("end_ms", "start_ms", "said"),
    [
        (1000, 0, ""),
        (951, 0, ""),
        (949, 0, "it ends after 0.95 of the 1.00 s that it states; is it all there?"),
        (900, 0, "it ends after 0.90 of the 1.00 s that it states"),
        (899, 0, None),
        (949, 500, "it ends after 0.95 of the 1.00 s that it states"),
        (851, -100, ""),
        (799, -100, None),
    ],
)
def test_a_clip_may_end_a_frame_and_a_half_early(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, end_ms: int, start_ms: int, said: str | None
) -> None:
    """Of 30 frames a second, in ticks of 1 ms. What begins before 0 is counted from there, what begins later from 0."""
    path = write_clip(tmp_path / "clip.mkv")
    with open_video(path) as opened:
        names = {"format": opened.format, "streams": opened.streams}
        container = SimpleNamespace(duration=1_000_000, start_time=1000 * start_ms or None, **names)
        progress = Progress(packets=30, found=30, frames=30, ends={0: end_ms})
        if said is None:
            with pytest.raises(DataError, match=r"clip\.mkv: it ends after 0\.\d\d of the 1\.00 s that it states"):
                check_all_there(path, container, progress, False)
        else:
            check_all_there(path, container, progress, False)
            assert said in caplog.text and bool(said) == bool(caplog.text)


def packet(size: int, pts: int | None = None, duration: int = 0) -> av.Packet:
    made = av.Packet(size)
    made.pts, made.duration = pts, duration
    return made


def test_packets_of_a_few_bytes_need_not_hold_a_frame() -> None:
    progress = Progress()
    for size in (0, 1, 32, 33, 500):
        progress.add(packet(size))
    assert (progress.found, progress.packets) == (4, 2)


def test_the_end_is_that_of_the_packet_that_ends_last_in_any_stream() -> None:
    progress = Progress()
    nowhere = SimpleNamespace(streams=[])
    assert progress.end_s(nowhere) == -math.inf
    for stream, one in (
        (0, packet(9, 0, 5)),
        (0, packet(9, 30, 10)),
        (0, packet(9, 20, 10)),
        (0, packet(9, None, 900)),
        (0, packet(0, 800, 1)),
        (1, packet(9, -7, 3)),
        (2, packet(9, 0, 0)),
    ):
        progress.reach(one, stream)
    assert progress.ends == {0: 40, 1: -4, 2: 0}
    ticks = [SimpleNamespace(time_base=Fraction(1, rate)) for rate in (10, 1, 5)]
    end = progress.end_s(SimpleNamespace(streams=ticks))
    assert end == 4.0 and type(end) is float
    progress.reach(packet(9, 25, 0), 2)
    assert progress.end_s(SimpleNamespace(streams=ticks)) == 5.0


def test_threads_are_set_before_a_decoder_begins(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    with open_video(path) as container:
        stream = container.streams.video[0]
        frames = decode_packets(path, container, container.demux(), 3)
        next(frames)
        assert stream.codec_context.thread_count == 3
        set_threads(stream, 2)
        assert stream.codec_context.thread_count == 3
