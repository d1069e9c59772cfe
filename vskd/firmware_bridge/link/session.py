"""A host's talk with a device: one message after the other over a line, with time limits and plain errors."""

import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from vskd.errors import LinkError
from vskd.firmware_bridge.link.endpoint import (
    REFUSED_SESSION,
    REFUSED_TYPE,
    Endpoint,
    Event,
    Foreign,
    Lost,
    Message,
    Refused,
)
from vskd.firmware_bridge.link.framing import VERSION
from vskd.firmware_bridge.link.messages import About, AnyMessage, parse
from vskd.firmware_bridge.link.wires import Wire

ANSWER_S = 30.0
"""For an answer to a message that was received: a device may have to erase or hash flash before."""
_STEP_S = 0.02


class Session:
    """An open session; made by `open_session`.

    Attributes:
        about: what the device is.
    """

    about: About

    def __init__(self, wire: Wire) -> None:
        self._wire, self._end = wire, Endpoint(is_host=True)
        self._received: deque[AnyMessage] = deque()

    def greet(self) -> About:
        """Open the session, and hear what the device is."""
        self._end.say_hello(1 + secrets.randbelow((1 << 16) - 1), time.monotonic())
        self._until_sent()
        about = self.expect(ANSWER_S)
        if not isinstance(about, About):
            raise self._wrong(f"it begins with {about.type.name}")
        self.about = about
        return about

    def send(self, message: AnyMessage) -> None:
        """Send a message, and wait until it has arrived.

        Raises:
            LinkError: the device is silent, was started again, speaks another version, or does not know the message.
        """
        self._end.send(message.type, message.pack(), time.monotonic())
        self._until_sent()

    def receive(self, timeout_s: float) -> AnyMessage | None:
        """The next message of the device; None after the time. With 0 only what has been heard already.

        Raises:
            LinkError: as for `send`; or it does not follow the protocol.
        """
        end = time.monotonic() + timeout_s
        while not self._received and time.monotonic() < end:
            self._step()
        return self._received.popleft() if self._received else None

    def expect(self, timeout_s: float) -> AnyMessage:
        """The next message.

        Raises:
            LinkError: as for `receive`; or there is none in time.
        """
        message = self.receive(timeout_s)
        if message is None:
            raise self._wrong(f"it took a message and gave no answer for {timeout_s:.0f} s")
        return message

    def _until_sent(self) -> None:
        self._flush()
        while self._end.pending:
            self._step()

    def _step(self) -> None:
        """Take what has arrived, and send again what is due."""
        for event in self._end.receive(self._wire.read(_STEP_S)):
            self._take(event)
        if self._end.tick(time.monotonic()):
            self._take(Lost())
        self._flush()

    def _flush(self) -> None:
        written = self._end.take_written()
        if written:
            self._wire.write(written)

    def _take(self, event: Event) -> None:
        if isinstance(event, Message):
            self._received.append(parse(event.type, event.payload))
        elif isinstance(event, Foreign):
            raise LinkError(
                f"{self._wire.name} speaks version {event.version} of the link, and this vskd version {VERSION}",
                "Install the vskd that made its firmware, or generate the firmware again",
            )
        elif isinstance(event, Lost):
            damaged = self._end.damaged
            heard = f"only noise ({damaged} damaged frames)" if damaged else "nothing"
            raise LinkError(
                f"{self._wire.name} does not answer; {heard} was heard", "Check device, cable, port and baud rate"
            )
        else:
            raise self._refused(event)

    def _refused(self, event: Refused) -> LinkError:
        if event.code == REFUSED_SESSION:
            return LinkError(
                f"{self._wire.name} was started again meanwhile", "Give the same command again; a transfer goes on"
            )
        if event.code == REFUSED_TYPE:
            return self._wrong(f"it does not know messages of type 0x{event.value:02x}")
        return self._wrong(f"it refuses with code {event.code}")

    def _wrong(self, what: str) -> LinkError:
        return LinkError(f"{self._wire.name} does not follow the protocol: {what}", "Generate its firmware again")


@contextmanager
def open_session(wire: Wire) -> Iterator[Session]:
    """Talk with the device at the other end of a line, which is closed at the end.

    Raises:
        LinkError: nobody answers, or not as the protocol says.
    """
    try:
        session = Session(wire)
        session.greet()
        yield session
    finally:
        wire.close()
