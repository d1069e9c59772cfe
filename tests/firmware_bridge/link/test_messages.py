"""Every message: its bytes, there and back in both languages, and malformed ones refused by both alike."""

import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from vskd.errors import LinkError
from vskd.firmware_bridge.link import messages
from vskd.firmware_bridge.link.framing import MOST, Type
from vskd.firmware_bridge.link.messages import (
    LONGEST_TEXT,
    MESSAGES,
    PIECE,
    About,
    Answer,
    AnyMessage,
    Chunk,
    Decided,
    Done,
    End,
    Ended,
    Finish,
    Hello,
    Offer,
    Outcome,
    Record,
    Samples,
    Want,
    Wish,
    most_samples,
    parse,
)


def samples(count: int = 30, axes: int = 3, seed: int = 0) -> Samples:
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 1, (count, axes)).astype(np.float32)
    values[0, 0] = np.nan
    return Samples(2**40 + 5, 2**63, True, (np.arange(count) * 20_000).astype(np.uint32), values)


EXAMPLES: tuple[AnyMessage, ...] = (
    Hello(),
    About(bytes(range(32)), 50.0, 1 << 20, True, "accelerometer", "m/s^2", ("x", "y", "größer")),
    Record(Wish.SAMPLES | Wish.DECISIONS),
    samples(),
    samples(count=2, axes=16),
    About(bytes(32), 1.0, 0, False, "a" * 64, "", tuple("abcdefghijklmnop")),
    Decided(3, -1, 2, -40, 2**33, 2**41, "wave"),
    Decided(0, 5, 5, 127, 1, 0, ""),
    End(Ended.SENSOR, 2**50, 7),
    Offer(123_456, bytes(range(32))),
    Want(Answer.SEND, 4096, 1 << 20),
    Chunk(512, bytes(range(256))),
    Finish(),
    Done(Outcome.ACTIVE, 1, 9),
)
IDS = [f"{number}-{message.type.name}" for number, message in enumerate(EXAMPLES)]


def in_c(harness: Path, payloads: list[tuple[int, bytes]]) -> list[bytes]:
    """Each payload, read and written again by C; empty where it is refused."""
    given = b"".join(struct.pack("<BH", type_, len(payload)) + payload for type_, payload in payloads)
    done = subprocess.run([str(harness), "messages"], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [bytes.fromhex(line) for line in done.stdout.decode().split("\n")[:-1]]


def in_python(type_: int, payload: bytes) -> bytes:
    try:
        return parse(Type(type_), payload).pack()
    except LinkError:
        return b""


def test_the_bytes_of_each_message() -> None:
    offsets, values = np.array([0, 20_000], np.uint32), np.array([[1.0, -2.0]] * 2, np.float32)
    row = struct.pack("<ff", 1, -2)
    head = struct.pack("<QQ", 7, 9) + bytes([2, 2, 0, 0])
    assert Samples(7, 9, False, offsets, values).pack() == head + bytes(4) + row + struct.pack("<I", 20_000) + row
    about = About(bytes(32), 25.0, 5, False, "a", "g", ("x",)).pack()
    assert about == bytes(32) + struct.pack("<fI", 25, 5) + b"\0\1" + b"\1a" + b"\1g" + b"\1x"
    assert Decided(2, -1, 3, 4, 5, 6, "é").pack() == struct.pack("<BiiiQQ", 2, -1, 3, 4, 5, 6) + b"\2\xc3\xa9"
    assert End(Ended.ASKED, 3, 1).pack() == struct.pack("<BQQ", 0, 3, 1)
    assert Offer(1, b"s" * 32).pack() == b"\1\0\0\0" + b"s" * 32
    assert Want(Answer.HAVE, 2, 3).pack() == struct.pack("<BII", 1, 2, 3)
    assert Chunk(258, b"abc").pack() == b"\2\1\0\0abc"
    assert Done(Outcome.FLASH, 1, 4).pack() == struct.pack("<BBI", 3, 1, 4)
    assert (Hello().pack(), Record(Wish.DECISIONS).pack(), Finish().pack()) == (b"", b"\2", b"")


@pytest.mark.parametrize("message", EXAMPLES, ids=IDS)
def test_there_and_back(message: AnyMessage, harness: Path) -> None:
    packed = message.pack()
    assert len(packed) <= MOST
    again = parse(message.type, packed)
    assert again.pack() == packed
    if isinstance(message, Samples):
        assert isinstance(again, Samples)
        np.testing.assert_array_equal(again.values, message.values)
        np.testing.assert_array_equal(again.offsets_us, message.offsets_us)
        assert (again.number, again.time_us, again.timed) == (message.number, message.time_us, message.timed)
    else:
        assert again == message
    assert in_c(harness, [(message.type, packed)]) == [packed]


def test_every_type_has_an_example() -> None:
    assert {message.type for message in EXAMPLES} == set(MESSAGES) == set(Type) - {Type.ACK, Type.REFUSE}


@pytest.mark.parametrize("message", EXAMPLES, ids=IDS)
def test_what_is_cut_or_too_long_is_refused(message: AnyMessage, harness: Path) -> None:
    packed = message.pack()
    wrong = [packed[:length] for length in range(len(packed))] + [packed + b"\0"]
    if message.type == Type.CHUNK:
        wrong = [packed[:length] for length in range(5)] + [packed + b"\0"]  # any other length is another piece
    assert in_c(harness, [(message.type, payload) for payload in wrong]) == [b""] * len(wrong)
    for payload in wrong:
        with pytest.raises(
            LinkError, match=f"{message.type.name} of {len(payload)} bytes does not follow the protocol"
        ):
            parse(message.type, payload)


@pytest.mark.parametrize(
    ("type_", "payload"),
    [
        (Type.RECORD, b"\4"),
        (Type.END, struct.pack("<BQQ", 2, 0, 0)),
        (Type.WANT, struct.pack("<BII", 6, 0, 0)),
        (Type.DONE, struct.pack("<BBI", 5, 0, 0)),
        (Type.DONE, struct.pack("<BBI", 0, 2, 0)),
        (Type.SAMPLES, struct.pack("<QQ", 0, 0) + bytes([0, 3, 0, 0])),
        (Type.SAMPLES, struct.pack("<QQ", 0, 0) + bytes([1, 17, 0, 0]) + bytes(72)),
        (Type.SAMPLES, struct.pack("<QQ", 0, 0) + bytes([1, 3, 2, 0]) + bytes(16)),
        (Type.SAMPLES, struct.pack("<QQ", 0, 0) + bytes([1, 3, 0, 1]) + bytes(16)),
        (Type.ABOUT, bytes(32) + struct.pack("<fI", float("nan"), 5) + b"\0\0\0\0"),
        (Type.ABOUT, bytes(32) + struct.pack("<fI", float("inf"), 5) + b"\0\0\0\0"),
        (Type.ABOUT, bytes(32) + struct.pack("<fI", 0.0, 5) + b"\0\0\0\0"),
        (Type.ABOUT, bytes(32) + struct.pack("<fI", 1.0, 5) + b"\2\0\0\0"),
        (Type.ABOUT, bytes(32) + struct.pack("<fI", 1.0, 5) + b"\0\x11" + bytes(19)),
        (Type.DECISION, bytes(29) + bytes([65]) + b"a" * 65),
    ],
)
def test_values_that_mean_nothing_are_refused(type_: Type, payload: bytes, harness: Path) -> None:
    assert in_python(type_, payload) == b""
    assert in_c(harness, [(type_, payload)]) == [b""]


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(LinkError, match="DECISION of 31 bytes"):
        parse(Type.DECISION, bytes(29) + b"\1\xff")


def test_both_languages_take_and_refuse_the_same(harness: Path) -> None:
    """Random payloads and spoilt examples, 6,000 of them, with sanitizers."""
    generator = random.Random(5)
    payloads = []
    for _ in range(3000):
        message = generator.choice(EXAMPLES[1:])
        spoilt = bytearray(message.pack() or b"\0")
        for _ in range(generator.randrange(1, 4)):
            spoilt[generator.randrange(len(spoilt))] = generator.choice([0, 1, 2, 64, 127])  # texts stay UTF-8
        payloads.append((int(message.type), bytes(spoilt)))
        random_ = bytes(generator.choice([0, 1, 3, 65]) for _ in range(generator.choice([1, 6, 9, 17, 42, 68])))
        payloads.append((generator.choice(list(MESSAGES)), random_))
    ours = [in_python(type_, payload) for type_, payload in payloads]
    theirs = in_c(harness, payloads)
    pairs = [
        pair for pair, (_, sent) in zip(zip(ours, theirs, strict=True), payloads, strict=True) if b"\xc3" not in sent
    ]
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert 500 < sum(map(bool, ours)) < 5500


def test_long_texts_are_cut_after_a_character() -> None:
    parsed = parse(Type.DECISION, Decided(0, 0, 0, 0, 0, 0, "é" * 40 + "x").pack())
    assert isinstance(parsed, Decided) and parsed.text == "é" * (LONGEST_TEXT // 2)
    parsed = parse(Type.DECISION, Decided(0, 0, 0, 0, 0, 0, "x" + "é" * 40).pack())
    assert isinstance(parsed, Decided) and parsed.text == "x" + "é" * 31


@pytest.mark.parametrize("axes", [1, 3, 6, 16])
def test_as_many_samples_as_fit(axes: int) -> None:
    most = most_samples(axes)
    assert len(samples(most, axes).pack()) <= MOST < len(samples(most, axes).pack()) + 4 * (1 + axes)


def test_a_piece_fits() -> None:
    assert len(Chunk(0, bytes(PIECE)).pack()) <= MOST


@pytest.mark.parametrize(("count", "axes"), [(1, 1), (61, 1), (1, 16), (2, 3)])
def test_samples_of_any_number_of_axes_are_read(count: int, axes: int) -> None:
    given = samples(count, axes)
    again = parse(Type.SAMPLES, given.pack())
    assert isinstance(again, Samples) and again.values.shape == (count, axes)
    np.testing.assert_array_equal(again.values, given.values)
    np.testing.assert_array_equal(again.offsets_us, given.offsets_us)
    assert most_samples(1) == 61


@pytest.mark.parametrize("slot", [0, 1])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_in_either_slot_is_read(outcome: Outcome, slot: int) -> None:
    assert parse(Type.DONE, Done(outcome, slot, 7).pack()) == Done(outcome, slot, 7)


@pytest.mark.parametrize("message", [*(Want(a, 1, 2) for a in Answer), *(End(e, 3, 4) for e in Ended)])
def test_every_answer_and_end_is_read(message: AnyMessage) -> None:
    assert parse(message.type, message.pack()) == message


@pytest.mark.parametrize("wish", [Wish.NOTHING, Wish.SAMPLES, Wish.DECISIONS, Wish.SAMPLES | Wish.DECISIONS])
def test_every_wish_is_read(wish: Wish) -> None:
    assert parse(Type.RECORD, Record(wish).pack()) == Record(wish)


@pytest.mark.parametrize("length", [1, 255, 256])
def test_pieces_of_every_length_are_read(length: int) -> None:
    assert parse(Type.CHUNK, Chunk(5, bytes(length)).pack()) == Chunk(5, bytes(length))


def test_the_numbers_of_what_is_said() -> None:
    """As docs/link.md has them; a device of another vskd has them too."""
    for kind, names in (
        (Wish, "NOTHING SAMPLES DECISIONS"),
        (Ended, "ASKED SENSOR"),
        (Answer, "SEND HAVE TOO_LARGE UNCONFIRMED NO_SLOTS FLASH"),
        (Outcome, "ACTIVE OTHER_HASH OTHER_MANIFEST FLASH OUT_OF_ORDER"),
    ):
        members = {name: int(member) for name, member in kind.__members__.items()}
        assert members == {name: number for number, name in enumerate(names.split())}
    assert (PIECE, LONGEST_TEXT, messages.MOST_AXES) == (256, 64, 16)


def test_samples_are_told_by_themselves_and_a_piece_is_not_written_out() -> None:
    first, second = samples(), samples()
    assert first == first and first != second and len({first, second}) == 2
    assert repr(Chunk(7, b"secret")) == "Chunk(offset=7)"


@pytest.mark.parametrize("length", [0, 1, 63, 64])
def test_texts_up_to_the_longest_are_read_whole(length: int) -> None:
    given = Decided(0, 0, 0, 0, 0, 0, "x" * length)
    assert parse(Type.DECISION, given.pack()) == given


@pytest.mark.parametrize("place", range(3))
def test_the_texts_of_a_device_stand_in_their_order(place: int) -> None:
    texts = ["gyroscope", "deg/s", "z"]
    texts[place] = "other"
    about = About(bytes(32), 1.0, 0, True, texts[0], texts[1], (texts[2], "y"))
    read = parse(Type.ABOUT, about.pack())
    assert isinstance(read, About)
    assert (read.stream, read.unit, read.axes) == (texts[0], texts[1], (texts[2], "y")) and read.unconfirmed is True


@pytest.mark.parametrize("payload", [b"", b"\1", b"\5ab", b"\x40" + b"a" * 63, b"\x41" + b"a" * 65])
def test_a_text_beyond_the_end_or_too_long_is_refused_by_itself(payload: bytes) -> None:
    with pytest.raises(LinkError, match="does not follow the protocol"):
        messages._text(Type.ABOUT, payload, 0)


def test_a_text_is_read_from_its_place() -> None:
    assert messages._text(Type.ABOUT, b"\1a\2bc\0", 2) == ("bc", 5)
    assert messages._text(Type.ABOUT, b"\1a\2bc\0", 5) == ("", 6)
