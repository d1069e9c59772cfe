"""A/B slots: wherever the power is cut, a whole bundle starts, and the transfer goes on; in Python and C alike."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_bridge.link.slot_rules import (
    NEW,
    OLD,
    SECTOR,
    SLOT,
    InC,
    InPython,
    MemoryFlash,
    Store,
    cut_and_go_on,
    parcel,
    runs,
    update,
    with_old,
)
from vskd.firmware_bridge.link import slots
from vskd.firmware_bridge.link.messages import PIECE, Answer, Outcome
from vskd.firmware_bridge.link.slots import TRIES, Kind, Slot, Slots


@pytest.fixture(params=["Python", "C"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    made = InPython() if request.param == "Python" else InC(request.getfixturevalue("slots_harness"))
    yield made
    made.close()


def test_a_whole_update(store: Store) -> None:
    assert store.boot() == -1
    with_old(store)
    assert runs(store, 0) == OLD
    assert list(update(store)) == [0, 0, 1, 1, 1]
    assert runs(store, 1) == NEW
    third = parcel(3, 7 * SECTOR)
    assert store.send(third) == (0, 0) and store.boot() == 0  # and back into A
    assert store.dump()[SECTOR:SLOT] == third


@pytest.mark.parametrize("tearing", range(8))
def test_the_power_is_cut_at_every_write(slots_harness: Path, tearing: int) -> None:
    """Erasures too; done in part, at random places, bit by bit, or not at all. Python and C end with the same flash."""
    python = InPython()
    stores: list[Store] = [python, InC(slots_harness)]
    flash = with_old(python)
    python.load(flash)
    before = python.state().operations
    list(update(python))
    writes = python.state().operations - before
    # the sector of records, the offer, three sectors of twelve pieces, progress, then active, tried and confirmed
    assert writes == 1 + 1 + 3 + 12 + 3 + 1 + 1 + 1
    went_on = [cut_and_go_on(stores, flash, [(number, tearing)]) for number in range(writes)]
    assert went_on[:7] == [0] * 7 and went_on[-2:] == [len(NEW)] * 2
    assert went_on == sorted(went_on) and {SECTOR, 2 * SECTOR} <= set(went_on)
    stores[1].close()


def test_the_power_is_cut_again_while_the_transfer_goes_on(slots_harness: Path) -> None:
    generator, stores = random.Random(1), [InPython(), InC(slots_harness)]
    flash = with_old(stores[0])
    for _ in range(60):
        cuts = [(generator.randrange(24), generator.randrange(1 << 32)) for _ in range(generator.randrange(2, 5))]
        cut_and_go_on(stores, flash, cuts)
    stores[1].close()


def test_a_transfer_goes_on_at_the_last_whole_sector() -> None:
    store = InPython()
    flash = with_old(store)
    for pieces in range(13):
        store.load(flash)
        answer, start = store.store.begin(len(NEW), hashlib.sha256(NEW).digest())
        assert (answer, start) == (Answer.SEND, 0)
        for at in range(0, pieces * PIECE, PIECE):
            assert store.store.write(at, NEW[at : at + PIECE]) == Outcome.ACTIVE
        store.boot()
        whole = pieces * PIECE // SECTOR * SECTOR if pieces < 12 else len(NEW)
        assert store.send(NEW) == (0, whole)


def test_what_does_not_confirm_itself_is_rolled_back(store: Store) -> None:
    with_old(store)
    assert store.send(NEW) == (0, 0)
    for _ in range(TRIES):
        assert runs(store, store.boot()) == NEW
    assert runs(store, store.boot()) == OLD
    assert store.confirm() == 1
    assert store.send(NEW) == (0, 0) and runs(store, store.boot()) == NEW  # it may be tried again


def test_while_the_new_one_is_on_trial_the_old_one_stays(store: Store) -> None:
    with_old(store)
    store.send(NEW)
    store.boot()
    flash = store.dump()
    assert store.send(parcel(3)) == (100 + Answer.UNCONFIRMED, 0)
    assert store.dump() == flash
    assert store.confirm() == 1 and store.send(parcel(3)) == (0, 0)


def test_what_is_there_is_not_sent_again(store: Store) -> None:
    with_old(store)
    assert store.send(OLD) == (100 + Answer.HAVE, 0)
    store.send(NEW)
    assert store.send(NEW) == (100 + Answer.HAVE, 0)  # it waits for the next start


@pytest.mark.parametrize("size", [0, SLOT - SECTOR + 1])
def test_what_is_empty_or_too_large_is_refused(store: Store, size: int) -> None:
    with_old(store)
    assert store.send(bytes(size)) == (100 + Answer.TOO_LARGE, 0)
    assert store.send(bytes(SLOT - SECTOR)) == (0, 0)


def test_another_bundle_begins_anew(store: Store) -> None:
    flash = with_old(store)
    store.load(flash)
    store.cut(14, 3)
    store.send(NEW)
    store.boot()
    assert store.send(parcel(3)) == (0, 0)


def test_a_bundle_that_was_damaged_in_flash_is_not_started(store: Store) -> None:
    with_old(store)
    list(update(store))
    flash = bytearray(store.dump())
    flash[SLOT + SECTOR + 1000] ^= 1
    store.load(bytes(flash))
    assert runs(store, store.boot()) == OLD
    flash[SECTOR + 1000] ^= 1
    store.load(bytes(flash))
    assert store.boot() == -1
    assert store.send(NEW) == (0, 0) and runs(store, store.boot()) == NEW


def test_better_one_on_trial_than_none(store: Store) -> None:
    assert store.send(OLD) == (0, 0)
    for _ in range(TRIES + 2):
        assert runs(store, store.boot()) == OLD


def test_pieces_out_of_order_are_refused() -> None:
    store = Slots(InPython().flash)
    assert store.write(0, bytes(PIECE)) == store.finish() == Outcome.OUT_OF_ORDER
    store.begin(600, bytes(32))
    assert store.write(PIECE, bytes(PIECE)) == store.write(0, bytes(10)) == store.finish() == Outcome.OUT_OF_ORDER
    assert store.write(0, bytes(PIECE)) == Outcome.ACTIVE
    assert store.write(0, bytes(PIECE)) == Outcome.OUT_OF_ORDER


def test_another_content_than_was_offered_is_not_activated() -> None:
    store = Slots(InPython().flash)
    assert store.begin(256, bytes(32)) == (Answer.SEND, 0)
    assert store.write(0, bytes(256)) == Outcome.ACTIVE
    assert store.finish() == Outcome.OTHER_HASH and store.boot() is None
    assert store.begin(256, bytes(32)) == (Answer.SEND, 0)  # from the beginning


@pytest.mark.parametrize("language", ["Python", "C"])
def test_what_is_no_parcel_is_not_activated(language: str, request: pytest.FixtureRequest) -> None:
    store: Store = InPython(check=True)
    if language == "C":
        store = InC(request.getfixturevalue("slots_harness"), check=True)
    assert store.send(NEW) == (int(Outcome.OTHER_MANIFEST), 0) and store.boot() == -1
    store.close()


def test_many_cuts_use_up_the_records_and_nothing_is_lost(store: Store) -> None:
    """Sixteen records, one torn each time: progress is noted no more, then activation fails, then all begins anew."""
    flash, outcomes = with_old(store), []
    store.load(flash)
    for number in range(40):
        store.cut(6 + number % 5, 2 + 4 * number)
        outcomes.append(store.send(NEW)[0])
        store.boot()
        assert runs(store, store.boot()) in (OLD, NEW)
    store.cut(-1, 0)
    store.boot()
    for _ in range(2):
        if store.send(NEW)[0] in (0, 100 + Answer.HAVE):
            break
    assert runs(store, store.boot()) == NEW


def test_a_slot_of_which_nothing_is_known() -> None:
    assert Slot() == Slot(0, 0, b"", 0, False, 0, False, 0)


def test_after_the_last_piece_there_is_none() -> None:
    store = Slots(InPython().flash)
    store.begin(300, bytes(32))
    assert store.write(0, bytes(PIECE)) == store.write(PIECE, bytes(44)) == Outcome.ACTIVE
    for offset, content in ((300, b""), (300, bytes(1)), (PIECE, bytes(44))):
        assert store.write(offset, content) == Outcome.OUT_OF_ORDER


@pytest.mark.parametrize("length", [43, 45, 256])
def test_the_last_piece_is_what_is_left(length: int) -> None:
    store = Slots(InPython().flash)
    store.begin(300, bytes(32))
    assert store.write(0, bytes(PIECE)) == Outcome.ACTIVE
    assert store.write(PIECE, bytes(length)) == Outcome.OUT_OF_ORDER
    assert store.write(PIECE, bytes(44)) == Outcome.ACTIVE


def test_flash_that_cannot_be_erased_is_said_with_nothing_to_go_on_from() -> None:
    flash = MemoryFlash()
    store = Slots(flash)
    flash.until_cut = 0
    assert store.begin(300, bytes(32)) == (Answer.FLASH, 0)
    assert store.write(0, bytes(PIECE)) == Outcome.OUT_OF_ORDER


@pytest.mark.parametrize(
    ("sectors", "size", "noted"),
    [
        (9, 8 * SECTOR, [1, 2, 3, 4, 5, 6, 7, 8]),  # as many marks as half of the records
        (17, 8 * SECTOR + 1, [2, 4, 6, 8, 8 + 1 / SECTOR]),  # one byte more: every second sector
        (17, 16 * SECTOR, [2, 4, 6, 8, 10, 12, 14, 16]),
        (20, 16 * SECTOR + 5, [3, 6, 9, 12, 15, 16 + 5 / SECTOR]),
    ],
)
def test_progress_is_noted_every_so_many_sectors(sectors: int, size: int, noted: list[float]) -> None:
    """Of 16 records in a sector 8 are for it; the offer is the first, and 8 are kept."""
    store = Slots(MemoryFlash(slot=sectors * SECTOR))
    assert store.begin(size, bytes(32)) == (Answer.SEND, 0)
    found: list[int] = []
    for at in range(0, size, PIECE):
        assert store.write(at, bytes(min(PIECE, size - at))) == Outcome.ACTIVE
        if store.slots[0].complete not in (0, *found):
            found.append(store.slots[0].complete)
    assert [place / SECTOR for place in found] == noted[: 16 - 8 - 1]


def test_records_are_appended_until_their_sector_is_full() -> None:
    store = Slots(MemoryFlash())
    store.begin(300, bytes(32))
    assert store.slots[0].next == 1
    for number in range(2, 17):
        assert store._append(0, Kind.TRIED) and store.slots[0].next == number
    assert not store._append(0, Kind.TRIED) and store.slots[0].tries == 15
    again = Slots(store.flash).slots[0]
    assert (again.next, again.tries, again.sequence) == (16, 15, 1)


def test_numbers_of_records_are_those_of_the_device() -> None:
    assert {kind.name: int(kind) for kind in Kind} == {
        "OFFER": 1,
        "PROGRESS": 2,
        "ACTIVE": 3,
        "TRIED": 4,
        "CONFIRMED": 5,
    }
    assert (TRIES, slots.KEPT, slots.RECORD_BYTES, slots.RECORD.size) == (3, 8, 64, 64)
