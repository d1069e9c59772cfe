"""Flash whose power is cut at a chosen write, and the slot store on it in Python and in C; the long form: `make soak`.

python -m tests.firmware_bridge.link.slot_rules --seconds 600
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.firmware_bridge.link.harness import build_harness
from vskd.firmware_bridge.link.messages import PIECE, Answer, Outcome
from vskd.firmware_bridge.link.parcel import is_parcel
from vskd.firmware_bridge.link.slots import FlashError, Slots

SECTOR, SLOT = 1024, 8 * 1024
PARTS = ("vskd_link.c", "vskd_messages.c", "vskd_sha256.c", "vskd_slots.c", "vskd_parcel.c", "vskd_update.c")


class State(NamedTuple):
    """After a command: writes and erasures so far, and a CRC of the flash."""

    operations: int
    crc: int


class MemoryFlash:
    """Flash as `slots_harness.c` has it, torn by the same made-up chance."""

    def __init__(self, sector: int = SECTOR, slot: int = SLOT) -> None:
        self.sector_bytes, self.slot_bytes = sector, slot
        self.content = bytearray(b"\xff" * 2 * slot)
        self.operations, self.off, self.until_cut, self.tearing = 0, False, -1, 0
        self.pieces = 0
        """Pieces of a parcel that were written whole."""

    def erase(self, offset: int) -> None:
        assert offset % self.sector_bytes == 0
        self._change(offset, b"\xff" * self.sector_bytes)

    def program(self, offset: int, content: bytes) -> None:
        if not self.off:
            assert set(self.content[offset : offset + len(content)]) == {255}, "programmed twice"
        self._change(offset, content)
        self.pieces += len(content) == PIECE

    def read(self, offset: int, count: int) -> bytes:
        if self.off:
            raise FlashError
        return bytes(self.content[offset : offset + count])

    def _chance(self) -> int:
        self.tearing = (self.tearing * 1664525 + 1013904223) % (1 << 32)
        return self.tearing >> 8

    def _change(self, offset: int, content: bytes) -> None:
        if self.off:
            raise FlashError
        manner = self.tearing % 4
        self.operations += 1
        if self.until_cut:
            self.until_cut -= self.until_cut > 0
            self.content[offset : offset + len(content)] = content
            return
        self.off, part = True, self._chance() % (len(content) + 1)
        for i, wanted in enumerate(content if manner != 3 else b""):
            mask, there = self._chance() & 255, self.content[offset + i]
            if (manner == 0 and i < part) or (manner == 1 and self._chance() % 2 == 0):
                self.content[offset + i] = wanted
            elif manner == 2:
                self.content[offset + i] = there & ~mask & 255 | wanted & mask
        raise FlashError


class InPython:
    """The store in Python, by the commands of `slots_harness.c`."""

    def __init__(self, *, check: bool = False) -> None:
        self.flash, self._check = MemoryFlash(), is_parcel if check else None
        self.store = Slots(self.flash, self._check)

    def cut(self, operations: int, tearing: int) -> None:
        self.flash.until_cut, self.flash.tearing = operations, tearing

    def boot(self) -> int:
        if self.flash.off:
            self.flash.off, self.flash.until_cut = False, -1
        self.store = Slots(self.flash, self._check)
        running = self.store.boot()
        return -1 if running is None else running

    def confirm(self) -> int:
        return int(self.store.confirm())

    def send(self, parcel: bytes) -> tuple[int, int]:
        """An outcome, or 100 + an answer; and where it began."""
        answer, start = self.store.begin(len(parcel), hashlib.sha256(parcel).digest())
        if answer != Answer.SEND:
            return 100 + answer, start
        for at in range(start, len(parcel), PIECE):
            outcome = self.store.write(at, parcel[at : at + PIECE])
            if outcome != Outcome.ACTIVE:
                return int(outcome), start
        return int(self.store.finish()), start

    def state(self) -> State:
        return State(self.flash.operations, zlib.crc32(self.flash.content))

    def dump(self) -> bytes:
        return bytes(self.flash.content)

    def load(self, content: bytes) -> None:
        self.flash = MemoryFlash()
        self.flash.content[:] = content
        self.boot()

    def close(self) -> None:
        pass


class InC:
    """The store in C, with sanitizers."""

    def __init__(self, program: Path, *, check: bool = False) -> None:
        command = [str(program), str(SECTOR), str(SLOT), str(int(check))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.boot()

    def cut(self, operations: int, tearing: int) -> None:
        self._write(f"cut {operations} {tearing}\n".encode())

    def boot(self) -> int:
        return self._ask(b"boot\n")[0]

    def confirm(self) -> int:
        return self._ask(b"confirm\n")[0]

    def send(self, parcel: bytes) -> tuple[int, int]:
        outcome, start = self._ask(f"send {len(parcel)}\n".encode() + parcel + b"\n")
        return outcome, start

    def state(self) -> State:
        return State(*self._ask(b"state\n"))

    def dump(self) -> bytes:
        self._write(b"dump\n")
        assert self._process.stdout is not None
        return self._process.stdout.read(2 * SLOT)

    def load(self, content: bytes) -> None:
        self._write(b"load\n" + content + b"\n")
        self.boot()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0

    def _write(self, command: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command)
        self._process.stdin.flush()

    def _ask(self, command: bytes) -> list[int]:
        self._write(command)
        assert self._process.stdout is not None
        return [int(word) for word in self._process.stdout.readline().split()]


Store = InPython | InC


def parcel(seed: int, size: int = 3 * SECTOR - 170) -> bytes:
    return random.Random(seed).randbytes(size)


OLD, NEW = parcel(1), parcel(2)


def with_old(store: Store) -> bytes:
    """Flash in which OLD is confirmed."""
    assert store.send(OLD) == (0, 0) and store.boot() == 0 and store.confirm() == 1
    return store.dump()


def runs(store: Store, slot: int) -> bytes:
    """What the slot that was started holds: OLD, NEW, or something that is neither."""
    content = store.dump()[slot * SLOT + SECTOR :]
    return next((p for p in (OLD, NEW) if slot >= 0 and content[: len(p)] == p), b"neither")


def update(store: Store) -> Iterator[int]:
    """Send NEW, start it, confirm it, start it again; what each step says."""
    yield from store.send(NEW)
    yield store.boot()
    yield store.confirm()
    yield store.boot()


def cut_and_go_on(stores: list[Store], flash: bytes, cuts: list[tuple[int, int]]) -> int:
    """Update with the power cut at each of `cuts`; then once more without. Where the last transfer went on.

    Raises:
        AssertionError: no whole bundle was started, the update did not come through, or the stores differ.
    """
    found = []
    for store in stores:
        store.load(flash)
        for operations, tearing in cuts:
            store.cut(operations, tearing)
            for _ in update(store):
                pass
            running = store.boot()  # again, for the power may have been cut while it started
            assert runs(store, running) in (OLD, NEW), cuts
        store.cut(-1, 0)
        if runs(store, running) == NEW:
            store.confirm()
        outcome, start = store.send(NEW)
        assert outcome in (0, 100 + Answer.HAVE), (outcome, cuts)
        assert runs(store, store.boot()) == NEW and store.confirm() == 1, cuts
        assert runs(store, store.boot()) == NEW
        found.append((outcome, start, store.dump()))
    assert all(other == found[0] for other in found), ("Python and C differ", cuts)
    return found[0][1] if found[0][0] == 0 else len(NEW)


def main() -> int:
    """Random cuts, up to four in a row, in Python and C at once, until the time is up; prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    end, generator, figures = time.monotonic() + parser.parse_args().seconds, random.Random(0), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "slots"
        build_harness(program, "slots_harness", *PARTS)
        stores: list[Store] = [InPython(), InC(program)]
        flash = with_old(stores[0])
        while time.monotonic() < end:
            count = generator.randrange(1, 5)
            cut_and_go_on(
                stores, flash, [(generator.randrange(30), generator.randrange(1 << 32)) for _ in range(count)]
            )
            figures.update(updates=1, cuts=count)
        stores[1].close()
    print(json.dumps({"wrong": 0, **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
