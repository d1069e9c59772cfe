"""One end of a link: every message arrives once and in order, or its sender hears that it did not.

Stop and wait: a message is sent again until it is acknowledged by its sequence number, and the next one follows then.
No input or output and no clock here, so that it is tested in made-up time; `vskd_link.c` is the same machine in C.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from vskd.firmware_bridge.link.framing import VERSION, Frame, FrameReader, Type, frame_bytes

FIRST_WAIT, LONGEST_WAIT = 0.25, 2.0
"""Seconds until a message is sent again; doubles each time, up to the longest."""
TRIES = 8
REFUSED_VERSION, REFUSED_TYPE, REFUSED_SESSION = 1, 2, 3
_KNOWN = frozenset(Type) - {Type.ACK, Type.REFUSE}
_NUMBERS = 1 << 16


@dataclass(frozen=True)
class Message:
    """A message of the peer."""

    type: Type
    payload: bytes


@dataclass(frozen=True)
class Refused:
    """The peer does not take what was sent: `code` is one of REFUSED_*."""

    code: int
    value: int


@dataclass(frozen=True)
class Foreign:
    """The peer speaks another version of the protocol."""

    version: int


@dataclass(frozen=True)
class Lost:
    """The peer does not answer; the session is over."""


Event = Message | Refused | Foreign | Lost


class Endpoint:
    """The state of one end.

    Args:
        is_host: whether it opens the sessions.

    Attributes:
        session: 0 where there is none.
        pending: whether something sent is not acknowledged yet.
        stale, repeated: frames that were left out, as late or as sent twice.
    """

    session: int
    pending: bool
    _next: int
    _expected: int
    _out: bytes  # the message that is pending, and when it is sent again
    _tries: int
    _wait: float
    _deadline: float

    def __init__(self, *, is_host: bool) -> None:
        self.stale = self.repeated = 0
        self._is_host, self._reader = is_host, FrameReader()
        self._written = bytearray()
        self._begin(0)

    @property
    def damaged(self) -> int:
        """Frames whose CRC or shape was wrong."""
        return self._reader.damaged

    def take_written(self) -> bytes:
        """What is to go onto the line now."""
        written = bytes(self._written)
        self._written.clear()
        return written

    def say_hello(self, session: int, now: float) -> None:
        """As the host, open a session.

        Args:
            session: any number of 16 bits but 0 that was not used lately.
            now: seconds of any steady clock.
        """
        self._begin(session)
        self.send(Type.HELLO, b"", now)

    def send(self, type_: Type, payload: bytes, now: float) -> None:
        """Send a message.

        Raises:
            ValueError: there is no session, the message before is pending, or the payload is too long.
        """
        if not self.session or self.pending:
            raise ValueError("the last message is pending" if self.session else "there is no session")
        self._out = frame_bytes(type_, self.session, self._next, payload)
        self.pending, self._tries, self._wait = True, 1, FIRST_WAIT
        self._deadline = now + self._wait
        self._written += self._out

    def tick(self, now: float) -> Lost | None:
        """Send again what is due."""
        if not self.pending or now < self._deadline:
            return None
        if self._tries == TRIES:
            self.pending, self.session = False, 0
            return Lost()
        self._tries += 1
        self._wait = min(2 * self._wait, LONGEST_WAIT)
        self._deadline = now + self._wait
        self._written += self._out
        return None

    def receive(self, received: bytes) -> Iterator[Event]:
        """What happened by these bytes."""
        for frame in self._reader.feed(received):
            event = self._take(frame)
            if event is not None:
                yield event

    def _begin(self, session: int) -> None:
        self.session, self.pending = session, False
        self._next = self._expected = 0

    def _take(self, frame: Frame) -> Event | None:
        if frame.version != VERSION:
            if not self._is_host:  # never both, or they would answer each other without end
                self._refuse(frame, REFUSED_VERSION, VERSION)
            return Foreign(frame.version)
        if frame.type in (Type.ACK, Type.REFUSE):
            return self._take_answer(frame)
        if frame.session != self.session or frame.session == 0:
            if self._is_host:
                self.stale += 1
                return None
            if frame.type != Type.HELLO or frame.sequence != 0 or frame.session == 0:
                self._refuse(frame, REFUSED_SESSION, 0)
                return None
            self._begin(frame.session)
        return self._take_message(frame)

    def _take_answer(self, frame: Frame) -> Refused | None:
        """An answer to what is pending, or a late one to something else."""
        fits = frame.session == self.session and frame.sequence == self._next
        if not self.pending or not fits or (frame.type == Type.REFUSE and len(frame.payload) != 2):
            self.stale += 1
            return None
        self.pending, self._next = False, (self._next + 1) % _NUMBERS
        if frame.type == Type.ACK:
            return None
        code, value = frame.payload
        if code == REFUSED_SESSION:
            self.session = 0
        return Refused(code, value)

    def _take_message(self, frame: Frame) -> Message | None:
        is_new = frame.sequence == self._expected
        if not is_new and frame.sequence != (self._expected - 1) % _NUMBERS:
            self.stale += 1
            return None
        self._expected = (frame.sequence + 1) % _NUMBERS
        self.repeated += not is_new
        if frame.type not in _KNOWN:
            self._refuse(frame, REFUSED_TYPE, frame.type)
            return None
        self._written += frame_bytes(Type.ACK, frame.session, frame.sequence)
        return Message(Type(frame.type), frame.payload) if is_new else None

    def _refuse(self, frame: Frame, code: int, value: int) -> None:
        self._written += frame_bytes(Type.REFUSE, frame.session, frame.sequence, bytes([code, value]))
