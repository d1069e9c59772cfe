"""Frames: the bytes as they are specified, and never a wrong payload in silence."""

import random
import zlib
from pathlib import Path

import pytest

from tests.firmware_bridge.link.harness import CEndpoint
from vskd.firmware_bridge.link import framing
from vskd.firmware_bridge.link.endpoint import Endpoint
from vskd.firmware_bridge.link.framing import (
    MOST,
    WIRE,
    Frame,
    FrameReader,
    Type,
    frame_bytes,
    read_frame,
    stuffed,
    unstuffed,
)


def frames(received: bytes) -> list[Frame]:
    return list(FrameReader().feed(received))


def test_the_bytes_of_a_frame() -> None:
    sealed = bytes([1, 0x05, 0x34, 0x12, 0x02, 0x01, 3, 0]) + b"\0ab"
    crc = zlib.crc32(sealed).to_bytes(4, "little")
    wire = frame_bytes(0x05, 0x1234, 0x0102, b"\0ab")
    assert wire == b"\0" + bytes([8, *sealed[:7], 1, 3 + 4, *b"ab", *crc]) + b"\0"
    assert frames(wire) == [Frame(1, 0x05, 0x1234, 0x0102, b"\0ab")]


def naive(content: bytes) -> bytes:
    """Stuffing byte by byte."""
    out, run = bytearray(), bytearray()
    for byte in content:
        if len(run) == 254:
            out += b"\xff" + run
            run.clear()
        if byte:
            run.append(byte)
        else:
            out += bytes([len(run) + 1]) + run
            run.clear()
    return bytes(out + bytes([len(run) + 1]) + run)


@pytest.mark.parametrize("zeros", [0.0, 0.01, 0.5, 1.0])
def test_stuffing_is_that_of_a_naive_loop_and_comes_undone(zeros: float) -> None:
    generator = random.Random(1)
    for size in (0, 1, 2, 253, 254, 255, 256, 507, 508, 509, 524, *range(3, 40)):
        content = bytes(0 if generator.random() < zeros else generator.randrange(1, 256) for _ in range(size))
        assert stuffed(content) == naive(content)
        assert 0 not in stuffed(content) and unstuffed(stuffed(content)) == content
        assert len(stuffed(content)) <= size + size // 254 + 1


@pytest.mark.parametrize("between", [b"\x02", b"\x05ab", b"\xff" + b"a" * 253, b"\x01\x03a"])
def test_a_run_beyond_the_end_is_no_frame(between: bytes) -> None:
    assert unstuffed(between) is None and read_frame(between) is None


def test_the_longest_payload_and_one_more() -> None:
    payload = bytes([255]) * MOST
    wire = frame_bytes(4, 65535, 65535, payload)
    assert len(wire) == WIRE
    assert frames(wire)[0].payload == payload
    with pytest.raises(ValueError, match="a payload of 513 bytes; the most are 512"):
        frame_bytes(4, 1, 0, payload + b"x")


def test_garbage_before_a_frame_costs_nothing_of_it() -> None:
    reader = FrameReader()
    wire = frame_bytes(4, 1, 2, b"whole")
    for garbage in (b"\x07noise", bytes([9]) * 5000, b"\0\0\0", wire[:-4], b"\x01", b"\xff\0"):
        assert [frame.payload for frame in reader.feed(garbage + wire)] == [b"whole"]
    assert reader.damaged == 5


def test_a_frame_in_any_pieces() -> None:
    wire = frame_bytes(4, 1, 0, bytes(range(200))) + frame_bytes(5, 1, 1, b"")
    whole = frames(wire)
    for size in (1, 2, 3, 7, 100):
        reader = FrameReader()
        assert [f for at in range(0, len(wire), size) for f in reader.feed(wire[at : at + size])] == whole


def test_every_flipped_bit_lost_byte_and_cut_is_seen() -> None:
    wire = frame_bytes(4, 1, 7, b"\0\1\2 payload \xff")
    sent = frames(wire)
    for bit in range(8, 8 * len(wire) - 8):
        flipped = bytearray(wire)
        flipped[bit // 8] ^= 1 << bit % 8
        assert frames(bytes(flipped)) == []
    for at in range(1, len(wire) - 1):
        assert frames(wire[:at] + wire[at + 1 :]) == []
        assert frames(wire[:at] + b"\0") == [] and frames(b"\0" + wire[at + 1 :]) == []
    assert frames(wire[:-1] + wire) == sent * 2  # a lost end is made good by the next beginning


def test_a_length_that_does_not_fit_is_damage_though_the_crc_is_right() -> None:
    sealed = bytes([1, 4, 1, 0, 0, 0, 9, 0]) + b"short"
    content = stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little"))
    assert read_frame(content) is None


def test_of_another_version_only_that_is_known() -> None:
    sealed = bytes([2]) + b"whatever its layout"
    content = stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little"))
    assert read_frame(content) == Frame(2) == Frame(2, 0, 0, 0, b"")


@pytest.mark.parametrize("length", range(11))
def test_what_is_shorter_than_a_head_is_damage_though_its_crc_is_right(length: int) -> None:
    sealed = bytes([1, 4, 7, 0, 9, 0, 0, 0, *b"more"])[:length]
    found = read_frame(stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little")))
    assert found == (Frame(1, 4, 7, 9, b"") if length == 8 else None)


def test_a_crc_alone_and_less_are_damage() -> None:
    for content in (b"", b"\1", bytes(3), zlib.crc32(b"").to_bytes(4, "little")):
        assert read_frame(stuffed(content)) is None


def test_the_numbers_of_the_types() -> None:
    """As docs/link.md has them; a device of another vskd has them too."""
    names = [
        "HELLO",
        "ABOUT",
        "RECORD",
        "SAMPLES",
        "DECISION",
        "END",
        "OFFER",
        "WANT",
        "CHUNK",
        "FINISH",
        "DONE",
        "ACK",
        "REFUSE",
    ]
    numbers = [1, 2, 3, 4, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x14, 0x7E, 0x7F]
    assert {kind.name: int(kind) for kind in Type} == dict(zip(names, numbers, strict=True))
    assert len(Type) == len(Type.__members__) == 13
    assert (MOST, WIRE, framing.VERSION) == (512, 529, 1)


@pytest.mark.parametrize("more", [0, 1, 2, 3, 4, 300])
def test_more_than_the_longest_frame_is_damage_though_its_crc_is_right(more: int) -> None:
    """Its head and its CRC say that it is a frame; what would be held of it is bounded all the same."""
    payload = bytes([255]) * (MOST + more)
    sealed = bytes([1, 4, 7, 0, 9, 0]) + len(payload).to_bytes(2, "little") + payload
    content = stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little"))
    for size in (1, 100, 10_000):
        reader = FrameReader()
        wire = b"\0" + content + b"\0"
        found = [frame for at in range(0, len(wire), size) for frame in reader.feed(wire[at : at + size])]
        assert found == ([] if more else [Frame(1, 4, 7, 9, payload)]) and reader.damaged == int(more > 0)
        assert [frame.payload for frame in reader.feed(frame_bytes(4, 1, 2, b"next"))] == [b"next"]


def test_of_noise_without_an_end_no_more_is_kept_than_a_frame_has() -> None:
    reader = FrameReader()
    for _ in range(50):
        assert list(reader.feed(b"\x07noise" * 100)) == []
        assert len(reader._held) <= WIRE
    assert [frame.payload for frame in reader.feed(frame_bytes(4, 1, 2, b"next"))] == [b"next"] and reader.damaged == 1


@pytest.mark.parametrize("between", [b"\0", b"\2a\0", b"\0\2a", b"\1\0"])
def test_a_zero_is_in_no_frame(between: bytes) -> None:
    assert unstuffed(between) is None and read_frame(between) is None


@pytest.mark.parametrize(("between", "content"), [(b"", b""), (b"\1", b""), (b"\1\1", b"\0"), (b"\2a\1", b"a\0")])
def test_runs_by_hand(between: bytes, content: bytes) -> None:
    assert unstuffed(between) == content


@pytest.mark.parametrize("more", [0, 1, 2, 3, 300])
def test_c_takes_no_longer_frame_either(more: int, harness: Path) -> None:
    sealed = bytes([1, Type.ACK, 7, 0, 9, 0]) + (MOST + more).to_bytes(2, "little") + bytes([255]) * (MOST + more)
    wire = b"\0" + stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little")) + b"\0"
    python, c = Endpoint(is_host=False), CEndpoint(harness, is_host=False)
    for one in (python, c):
        assert list(one.receive(wire)) == [] and (one.damaged, one.stale) == ((1, 0) if more else (0, 1))
    c.close()
