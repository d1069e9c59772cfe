"""A device in Python at the other end of a socket pair, for what C would not do: it is silent, or answers nonsense."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vskd.firmware_bridge.link.endpoint import Endpoint, Message
from vskd.firmware_bridge.link.framing import Type
from vskd.firmware_bridge.link.messages import About, AnyMessage, parse
from vskd.firmware_bridge.link.wires import SocketWire

ABOUT = About(bytes(range(32)), 50.0, 1 << 20, False, "accelerometer", "g", ("x", "y", "z"))
Answers = Callable[[AnyMessage], list[AnyMessage | bytes]]
"""What a device says to a message: messages, or raw bytes on the line."""


@contextmanager
def device(answers: Answers, about: AnyMessage = ABOUT) -> Iterator[SocketWire]:
    """The host's end of the line to a device that answers so."""
    here, there = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(there, answers, about), daemon=True)
    thread.start()
    try:
        yield SocketWire(here, "the device")
    finally:
        here.close()
        thread.join(5)
        assert not thread.is_alive()


def _serve(line: socket.socket, answers: Answers, about: AnyMessage) -> None:
    end, waiting = Endpoint(is_host=False), list[AnyMessage | bytes]()
    line.settimeout(0.01)
    with line:
        while (received := _received(line)) is not None:
            for event in end.receive(received):
                if isinstance(event, Message):
                    message = parse(event.type, event.payload)
                    waiting += [about] if message.type == Type.HELLO else answers(message)
            if waiting and not end.pending and end.session:
                answer = waiting.pop(0)
                if answer == b"":
                    return  # the cable is pulled
                if isinstance(answer, bytes):
                    line.sendall(answer)
                else:
                    end.send(answer.type, answer.pack(), time.monotonic())
            end.tick(time.monotonic())
            with contextlib.suppress(OSError):
                line.sendall(end.take_written())


def _received(line: socket.socket) -> bytes | None:
    """What has arrived; None where the host is gone."""
    try:
        return line.recv(4096) or None
    except TimeoutError:
        return b""
    except OSError:
        return None
