"""Lines: what is not there, is taken, is gone or is on another machine is said."""

import importlib
import os
import pty
import socket
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from vskd.errors import LinkError, MissingExtraError, SettingError
from vskd.firmware_bridge.link import wires
from vskd.firmware_bridge.link.session import open_session
from vskd.firmware_bridge.link.wires import SerialWire, SocketWire, connect, loopback


def test_a_socket_there_and_back() -> None:
    here, there = socket.socketpair()
    wire = SocketWire(here, "x")
    assert wire.read(0.01) == b""
    there.sendall(b"abc")
    assert wire.read(1) == b"abc"
    wire.write(b"def")
    assert there.recv(10) == b"def"
    there.close()
    with pytest.raises(
        LinkError, match=r"The line to x broke: the other end has closed .* give the same command again"
    ):
        wire.read(1)
    with pytest.raises(LinkError, match="The line to x broke"):
        for _ in range(3):
            wire.write(bytes(100_000))
    wire.close()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(LinkError, match=f"Nobody listens at 127.0.0.1:{port}: .*Start the device"):
        connect(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("192.168.1.5:80", r"is not on this machine. Use 127.0.0.1:PORT; .*ssh -L"),
        ("0.0.0.0:80", "is not on this machine"),
        ("127.0.0.1:70000", "is not on this machine"),
        ("watch:80", "is no address. Write HOST:PORT"),
        ("127.0.0.1", "is no address"),
        ("127.0.0.1:x", "is no address"),
    ],
)
def test_addresses_that_are_refused(address: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        loopback(address)


@pytest.mark.parametrize(("address", "expected"), [("127.0.0.1:5", ("127.0.0.1", 5)), ("[::1]:9", ("::1", 9))])
def test_addresses_of_this_machine(address: str, expected: tuple[str, int]) -> None:
    assert loopback(address) == expected


def test_without_pyserial_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., ModuleType] = importlib.import_module

    def absent(name: str, *rest: str) -> ModuleType:
        if name == "serial":
            raise ImportError
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'vskd\[serial\]'"):
        SerialWire("/dev/ttyACM0")


def test_a_port_that_is_not_there() -> None:
    pytest.importorskip("serial", reason="needs pyserial (extra serial)")
    with pytest.raises(LinkError, match=r"/dev/no-such-port cannot be opened: .* Name the port of the device"):
        SerialWire("/dev/no-such-port")


def test_a_serial_port_carries_a_session() -> None:
    """A pseudo-terminal, raw as pyserial sets it: zeros and all other bytes pass."""
    pytest.importorskip("serial", reason="needs pyserial (extra serial)")
    from tests.firmware_bridge.link.device import ABOUT, _serve

    master, slave = pty.openpty()
    wire = SerialWire(os.ttyname(slave), 9600)
    here, there = socket.socketpair()
    threading.Thread(target=_serve, args=(there, lambda _: [], ABOUT), daemon=True).start()

    def pump(read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        try:
            while content := read():
                write(content)
        except OSError:
            return

    ways = [
        (lambda: os.read(master, 100), here.sendall),
        (lambda: here.recv(100), lambda content: os.write(master, content)),
    ]
    for way in ways:
        threading.Thread(target=pump, args=way, daemon=True).start()
    with open_session(wire) as session:
        assert session.about == ABOUT
    os.close(slave)
    here.close()


class Port:
    """A serial port in memory."""

    def __init__(self, *words: object, **named: object) -> None:
        self.opened, self.named = words, named
        self.timeout: float | None = None
        self.arrived, self.sent, self.gone, self.closed = bytearray(), bytearray(), False, False

    @property
    def in_waiting(self) -> int:
        return len(self.arrived)

    def read(self, count: int) -> bytes:
        if self.gone:
            raise OSError("unplugged")
        taken = bytes(self.arrived[:count])
        del self.arrived[:count]
        return taken

    def write(self, content: bytes) -> None:
        if self.gone:
            raise OSError("unplugged")
        self.sent += content

    def close(self) -> None:
        self.closed = True


def test_a_serial_port_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "_serial", lambda: SimpleNamespace(Serial=Port, SerialException=ValueError))
    wire = SerialWire("/dev/x")
    port = wire._port
    assert (port.opened, port.named) == (("/dev/x", 115_200), {"timeout": 0, "exclusive": True})
    assert SerialWire("/dev/x", 300)._port.opened == ("/dev/x", 300)
    assert wire.read(0.25) == b"" and port.timeout == 0.25
    port.arrived += b"abc"
    assert wire.read(0) == b"abc"  # not one byte at a time
    wire.write(b"def")
    assert port.sent == b"def"
    port.gone = True
    for call in (lambda: wire.read(0), lambda: wire.write(b"x")):
        with pytest.raises(LinkError, match="The line to /dev/x broke: unplugged"):
            call()
    wire.close()
    assert port.closed


def test_a_speed_that_a_port_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ValueError("no such speed")

    monkeypatch.setattr(wires, "_serial", lambda: SimpleNamespace(Serial=refused, SerialException=KeyError))
    with pytest.raises(LinkError, match="/dev/x cannot be opened: no such speed"):
        SerialWire("/dev/x", 7)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("localhost:0", ("127.0.0.1", 0)), ("127.0.0.1:65535", ("127.0.0.1", 65535)), ("127.5.0.1:1", ("127.5.0.1", 1))],
)
def test_every_port_of_this_machine(address: str, expected: tuple[str, int]) -> None:
    assert loopback(address) == expected


@pytest.mark.parametrize("address", ["127.0.0.1:65536", "127.0.0.1:-1"])
def test_numbers_that_are_no_port(address: str) -> None:
    with pytest.raises(SettingError, match="is not on this machine"):
        loopback(address)


def test_a_connection_is_waited_for_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(wires.socket, "create_connection", lambda *words: asked.extend(words) or "a socket")
    assert connect("localhost:7").name == "localhost:7" and asked == [("127.0.0.1", 7), 5.0]


def test_a_socket_is_read_in_pieces_and_closed() -> None:
    here, there = socket.socketpair()
    wire = SocketWire(here, "x")
    there.sendall(bytes(5000))
    assert [len(wire.read(1)), len(wire.read(1)), wire.read(0)] == [4096, 904, b""]
    wire.close()
    assert here.fileno() == -1
    there.close()


def test_one_byte_is_waited_for_and_the_rest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "_serial", lambda: SimpleNamespace(Serial=Port, SerialException=ValueError))
    wire = SerialWire("/dev/x")
    port, asked = wire._port, []
    real = port.read
    port.read = lambda count: asked.append(count) or real(count)
    port.arrived += b"abcd"
    assert wire.read(2.5) == b"abcd" and asked == [1, 3] and port.timeout == 2.5
