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


def wide(name: bytes, length: int) -> bytes:
    """The head of a box whose length stands in 64 bits."""
    return struct.pack(">I4sQ", 1, name, length)


INDEX, MEDIA = box(b"moov", b""), box(b"mdat", b"x")


@pytest.mark.parametrize("first", [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"])
def test_an_mp4_may_begin_with_any_of_these_boxes(tmp_path: Path, first: bytes) -> None:
    assert states_its_end(written(tmp_path / "a", box(first, b"") + MEDIA + INDEX))
    with pytest.raises(DataError, match="has 24 bytes and says it needs 25"):
        states_its_end(written(tmp_path / "a", (box(first, b"") + INDEX + MEDIA)[:-1]))


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        (MEDIA + INDEX, True),
        (MEDIA + INDEX + bytes(7), True),  # less than the head of a box
        (MEDIA + INDEX + wide(b"free", 16), True),
        (INDEX + struct.pack(">I4s", 0, b"mdat"), False),
        (INDEX + MEDIA + struct.pack(">I4s", 0, b"free") + bytes(5), True),
        (INDEX + MEDIA + struct.pack(">I4s", 7, b"mine"), True),  # a camera's own
        (INDEX + MEDIA + struct.pack(">I4s", 9, b"mine"), True),
        (INDEX + box(b"moof", b""), False),
        (INDEX + box(b"moof", b"") + box(b"mfra", b""), True),
    ],
)
def test_boxes_that_pass(tmp_path: Path, content: bytes, stated: bool) -> None:
    assert states_its_end(written(tmp_path / "a", content)) == stated


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (INDEX + wide(b"mdat", 16)[:-1], "has 23 bytes and says it needs 24"),
        (INDEX + wide(b"mdat", 15), "has 24 bytes and says it needs 24"),
        (INDEX + wide(b"mdat", 17), "has 24 bytes and says it needs 25"),
        (INDEX + struct.pack(">I4s", 7, b"mdat"), "box b'mdat' says it is 7 bytes long"),
        (INDEX + struct.pack(">I4s", 9, b"mine"), "has 16 bytes and says it needs 17"),
        (MEDIA + struct.pack(">I4s", 9, b"mine"), "has 17 bytes and says it needs 18"),
        (INDEX + MEDIA + struct.pack(">I4s", 9, b"mdat"), "has 25 bytes and says it needs 26"),
        (INDEX + MEDIA + struct.pack(">I4s", 9, b"moof"), "has 25 bytes and says it needs 26"),
        (INDEX + MEDIA + struct.pack(">I4s", 9, b"moov"), "has 25 bytes and says it needs 26"),
        (MEDIA + box(b"moof", b"") + box(b"mfra", b""), "no frame index"),
    ],
)
def test_boxes_that_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(DataError, match=told):
        states_its_end(written(tmp_path / "a", content))


def riff(content: bytes, name: bytes = b"AVI ") -> bytes:
    return b"RIFF" + struct.pack("<I", len(content) + 4) + name + content


def test_pieces_of_an_avi_begin_at_even_places(tmp_path: Path) -> None:
    assert states_its_end(written(tmp_path / "a", riff(b"abc") + b"\0" + riff(b"xy", b"AVIX")))
    assert states_its_end(written(tmp_path / "a", riff(b"abc")))
    assert states_its_end(written(tmp_path / "a", riff(b"ab") + b"RIFF"))
    assert states_its_end(written(tmp_path / "a", riff(b"ab") + b"JUNK" + b"\xff" * 40)), "appended by something else"
    with pytest.raises(DataError, match="has 22 bytes and says it needs 23"):
        states_its_end(written(tmp_path / "a", riff(b"ab") + b"RIFF" + struct.pack("<I", 1)))


def test_what_lies_between_and_behind_segments_of_matroska(tmp_path: Path) -> None:
    header, segment = b"\x1a\x45\xdf\xa3\x81x", b"\x18\x53\x80\x67"
    whole = header + segment + b"\x82xy"
    assert states_its_end(written(tmp_path / "a", whole + header + segment + b"\x80"))
    assert states_its_end(written(tmp_path / "a", whole + b"\xec\x9f" + bytes(3))), "something else may be appended"
    assert not states_its_end(written(tmp_path / "a", header + b"\xec\x80"))
    assert not states_its_end(written(tmp_path / "a", header + segment + b"\x00" + bytes(9)))
    for width in range(2, 9):
        size = ((1 << 7 * width) + 3).to_bytes(width, "big")
        assert states_its_end(written(tmp_path / "a", header + segment + size + b"abc"))
        with pytest.raises(DataError, match=f"has {12 + width} bytes and says it needs {13 + width}"):
            states_its_end(written(tmp_path / "a", header + segment + size + b"ab"))


def test_packs_and_packets_say_how_long_they_are(tmp_path: Path) -> None:
    """The stuffing of a pack of MPEG-2 is counted in three bits; an end code stops the search, whatever follows."""
    packet, end = b"\x00\x00\x01\xe0\x01\x02" + bytes(258), b"\x00\x00\x01\xb9"
    for stuffing in range(8):
        pack = b"\x00\x00\x01\xba\x44" + bytes(8) + bytes([0xF8 | stuffing]) + b"\xff" * stuffing
        assert not states_its_end(written(tmp_path / "a", pack + packet))
        assert states_its_end(written(tmp_path / "a", pack + packet + end + b"anything"))
        with pytest.raises(DataError, match="ends within a packet"):
            states_its_end(written(tmp_path / "a", (pack + packet)[:-1]))
    first = b"\x00\x00\x01\xba\x21" + bytes(7)
    assert states_its_end(written(tmp_path / "a", first + end))
    assert not states_its_end(written(tmp_path / "a", first))
    with pytest.raises(DataError, match="ends within a packet"):
        states_its_end(written(tmp_path / "a", first[:-1]))


@pytest.mark.parametrize("length", [188, 192])
def test_four_packets_and_a_byte_are_a_transport_stream(tmp_path: Path, length: int) -> None:
    packet = bytes(length - 188) + b"\x47" + bytes(187)
    assert not states_its_end(written(tmp_path / "a", 5 * packet))
    with pytest.raises(DataError, match="ends within a packet"):
        states_its_end(written(tmp_path / "a", 4 * packet + b"\0"))
