"""Sizes that containers state, of files written by a muxer and of headers written by hand."""

import struct
from pathlib import Path

import pytest

from tests.preprocessing.video.clips import CODECS, box, write_clip
from vskd.errors import DataError
from vskd.preprocessing.video.container import states_its_end

STATED = {".mp4", ".mov", ".avi", ".mkv", ".webm"}


@pytest.mark.parametrize("ending", CODECS)
def test_whole_files_pass_and_those_that_state_their_end_say_so(tmp_path: Path, ending: str) -> None:
    assert states_its_end(write_clip(tmp_path / f"clip{ending}")) == (ending in STATED)


@pytest.mark.parametrize("ending", sorted(STATED))
def test_one_missing_byte_is_noticed(tmp_path: Path, ending: str) -> None:
    path = write_clip(tmp_path / f"clip{ending}")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=rf"clip\{ending} is truncated"):
        states_its_end(path)


@pytest.mark.parametrize(
    ("name", "options", "stated"),
    [
        ("clip.mp4", {"movflags": "faststart"}, True),
        ("clip.mp4", {"movflags": "frag_keyframe+empty_moov"}, True),
        ("clip.mp4", {"movflags": "frag_keyframe+empty_moov+skip_trailer"}, False),
        ("clip.mkv", {"live": "1"}, False),
    ],
)
def test_streams_that_were_written_while_recorded_state_nothing(
    tmp_path: Path, name: str, options: dict[str, str], stated: bool
) -> None:
    assert states_its_end(write_clip(tmp_path / name, options=options)) == stated


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_boxes(tmp_path: Path) -> None:
    start = box(b"ftyp", b"isom") + box(b"moov", bytes(8))
    assert states_its_end(written(tmp_path / "a", start + box(b"mdat", bytes(9))))
    assert states_its_end(written(tmp_path / "a", start + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4)))
    assert not states_its_end(written(tmp_path / "a", start + struct.pack(">I4s", 0, b"mdat") + bytes(5)))
    assert states_its_end(written(tmp_path / "a", start + box(b"mdat", b"x") + b"\xff" * 30)), "a camera's own"
    with pytest.raises(DataError, match="says it needs"):
        states_its_end(written(tmp_path / "a", start + struct.pack(">I4sQ", 1, b"mdat", 2**40) + bytes(4)))
    with pytest.raises(DataError, match="box b'free' says it is 3 bytes long"):
        states_its_end(written(tmp_path / "a", box(b"ftyp", b"isom") + struct.pack(">I4s", 3, b"free")))
    with pytest.raises(DataError, match="no frame index"):
        states_its_end(written(tmp_path / "a", box(b"ftyp", b"isom") + box(b"mdat", bytes(9))))


def test_an_avi_in_several_pieces(tmp_path: Path) -> None:
    first, second = (b"RIFF" + struct.pack("<I4s", 24, name) + bytes(20) for name in (b"AVI ", b"AVIX"))
    assert states_its_end(written(tmp_path / "a", first + second))
    assert not states_its_end(written(tmp_path / "a", b"RIFF" + struct.pack("<I4s", 0, b"AVI ") + bytes(20)))
    with pytest.raises(DataError, match="has 63 bytes and says it needs 64"):
        states_its_end(written(tmp_path / "a", (first + second)[:-1]))


def test_segments_of_matroska(tmp_path: Path) -> None:
    header, segment = b"\x1a\x45\xdf\xa3\x84" + bytes(4), b"\x18\x53\x80\x67"
    assert states_its_end(written(tmp_path / "a", header + segment + b"\x81x"))
    assert states_its_end(written(tmp_path / "a", header + segment + b"\x08\x00\x00\x00\x05" + bytes(5)))
    assert not states_its_end(written(tmp_path / "a", header + segment + b"\x01" + b"\xff" * 7 + bytes(50)))
    assert not states_its_end(written(tmp_path / "a", header + segment + b"\xff" + bytes(50)))
    assert not states_its_end(written(tmp_path / "a", header))
    assert not states_its_end(written(tmp_path / "a", header + segment))
    with pytest.raises(DataError, match="has 17 bytes and says it needs 18"):
        states_its_end(written(tmp_path / "a", header + segment + b"\x40\x03" + bytes(2)))


def test_program_streams_end_with_a_code_or_at_a_packet(tmp_path: Path) -> None:
    first = b"\x00\x00\x01\xba\x21" + bytes(7)  # MPEG-1: 12 bytes
    second = b"\x00\x00\x01\xba\x44" + bytes(8) + b"\xfa" + b"\xff" * 2  # MPEG-2: 14 bytes and two of stuffing
    packet = b"\x00\x00\x01\xe0\x00\x05" + bytes(5)
    for pack in (first, second):
        assert states_its_end(written(tmp_path / "a", pack + packet + b"\x00\x00\x01\xb9"))
        assert not states_its_end(written(tmp_path / "a", pack + packet + packet))
        for cut in range(1, len(packet)):
            with pytest.raises(DataError, match="ends within a packet"):
                states_its_end(written(tmp_path / "a", pack + packet + packet[:-cut]))


@pytest.mark.parametrize("length", [188, 192])
def test_transport_streams_end_at_a_packet(tmp_path: Path, length: int) -> None:
    packet = bytes(length - 188) + b"\x47" + bytes(187)
    assert not states_its_end(written(tmp_path / "a", 10 * packet))
    with pytest.raises(DataError, match="ends within a packet"):
        states_its_end(written(tmp_path / "a", (10 * packet)[:-1]))


def test_other_files_state_nothing_and_missing_ones_are_named(tmp_path: Path) -> None:
    for content in (b"", b"no video", b"\x47", bytes(5000)):
        assert not states_its_end(written(tmp_path / "a", content))
    with pytest.raises(DataError, match=r"Cannot read .*b: No such file"):
        states_its_end(tmp_path / "b")


@pytest.mark.parametrize("marks", [1, 3])
def test_a_byte_that_happens_to_be_a_packets_mark_is_none(tmp_path: Path, marks: int) -> None:
    content = bytearray(5001)
    content[: 188 * marks : 188] = b"\x47" * marks
    assert not states_its_end(written(tmp_path / "a", bytes(content)))
    content[: 188 * 4 : 188] = b"\x47" * 4
    with pytest.raises(DataError, match="ends within a packet"):
        states_its_end(written(tmp_path / "a", bytes(content)))


def test_between_the_packets_of_a_program_stream_lie_zeros_at_most(tmp_path: Path) -> None:
    pack = b"\x00\x00\x01\xba\x21" + bytes(7) + b"\x00\x00\x01\xe0\x00\x05" + bytes(5)
    for between, told in ((bytes(9), False), (b"\x00\x01\x00\x00", True), (b"x", True)):
        path = written(tmp_path / "a.mpg", pack + between + pack)
        if told:
            with pytest.raises(DataError, match=r"a\.mpg is damaged: no packet begins at byte 23, where one should"):
                states_its_end(path)
        else:
            assert not states_its_end(path)
    assert not states_its_end(written(tmp_path / "a.mpg", pack + b"appended")), "by something else"
