"""Two slots in flash, A and B, for a bundle each: `vskd_slots.c` in Python; bytes and rules are in docs/link.md.

The device always starts a whole bundle whose SHA-256 is right, the old one or the new one, wherever the power was cut,
and a transfer goes on where it stopped. Records are only ever appended; one that a power cut has torn has a wrong CRC,
and is none. To activate is to append one record.
"""

import contextlib
import hashlib
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from vskd.firmware_bridge.link.messages import PIECE, Answer, Outcome

RECORD = struct.Struct("<IIII32s12xI")
RECORD_BYTES = 64
TRIES = 3
"""Starts that a new bundle has to confirm itself."""
KEPT = 8
"""Records that progress does not use."""
BLANK = b"\xff" * RECORD_BYTES


class Kind(IntEnum):
    """What a record says."""

    OFFER = 1
    PROGRESS = 2
    ACTIVE = 3
    TRIED = 4
    CONFIRMED = 5


class FlashError(Exception):
    """The flash could not be erased, programmed or read."""


class Flash(Protocol):
    """The flash of a device; each call may raise FlashError.

    Attributes:
        sector_bytes: what is erased at once; a multiple of `PIECE` that holds at least 16 records.
        slot_bytes: of one slot, its sector of records included.
    """

    sector_bytes: int
    slot_bytes: int

    def erase(self, offset: int) -> None:
        """Set a sector to 0xff."""

    def program(self, offset: int, content: bytes) -> None:
        """Write an aligned piece into erased flash."""

    def read(self, offset: int, count: int) -> bytes:
        """What is there."""


@dataclass
class Slot:
    """What the records of a slot say.

    Attributes:
        sequence: of the offer; the newer bundle has the larger one. 0: no offer.
        size, sha256: of the parcel.
        complete: bytes that need not be sent again.
        tries: starts without a confirmation.
        next: place of the next record.
    """

    sequence: int = 0
    size: int = 0
    sha256: bytes = b""
    complete: int = 0
    active: bool = False
    tries: int = 0
    confirmed: bool = False
    next: int = 0

    def take(self, kind: int, sequence: int, value: int, size: int, sha256: bytes) -> None:
        """Take a record into account."""
        if kind == Kind.OFFER:
            self.sequence, self.size, self.sha256 = sequence, size, sha256
        elif kind == Kind.PROGRESS:
            self.complete = value
        elif kind == Kind.TRIED:
            self.tries += 1
        self.active = self.active or kind == Kind.ACTIVE
        self.confirmed = self.confirmed or kind == Kind.CONFIRMED

    def is_same(self, size: int, sha256: bytes) -> bool:
        """Whether the offer was of this parcel."""
        return (self.size, self.sha256) == (size, sha256)


class Slots:
    """The store.

    Args:
        flash: both slots, one behind the other.
        check: of a parcel before it is activated; None: its SHA-256 alone.

    Attributes:
        running: the slot that was started; None: none is.
        slots: what the records say.
    """

    _written: int
    """Bytes of the parcel that goes on in the target, where there is one."""

    def __init__(self, flash: Flash, check: Callable[[bytes], bool] | None = None) -> None:
        self.flash = flash
        self.running: int | None = None
        self._check = check
        self._target: int | None = None
        self.slots = [self._scan(0), self._scan(1)]

    @property
    def capacity(self) -> int:
        """Bytes of the largest parcel."""
        return self.flash.slot_bytes - self.flash.sector_bytes

    @property
    def on_trial(self) -> bool:
        """Whether the running bundle is not confirmed."""
        return self.running is not None and not self.slots[self.running].confirmed

    def content(self, slot: int) -> bytes:
        """The parcel in a slot."""
        return self.flash.read(self._content_at(slot), self.slots[slot].size)

    def boot(self) -> int | None:
        """The slot to run; counts the start of a bundle that is not confirmed yet."""
        newer = int(self.slots[1].sequence > self.slots[0].sequence)
        whole = [slot for slot in (newer, 1 - newer) if self._is_whole(slot)]
        self._target = None
        self.running = next((slot for slot in whole if self._may_run(slot)), None)
        if self.running is None:  # better one that did not confirm itself than none
            self.running = next(iter(whole), None)
        return self.running

    def confirm(self) -> bool:
        """The running bundle works; whether flash says so now."""
        if self.running is None:
            return False
        return self.slots[self.running].confirmed or self._append(self.running, Kind.CONFIRMED)

    def begin(self, size: int, sha256: bytes) -> tuple[Answer, int]:
        """Answer an offer, with the offset to go on from; never touches the slot that runs."""
        self._target = None
        if not 0 < size <= self.capacity:
            return Answer.TOO_LARGE, 0
        if self.running is not None and self.slots[self.running].is_same(size, sha256):
            return Answer.HAVE, 0
        if self.on_trial:  # the other slot is what it falls back to
            return Answer.UNCONFIRMED, 0
        target = int(self.running == 0 or (self.running is None and self.slots[1].is_same(size, sha256)))
        found = self.slots[target]
        same = found.is_same(size, sha256)
        if same and found.active and found.tries < TRIES and self._is_whole(target):
            return Answer.HAVE, 0
        if (not same or found.active) and not self._note_offer(target, size, sha256):
            return Answer.FLASH, 0
        self._target, self._written = target, self.slots[target].complete
        return Answer.SEND, self._written

    def write(self, offset: int, content: bytes) -> Outcome:
        """Take the next piece: `PIECE` bytes, or what is left."""
        if self._target is None:
            return Outcome.OUT_OF_ORDER
        size = self.slots[self._target].size
        if offset != self._written or len(content) != min(PIECE, size - offset) or not content:
            return Outcome.OUT_OF_ORDER
        piece, at = content.ljust(PIECE, b"\xff"), self._content_at(self._target) + offset
        try:
            if offset % self.flash.sector_bytes == 0:
                self.flash.erase(at)
            self.flash.program(at, piece)
            written = self.flash.read(at, PIECE) == piece
        except FlashError:
            written = False
        if not written:
            self._target = None
            return Outcome.FLASH
        self._written += len(content)
        if self._written % self.flash.sector_bytes == 0 or self._written == size:
            self._note_progress(self._target)
        return Outcome.ACTIVE

    def finish(self) -> Outcome:
        """Check the parcel and make it the one that is started next."""
        target = self._target
        if target is None or self._written != self.slots[target].size:
            return Outcome.OUT_OF_ORDER
        self._target = None
        try:
            content = self.content(target)
        except FlashError:
            return Outcome.FLASH
        if hashlib.sha256(content).digest() != self.slots[target].sha256:
            outcome = Outcome.OTHER_HASH
        elif self._check is not None and not self._check(content):
            outcome = Outcome.OTHER_MANIFEST
        elif not self._append(target, Kind.ACTIVE):
            outcome = Outcome.FLASH
        else:
            return Outcome.ACTIVE
        with contextlib.suppress(FlashError):  # what is wrong is not gone on with: the next offer begins anew
            self.flash.erase(self._base(target))
        self.slots[target] = self._scan(target)
        return outcome

    def _base(self, slot: int) -> int:
        return slot * self.flash.slot_bytes

    def _content_at(self, slot: int) -> int:
        return self._base(slot) + self.flash.sector_bytes

    @property
    def _records(self) -> int:
        return self.flash.sector_bytes // RECORD_BYTES

    def _scan(self, slot: int) -> Slot:
        """Read the records of a slot. One that is torn is left out; those behind it count."""
        found = Slot()
        try:
            for place in range(self._records):
                content = self.flash.read(self._base(slot) + place * RECORD_BYTES, RECORD_BYTES)
                if content == BLANK:
                    continue
                found.next = place + 1
                *fields, crc = RECORD.unpack(content)
                if crc == zlib.crc32(content[:-4]) and (found.sequence or fields[0] == Kind.OFFER):
                    found.take(*fields)
        except FlashError:
            return Slot()
        if not 0 < found.size <= self.capacity or found.complete > found.size:
            return Slot(sequence=found.sequence, next=found.next)
        return found

    def _append(self, slot: int, kind: Kind, value: int = 0) -> bool:
        """Append a record; whether it is there."""
        found = self.slots[slot]
        if found.next >= self._records:
            return False
        fields = (kind, found.sequence, value, found.size, found.sha256)
        sealed = RECORD.pack(*fields, 0)[:-4]
        record, at = sealed + struct.pack("<I", zlib.crc32(sealed)), self._base(slot) + found.next * RECORD_BYTES
        found.next += 1
        try:
            self.flash.program(at, record)
            if self.flash.read(at, RECORD_BYTES) != record:
                return False
        except FlashError:
            return False
        found.take(*fields)
        return True

    def _is_whole(self, slot: int) -> bool:
        found = self.slots[slot]
        try:
            return found.active and hashlib.sha256(self.content(slot)).digest() == found.sha256
        except FlashError:
            return False

    def _may_run(self, slot: int) -> bool:
        """Whether a slot may run: it is confirmed, or has a try left, which is used up now."""
        found = self.slots[slot]
        return found.confirmed or (found.tries < TRIES and self._append(slot, Kind.TRIED, found.tries + 1))

    def _note_offer(self, slot: int, size: int, sha256: bytes) -> bool:
        """Empty the records of a slot and note the offer."""
        sequence = max(found.sequence for found in self.slots) + 1
        try:
            self.flash.erase(self._base(slot))
        except FlashError:
            return False
        self.slots[slot] = Slot(sequence=sequence, size=size, sha256=sha256)
        return self._append(slot, Kind.OFFER)

    def _note_progress(self, slot: int) -> None:
        """Note how far the transfer is, every so many sectors: half of the records are for that."""
        found, sector, marks = self.slots[slot], self.flash.sector_bytes, self._records // 2
        each = math.ceil(math.ceil(found.size / sector) / marks)
        due = self._written == found.size or self._written % (each * sector) == 0
        if due and found.next + KEPT < self._records:
            self._append(slot, Kind.PROGRESS, self._written)
