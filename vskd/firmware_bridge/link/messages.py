"""What the frames of the link hold; the bytes are in docs/link.md, and `vskd_messages.c` is the same in C.

Numbers are little-endian. A text is one byte of length and that many bytes of UTF-8.
"""

import builtins
import struct
from dataclasses import astuple, dataclass, field
from enum import IntEnum, IntFlag
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from vskd.errors import LinkError
from vskd.firmware_bridge.link.framing import MOST, Type

PIECE = 256
"""Bytes of a bundle in one message; the last may be shorter."""
LONGEST_TEXT = 64
MOST_AXES = 16
_ABOUT = struct.Struct("<32sfIBB")
_SAMPLES = struct.Struct("<QQBBBB")
_DECISION = struct.Struct("<BiiiQQ")
_CHUNK = struct.Struct("<I")


class Wish(IntFlag):
    """What a host asks a device to send."""

    NOTHING = 0
    SAMPLES = 1
    DECISIONS = 2


class Ended(IntEnum):
    """Why a device sends no more samples."""

    ASKED = 0
    SENSOR = 1


class Answer(IntEnum):
    """What a device says to the offer of a bundle."""

    SEND = 0
    HAVE = 1
    TOO_LARGE = 2
    UNCONFIRMED = 3
    NO_SLOTS = 4
    FLASH = 5


class Outcome(IntEnum):
    """How a transfer ended."""

    ACTIVE = 0
    OTHER_HASH = 1
    OTHER_MANIFEST = 2
    FLASH = 3
    OUT_OF_ORDER = 4


@dataclass(frozen=True)
class _Fixed:
    """A message of a fixed length.

    Attributes:
        layout: of its fields, in their order.
        word: what the number in the first field stands for.
    """

    type: ClassVar[Type]
    layout: ClassVar[struct.Struct] = struct.Struct("")
    word: ClassVar[builtins.type[IntEnum] | None] = None

    def pack(self) -> bytes:
        """See docs/link.md."""
        return self.layout.pack(*astuple(self))

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        _length(cls.type, payload, cls.layout.size)
        content = list(cls.layout.unpack(payload))
        if cls.word is not None:
            if content[0] > max(cls.word):
                raise _malformed(cls.type, payload)
            content[0] = cls.word(content[0])
        return cls(*content)


@dataclass(frozen=True)
class Hello(_Fixed):
    """The host opens a session."""

    type: ClassVar[Type] = Type.HELLO


@dataclass(frozen=True)
class About:
    """What a device is.

    Attributes:
        digest: SHA-256 of the manifest of the bundle that runs; zeros where none does.
        rate_hz: of its samples, float32.
        capacity: bytes of the largest bundle that it takes; 0 where it takes none.
        unconfirmed: whether its bundle is on trial.
        stream, unit: of the samples that it sends.
        axes: their names.
    """

    type: ClassVar[Type] = Type.ABOUT
    digest: bytes
    rate_hz: float
    capacity: int
    unconfirmed: bool
    stream: str
    unit: str
    axes: tuple[str, ...]

    def pack(self) -> bytes:
        """See docs/link.md."""
        head = _ABOUT.pack(self.digest, self.rate_hz, self.capacity, self.unconfirmed, len(self.axes))
        return head + b"".join(map(_packed_text, (self.stream, self.unit, *self.axes)))

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        _least(cls.type, payload, _ABOUT.size)
        digest, rate_hz, capacity, unconfirmed, axes = _ABOUT.unpack_from(payload)
        texts, at = [], _ABOUT.size
        for _ in range(2 + axes):
            text, at = _text(cls.type, payload, at)
            texts.append(text)
        stream, unit, *names = texts
        if axes > MOST_AXES or unconfirmed > 1 or at != len(payload) or not 0 < rate_hz < float("inf"):
            raise _malformed(cls.type, payload)
        return cls(digest, rate_hz, capacity, bool(unconfirmed), stream, unit, tuple(names))


@dataclass(frozen=True)
class Record:
    """The host asks for samples, decisions or both; for nothing: to stop."""

    type: ClassVar[Type] = Type.RECORD
    wish: Wish

    def pack(self) -> bytes:
        """See docs/link.md."""
        return bytes([self.wish])

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        _length(cls.type, payload, 1)
        (wish,) = payload
        if wish > Wish.SAMPLES | Wish.DECISIONS:
            raise _malformed(cls.type, payload)
        return cls(Wish(wish))


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of the sensor, in the unit, axes and signs of the bundle's contract.

    Attributes:
        number: of the first one, from 0; a jump is a loss.
        time_us: of the first one.
        timed: whether the times were measured; else they follow from rate and number.
        offsets_us: uint32 (count,), from the first.
        values: float32 (count, axes).
    """

    type: ClassVar[Type] = Type.SAMPLES
    number: int
    time_us: int
    timed: bool
    offsets_us: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]

    def pack(self) -> bytes:
        """See docs/link.md."""
        count, axes = self.values.shape
        rows = np.empty((count, 1 + axes), dtype="<u4")
        rows[:, 0], rows[:, 1:] = self.offsets_us, self.values.astype("<f4").view("<u4")
        return _SAMPLES.pack(self.number, self.time_us, count, axes, self.timed, 0) + rows.tobytes()

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        _least(cls.type, payload, _SAMPLES.size)
        number, time_us, count, axes, timed, zero = _SAMPLES.unpack_from(payload)
        if not 0 < axes <= MOST_AXES or not count or timed > 1 or zero:
            raise _malformed(cls.type, payload)
        _length(cls.type, payload, _SAMPLES.size + 4 * count * (1 + axes))
        rows = np.frombuffer(payload, "<u4", offset=_SAMPLES.size).reshape(count, 1 + axes)
        values = np.ascontiguousarray(rows[:, 1:]).view("<f4")
        return cls(number, time_us, bool(timed), rows[:, 0].astype(np.uint32), values.astype(np.float32))


@dataclass(frozen=True)
class Decided:
    """A decision: of the device, for the host to note, or of the host, for the device to show.

    Attributes:
        status, label, window_label, margin, sample, time_us: see `vskd.bundle.stream.stream.Decision`.
        text: the label's name; empty where there is none.
    """

    type: ClassVar[Type] = Type.DECISION
    status: int
    label: int
    window_label: int
    margin: int
    sample: int
    time_us: int
    text: str

    def pack(self) -> bytes:
        """See docs/link.md."""
        head = (self.status, self.label, self.window_label, self.margin, self.sample, self.time_us)
        return _DECISION.pack(*head) + _packed_text(self.text)

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        _least(cls.type, payload, _DECISION.size)
        text, at = _text(cls.type, payload, _DECISION.size)
        _length(cls.type, payload, at)
        status, label, window_label, margin, sample, time_us = _DECISION.unpack_from(payload)
        return cls(status, label, window_label, margin, sample, time_us, text)


@dataclass(frozen=True)
class End(_Fixed):
    """The device sends no more samples.

    Attributes:
        reason: see `Ended`.
        samples: that it measured since it was asked.
        lost: of these, that it could not send in time.
    """

    type: ClassVar[Type] = Type.END
    layout: ClassVar[struct.Struct] = struct.Struct("<BQQ")
    word: ClassVar[builtins.type[IntEnum] | None] = Ended
    reason: Ended
    samples: int
    lost: int


@dataclass(frozen=True)
class Offer(_Fixed):
    """The host has a bundle for the device.

    Attributes:
        size: of the parcel, in bytes.
        sha256: of the parcel.
    """

    type: ClassVar[Type] = Type.OFFER
    layout: ClassVar[struct.Struct] = struct.Struct("<I32s")
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Want(_Fixed):
    """The device's answer to an offer: where the transfer goes on, and how much it has room for."""

    type: ClassVar[Type] = Type.WANT
    layout: ClassVar[struct.Struct] = struct.Struct("<BII")
    word: ClassVar[builtins.type[IntEnum] | None] = Answer
    answer: Answer
    offset: int
    capacity: int


@dataclass(frozen=True)
class Chunk:
    """A piece of the parcel, 1 to `PIECE` bytes from `offset` on."""

    type: ClassVar[Type] = Type.CHUNK
    offset: int
    content: bytes = field(repr=False)

    def pack(self) -> bytes:
        """See docs/link.md."""
        return _CHUNK.pack(self.offset) + self.content

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        content = payload[_CHUNK.size :]
        if not 0 < len(content) <= PIECE:
            raise _malformed(cls.type, payload)
        (offset,) = _CHUNK.unpack_from(payload)
        return cls(offset, content)


@dataclass(frozen=True)
class Finish(_Fixed):
    """The parcel is complete: check it and make it the next to start."""

    type: ClassVar[Type] = Type.FINISH


@dataclass(frozen=True)
class Done(_Fixed):
    """How the transfer ended: in which slot the bundle is, and its number."""

    type: ClassVar[Type] = Type.DONE
    layout: ClassVar[struct.Struct] = struct.Struct("<BBI")
    word: ClassVar[builtins.type[IntEnum] | None] = Outcome
    outcome: Outcome
    slot: int
    sequence: int

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """See `parse`."""
        done = super().parse(payload)
        if done.slot > 1:
            raise _malformed(cls.type, payload)
        return done


AnyMessage = Hello | About | Record | Samples | Decided | End | Offer | Want | Chunk | Finish | Done
MESSAGES: dict[Type, type[AnyMessage]] = {
    kind.type: kind for kind in (Hello, About, Record, Samples, Decided, End, Offer, Want, Chunk, Finish, Done)
}


def parse(type_: Type, payload: bytes) -> AnyMessage:
    """Read a payload.

    Raises:
        LinkError: it does not follow docs/link.md.
    """
    return MESSAGES[type_].parse(payload)


def most_samples(axes: int) -> int:
    """How many samples fit into one message."""
    return (MOST - _SAMPLES.size) // (4 * (1 + axes))  # 61 of one axis: the count is a byte


def _packed_text(text: str) -> bytes:
    """A text, cut after a whole character where it is too long."""
    content = text.encode("utf-8")[:LONGEST_TEXT].decode("utf-8", errors="ignore").encode("utf-8")
    return bytes([len(content)]) + content


def _text(type_: Type, payload: bytes, at: int) -> tuple[str, int]:
    """The text that begins at `at`, and where it ends."""
    _least(type_, payload, at + 1)
    end = at + 1 + payload[at]
    if payload[at] > LONGEST_TEXT or end > len(payload):
        raise _malformed(type_, payload)
    try:
        return payload[at + 1 : end].decode("utf-8"), end
    except UnicodeDecodeError as error:
        raise _malformed(type_, payload) from error


def _least(type_: Type, payload: bytes, length: int) -> None:
    if len(payload) < length:
        raise _malformed(type_, payload)


def _length(type_: Type, payload: bytes, length: int) -> None:
    if len(payload) != length:
        raise _malformed(type_, payload)


def _malformed(type_: Type, payload: bytes) -> LinkError:
    return LinkError(
        f"A message {type_.name} of {len(payload)} bytes does not follow the protocol",
        "Update vskd on this side, or the firmware on the other",
    )
