"""Lines: what is not there, is taken, is gone or is on another machine is said."""

import importlib
import os
import pty
import socket
import threading
from collections.abc import Callable
from types import ModuleType

import pytest

from vskd.errors import LinkError, MissingExtraError, SettingError
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
