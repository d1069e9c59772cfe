"""What the bytes of a link go over: a serial port, or TCP on this machine."""

import importlib
import ipaddress
import select
import socket
from types import ModuleType
from typing import Protocol

from vskd.errors import LinkError, MissingExtraError, SettingError

BAUD = 115_200
CONNECT_S = 5.0
_PIECE = 4096


class Wire(Protocol):
    """A line.

    Attributes:
        name: for messages.
    """

    name: str

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; empty after the time. Raises LinkError where the line is gone."""

    def write(self, content: bytes) -> None:
        """Send. Raises LinkError where the line is gone."""

    def close(self) -> None:
        """Let go."""


class SocketWire:
    """A connected socket."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self.name, self._socket = name, connection

    def read(self, timeout_s: float) -> bytes:
        """See `Wire`."""
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return b""
        try:
            received = self._socket.recv(_PIECE)
        except OSError as error:
            raise _gone(self.name, str(error.strerror or error)) from error
        if not received:
            raise _gone(self.name, "the other end has closed the connection")
        return received

    def write(self, content: bytes) -> None:
        """See `Wire`."""
        try:
            self._socket.sendall(content)
        except OSError as error:
            raise _gone(self.name, str(error.strerror or error)) from error

    def close(self) -> None:
        """See `Wire`."""
        self._socket.close()


class SerialWire:
    """A serial port, opened by pyserial."""

    def __init__(self, port: str, baud: int = BAUD) -> None:
        serial = _serial()
        self.name, self._broken = port, (serial.SerialException, OSError)
        try:
            self._port = serial.Serial(port, baud, timeout=0, exclusive=True)
        except (*self._broken, ValueError) as error:
            raise LinkError(f"{port} cannot be opened: {error}", "Name the port of the device with --port") from error

    def read(self, timeout_s: float) -> bytes:
        """See `Wire`."""
        try:
            self._port.timeout = timeout_s
            return bytes(self._port.read(1) + self._port.read(self._port.in_waiting))
        except self._broken as error:
            raise _gone(self.name, str(error)) from error

    def write(self, content: bytes) -> None:
        """See `Wire`."""
        try:
            self._port.write(content)
        except self._broken as error:
            raise _gone(self.name, str(error)) from error

    def close(self) -> None:
        """See `Wire`."""
        self._port.close()


def connect(address: str) -> SocketWire:
    """Connect to HOST:PORT on this machine.

    Raises:
        SettingError: it is no address, or one of another machine.
        LinkError: nobody listens there.
    """
    host, port = loopback(address)
    try:
        return SocketWire(socket.create_connection((host, port), CONNECT_S), address)
    except OSError as error:
        raise LinkError(
            f"Nobody listens at {address}: {error.strerror or error}", "Start the device, or `vskd link simulate`"
        ) from error


def loopback(address: str) -> tuple[str, int]:
    """The two parts of HOST:PORT, which must be on this machine: the link knows neither passwords nor secrets.

    Raises:
        SettingError: it is no address, or one of another machine.

    >>> loopback("localhost:7878")
    ('127.0.0.1', 7878)
    """
    name, _, port = address.rpartition(":")
    name = "127.0.0.1" if name == "localhost" else name.strip("[]")
    try:
        is_here, number = ipaddress.ip_address(name).is_loopback, int(port)
    except ValueError as error:
        raise SettingError(f"'{address}' is no address", "Write HOST:PORT, e.g. 127.0.0.1:7878") from error
    if not is_here or not 0 <= number < 1 << 16:
        raise SettingError(
            f"{address} is not on this machine",
            "Use 127.0.0.1:PORT; the link has no encryption, but `ssh -L` brings a device here",
        )
    return name, number


def _serial() -> ModuleType:
    try:
        return importlib.import_module("serial")
    except ImportError as error:
        raise MissingExtraError("pyserial", "serial") from error


def _gone(name: str, why: str) -> LinkError:
    return LinkError(f"The line to {name} broke: {why}", "Connect the device and give the same command again")
