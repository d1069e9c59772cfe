"""Frames on a serial line or a socket: found again after any garbage, and checked; the bytes are in docs/link.md.

A frame is version, type, session, sequence, length, payload and CRC-32, stuffed so that no zero is left (Cheshire and
Baker, "Consistent overhead byte stuffing", IEEE/ACM Transactions on Networking 1999), between two zeros. `vskd_link.c`
is the same in C.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1
MOST = 512
"""Bytes of a payload."""
HEAD = struct.Struct("<BBHHH")
CRC = struct.Struct("<I")
LONGEST = HEAD.size + MOST + CRC.size
_RUN = 254
WIRE = LONGEST + LONGEST // _RUN + 1 + 2
"""Bytes of the longest frame on the line."""


class Type(IntEnum):
    """What a frame holds; see `vskd.firmware_bridge.link.messages`."""

    HELLO = 0x01
    ABOUT = 0x02
    RECORD = 0x03
    SAMPLES = 0x04
    DECISION = 0x05
    END = 0x06
    OFFER = 0x10
    WANT = 0x11
    CHUNK = 0x12
    FINISH = 0x13
    DONE = 0x14
    ACK = 0x7E
    REFUSE = 0x7F


@dataclass(frozen=True)
class Frame:
    """A frame whose CRC was right.

    Attributes:
        version: of the protocol; of another one than `VERSION` the rest is not known, and empty.
        type: a number of `Type`, or one of a later protocol.
        session: chosen by the host when it says hello.
        sequence: number of the frame in its direction, modulo 2**16.
        payload: at most `MOST` bytes.
    """

    version: int
    type: int = 0
    session: int = 0
    sequence: int = 0
    payload: bytes = b""


def frame_bytes(type_: int, session: int, sequence: int, payload: bytes = b"") -> bytes:
    """The bytes of a frame on the line.

    Raises:
        ValueError: the payload is longer than `MOST`.
    """
    if len(payload) > MOST:
        raise ValueError(f"a payload of {len(payload)} bytes; the most are {MOST}")
    sealed = HEAD.pack(VERSION, type_, session, sequence, len(payload)) + payload
    return b"\0" + stuffed(sealed + CRC.pack(zlib.crc32(sealed))) + b"\0"


def read_frame(between: bytes) -> Frame | None:
    """The frame in what lay between two zeros; None where it is damaged."""
    content = unstuffed(between)
    if content is None or len(content) < HEAD.size + CRC.size:
        return None
    sealed = content[: -CRC.size]
    if CRC.unpack(content[-CRC.size :]) != (zlib.crc32(sealed),):
        return None
    version, type_, session, sequence, length = HEAD.unpack_from(sealed)
    if version != VERSION:
        return Frame(version)
    payload = sealed[HEAD.size :]
    return Frame(version, type_, session, sequence, payload) if length == len(payload) <= MOST else None


def stuffed(content: bytes) -> bytes:
    """Bytes without a zero, one longer for each 254 begun.

    >>> stuffed(bytes([1, 0, 0, 2])).hex(" ")
    '02 01 01 02 02'
    """
    *runs, last = content.split(b"\0")
    pieces = [run[at : at + _RUN] for run in runs for at in range(0, len(run) + 1, _RUN)]
    pieces += [last[at : at + _RUN] for at in range(0, max(1, len(last)), _RUN)]
    return b"".join(bytes([len(piece) + 1]) + piece for piece in pieces)


def unstuffed(between: bytes) -> bytes | None:
    """What was stuffed; None where a run goes beyond the end."""
    content, at = bytearray(), 0
    while at < len(between):
        run = between[at]
        if not 0 < run <= len(between) - at:
            return None
        content += between[at + 1 : at + run]
        at += run
        if run < 255 and at < len(between):
            content.append(0)
    return bytes(content)


class FrameReader:
    """Takes bytes in pieces of any size, and gives the frames in them.

    Attributes:
        damaged: pieces between zeros that were no frame.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._held = bytearray()

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Frames that end in these bytes; what is damaged is counted and left out."""
        *ended, rest = received.split(b"\0")
        for piece in ended:
            self._hold(piece)
            if self._held:
                frame = read_frame(bytes(self._held))
                self._held.clear()
                if frame is None:
                    self.damaged += 1
                else:
                    yield frame
        self._hold(rest)

    def _hold(self, piece: bytes) -> None:
        """Keep the beginning of a frame, up to more than the longest one there can be, which is none."""
        self._held += piece[: WIRE - len(self._held)]
