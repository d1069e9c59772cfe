"""The link in C, driven from Python."""

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from vskd.firmware_bridge.generate import RUNTIME
from vskd.firmware_bridge.link.endpoint import Event, Foreign, Lost, Message, Refused
from vskd.firmware_bridge.link.framing import Type
from vskd.firmware_bridge.toolchain import Build, build_program

HOST = Build("C, gcc", "gcc", ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"))
LINK = RUNTIME / "link"
SENT, LOST = 8, 4


def build_harness(out: Path, name: str = "harness", *parts: str) -> None:
    """Compile a harness of this folder with what it needs of the runtime, with sanitizers."""
    sources = [str(Path(__file__).parent / f"{name}.c"), *(str(LINK / part) for part in parts)]
    build_program(HOST, LINK, sources, out)


class CEndpoint:
    """`vskd_link` as if it were `Endpoint`."""

    def __init__(self, program: Path, *, is_host: bool) -> None:
        self._process = subprocess.Popen(
            [str(program), "endpoint", str(int(is_host))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._written = b""
        self.session = self.expected = self.damaged = self.stale = self.repeated = 0
        self.pending = False

    def close(self) -> None:
        self._input.close()
        assert self._process.wait(10) == 0

    def take_written(self) -> bytes:
        written, self._written = self._written, b""
        return written

    def say_hello(self, session: int, now: float) -> None:
        self._status(b"o" + struct.pack("<HI", session, _ms(now)))

    def send(self, type_: int, payload: bytes, now: float) -> None:
        status = self._status(b"s" + struct.pack("<BHI", type_, len(payload), _ms(now)) + payload)
        if status != SENT:
            raise ValueError(f"status {status}")

    def tick(self, now: float) -> Lost | None:
        return Lost() if self._status(b"t" + struct.pack("<I", _ms(now))) == LOST else None

    def receive(self, received: bytes) -> Iterator[Event]:
        for at in range(0, len(received), 60000):
            piece = received[at : at + 60000]
            for status, type_, code, value, payload in self._call(b"r" + struct.pack("<H", len(piece)) + piece):
                yield {1: Message(Type(type_ or 1), payload), 2: Refused(code, value), 3: Foreign(value)}[status]

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _status(self, command: bytes) -> int:
        events = self._call(command)
        return events[0][0] if events else 0

    def _call(self, command: bytes) -> list[tuple[int, int, int, int, bytes]]:
        assert self._process.stdout is not None
        self._input.write(command)
        self._input.flush()
        events = []
        while True:
            kind, *words = self._process.stdout.readline().decode().split()
            if kind == "W":
                self._written += bytes.fromhex(words[0])
            elif kind == "E":
                numbers = [int(word) for word in words[:4]]
                events.append((*numbers, bytes.fromhex(words[4] if len(words) > 4 else "")))
            else:
                self.session, self.expected, pending, self.damaged, self.stale, self.repeated = map(int, words)
                self.pending = bool(pending)
                return events  # type: ignore[return-value]


def _ms(now: float) -> int:
    return round(now * 1000) % (1 << 32)
