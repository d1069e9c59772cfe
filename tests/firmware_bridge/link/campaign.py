"""A line that loses, flips, repeats, reorders and cuts what it carries; the long form: `make soak`.

python -m tests.firmware_bridge.link.campaign --seconds 600
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from tests.firmware_bridge.link.harness import CEndpoint, build_harness
from vskd.firmware_bridge.link.endpoint import Endpoint, Lost, Message
from vskd.firmware_bridge.link.framing import MOST, Type, frame_bytes

AnyEnd = Endpoint | CEndpoint
STEP_S = 0.05


@dataclass
class BadLine:
    """One direction after the other: frames are spoilt, and arrive when they arrive."""

    random: random.Random
    spoilt: float = 0.3
    done: Counter[str] = field(default_factory=Counter)

    def carry(self, wire: bytes) -> list[bytes]:
        """What comes out for what goes in: nothing, itself, or something spoilt."""
        if not wire or self.random.random() > self.spoilt:
            return [wire] if wire else []
        trouble = self.random.choice(["lost", "flipped", "repeated", "cut", "inserted", "dropped byte"])
        self.done[trouble] += 1
        at = self.random.randrange(len(wire))
        if trouble == "lost":
            return []
        if trouble == "repeated":
            return [wire, wire]
        if trouble == "cut":
            return [wire[:at]]
        if trouble == "flipped":
            flip = bytes([wire[at] ^ (1 << self.random.randrange(8))])
            return [wire[:at] + flip + wire[at + 1 :]]
        garbage = self.random.randbytes(self.random.randrange(1, 40)) if trouble == "inserted" else b""
        return [wire[:at] + garbage + wire[at + (trouble == "dropped byte") :]]


@dataclass(frozen=True)
class Found:
    """What a transfer over a bad line took; `lost`: eight tries in a row failed, and the sender heard so."""

    messages: int
    lost: bool
    resent: int
    damaged: int
    seconds: float


@dataclass
class _Way:
    """One direction: what is under way, with the time at which it arrives."""

    line: BadLine
    under_way: list[tuple[float, bytes]] = field(default_factory=list)
    frames: int = 0

    def put(self, wire: bytes, now: float) -> None:
        self.frames += wire.count(b"\0\0") + bool(wire)
        for piece in self.line.carry(wire):
            late = self.line.random.choice([0.0, 0.0, 0.0, 0.4])  # overtaken by what follows
            self.under_way.append((now + late, piece))

    def arrived(self, now: float) -> bytes:
        here = [piece for at, piece in self.under_way if at <= now]
        self.under_way = [(at, piece) for at, piece in self.under_way if at > now]
        return b"".join(here)


def deliver_all(ends: tuple[AnyEnd, AnyEnd], line: BadLine, messages: int) -> Found:
    """Send numbered messages both ways at once; AssertionError where one is missing, doubled, moved or changed."""
    host, device = ends
    waiting = {id(host): list(range(messages)), id(device): list(range(messages))}
    got: dict[int, list[bytes]] = {id(host): [], id(device): []}
    sent = [_payload(number) for number in range(messages)]
    ways = {id(host): _Way(line), id(device): _Way(line)}  # from this end to the other
    now, is_open = 0.0, False
    while any(waiting.values()) or host.pending or device.pending or not is_open:
        if not host.session:  # never opened, or lost to too many damaged frames in a row
            assert not is_open, "the session was lost"
            host.say_hello(7, now)
        for end, other in ((host, device), (device, host)):
            if end.tick(now) is not None and is_open:
                assert all(got[id(end)] == sent[: len(got[id(end)])] for end in (host, device))
                return Found(sum(map(len, got.values())), True, 0, 0, now)
            if end.session and not end.pending and waiting[id(end)] and is_open:
                end.send(Type.END, sent[waiting[id(end)].pop(0)], now)
            ways[id(end)].put(end.take_written(), now)
            for event in other.receive(ways[id(end)].arrived(now)):
                assert isinstance(event, Message) and not isinstance(event, Lost)
                is_open = is_open or event.type == Type.HELLO
                if event.type != Type.HELLO:
                    got[id(other)].append(event.payload)
        now += STEP_S
        assert now < 60 * messages
    assert got == {id(host): sent, id(device): sent}
    least = 4 * messages
    frames = sum(way.frames for way in ways.values())
    return Found(2 * messages, False, frames - least, host.damaged + device.damaged, now)


def _payload(number: int) -> bytes:
    generator = random.Random(number)
    return number.to_bytes(2, "little") + generator.choice([bytes(20), generator.randbytes(generator.randrange(300))])


def damaged_stream(generator: random.Random, frames: int) -> bytes:
    """Frames of all kinds, of two sessions, near the numbers that are expected; many damaged, some of them twice."""
    line, stream = BadLine(generator, spoilt=0.5), bytearray()
    for _ in range(frames):
        if generator.random() < 0.1:
            stream += generator.randbytes(generator.randrange(700))
            continue
        payload = generator.randbytes(generator.choice([0, 2, 2, 30, 253, 254, 255, MOST]))
        type_ = generator.choice([*Type, 0x55, 0])
        wire = frame_bytes(type_, generator.choice([0, 7, 7, 7, 8]), generator.randrange(4), payload)
        stream += b"".join(line.carry(wire))
    return bytes(stream)


def main() -> int:
    """Bad lines and garbage, Python against C, until the time is up; prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    end = time.monotonic() + parser.parse_args().seconds
    figures: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        harness = Path(folder) / "harness"
        build_harness(harness, "harness", "vskd_link.c", "vskd_messages.c")
        for seed in range(1 << 30):
            if time.monotonic() > end:
                break
            _one(seed, harness, figures)
    print(json.dumps({"wrong": 0, **figures}))
    return 0


def _one(seed: int, harness: Path, figures: Counter[str]) -> None:
    """One transfer in each pair of languages, then garbage; an AssertionError names the seed."""
    generator = random.Random(seed)
    for host_in_c, device_in_c in product((False, True), repeat=2):
        host = CEndpoint(harness, is_host=True) if host_in_c else Endpoint(is_host=True)
        device = CEndpoint(harness, is_host=False) if device_in_c else Endpoint(is_host=False)
        found = deliver_all((host, device), BadLine(generator), messages=40)
        figures.update(
            messages=found.messages, sessions=1, sessions_lost=found.lost, resent=found.resent, damaged=found.damaged
        )
        for one in (host, device):
            if isinstance(one, CEndpoint):
                one.close()
    python, c = Endpoint(is_host=False), CEndpoint(harness, is_host=False)
    for _ in range(20):
        stream = damaged_stream(generator, frames=60)
        assert list(python.receive(stream)) == list(c.receive(stream)), seed
        assert python.take_written() == c.take_written(), seed
        figures.update(fuzzed_bytes=len(stream), fuzzed_frames=60)
    c.close()


if __name__ == "__main__":
    sys.exit(main())
