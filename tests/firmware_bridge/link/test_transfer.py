"""Transfers: each answer of a device, and each way to fail; the way that works is in test_simulate.py."""

from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from tests.firmware_bridge.link.device import device
from tests.firmware_bridge.link.slot_rules import MemoryFlash
from vskd.bundle.bundle import Bundle
from vskd.errors import LinkError
from vskd.firmware_bridge.link.messages import (
    Answer,
    AnyMessage,
    Chunk,
    Done,
    End,
    Ended,
    Finish,
    Offer,
    Outcome,
    Want,
)
from vskd.firmware_bridge.link.parcel import is_parcel, pack_bundle
from vskd.firmware_bridge.link.session import open_session
from vskd.firmware_bridge.link.slots import Slots
from vskd.firmware_bridge.link.transfer import Sent, send_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("transfer") / "bundle", sensor_contract())


def answered(store: Slots, message: AnyMessage) -> list[AnyMessage | bytes]:
    """What a device with slots answers."""
    if isinstance(message, Offer):
        answer, offset = store.begin(message.size, message.sha256)
        return [Want(answer, offset, store.capacity)]
    if isinstance(message, Chunk):
        outcome = store.write(message.offset, message.content)
        return [] if outcome == Outcome.ACTIVE else [Done(outcome, 0, 0)]
    return [Done(store.finish(), 0, store.slots[0].sequence)] if isinstance(message, Finish) else []


def test_a_bundle_arrives_whole(bundle: Bundle) -> None:
    store, parcel = Slots(MemoryFlash(), is_parcel), pack_bundle(bundle)
    with device(lambda message: answered(store, message)) as wire, open_session(wire) as talk:
        assert send_bundle(talk, bundle) == Sent(len(parcel), 0, 0, 1)
        assert send_bundle(talk, bundle) == Sent(len(parcel), len(parcel))
    assert store.boot() == 0 and store.content(0) == parcel


def test_flash_that_fails_on_the_way(bundle: Bundle) -> None:
    store = Slots(MemoryFlash(), is_parcel)

    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        if isinstance(message, Chunk) and message.offset == 1024:
            store.flash.until_cut = 0  # type: ignore[attr-defined]
        return answered(store, message)

    with (
        device(answers) as wire,
        open_session(wire) as talk,
        pytest.raises(LinkError, match=r"its flash cannot be written. Give the same command again"),
    ):
        send_bundle(talk, bundle)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Want(Answer.TOO_LARGE, 0, 2000), r"The bundle needs \d,\d+ bytes and a slot has 2,000. Export a smaller"),
        (Want(Answer.UNCONFIRMED, 0, 0), "the bundle that it runs is not confirmed yet"),
        (Want(Answer.NO_SLOTS, 0, 0), "it has no slots for bundles"),
        (Want(Answer.FLASH, 0, 0), "its flash cannot be written"),
        (Want(Answer.SEND, 1 << 30, 0), "it asks for byte 1073741824"),
        (End(Ended.ASKED, 0, 0), "answers an offer with END"),
    ],
)
def test_offers_that_are_not_taken(bundle: Bundle, answer: AnyMessage, problem: str) -> None:
    with (
        device(lambda message: [answer] if isinstance(message, Offer) else []) as wire,
        open_session(wire) as talk,
        pytest.raises(LinkError, match=problem),
    ):
        send_bundle(talk, bundle)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Done(Outcome.OTHER_HASH, 0, 0), "another SHA-256 than was sent"),
        (Done(Outcome.OTHER_MANIFEST, 0, 0), "the files are not those of the manifest"),
        (Done(Outcome.OUT_OF_ORDER, 0, 0), "it expected another piece"),
        (End(Ended.ASKED, 0, 0), "ends a transfer with END"),
    ],
)
def test_transfers_that_do_not_end_well(bundle: Bundle, answer: AnyMessage, problem: str) -> None:
    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        if isinstance(message, Offer):
            return [Want(Answer.SEND, message.size - 1, 1 << 20)]
        return [answer] if isinstance(message, Finish) else []

    with device(answers) as wire, open_session(wire) as talk, pytest.raises(LinkError, match=problem):
        send_bundle(talk, bundle)


def test_a_file_that_was_changed_is_not_sent(tmp_path: Path) -> None:
    changed = make_bundle(tmp_path / "changed", sensor_contract())
    (changed.path / "model.tflite").write_bytes(b"other")
    with (
        device(lambda _: []) as wire,
        open_session(wire) as talk,
        pytest.raises(Exception, match=r"model.tflite was changed after the bundle was made"),
    ):
        send_bundle(talk, changed)


def test_the_device_has_half_a_minute_for_an_offer_and_a_whole_one_to_check(bundle: Bundle) -> None:
    """Between pieces nothing is waited for."""
    store, waited = Slots(MemoryFlash(), is_parcel), []
    with device(lambda message: answered(store, message)) as wire, open_session(wire) as talk:
        real = talk.receive

        def receive(timeout_s: float) -> AnyMessage | None:
            waited.append(timeout_s)
            return real(timeout_s)

        talk.receive = receive  # type: ignore[method-assign]
        send_bundle(talk, bundle)
    assert waited[0] == 30.0 and waited[-1] == 60.0 and set(waited[1:-1]) == {0}


@pytest.mark.parametrize("left", [0, 1, 300])
def test_a_transfer_goes_on_where_the_device_says(bundle: Bundle, left: int) -> None:
    """Also where it has all of it, and only the check was cut off."""
    sent: list[Chunk] = []

    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        if isinstance(message, Chunk):
            sent.append(message)
        if isinstance(message, Offer):
            return [Want(Answer.SEND, message.size - left, 1 << 20)]
        return [Done(Outcome.ACTIVE, 1, 6)] if isinstance(message, Finish) else []

    parcel = pack_bundle(bundle)
    with device(answers) as wire, open_session(wire) as talk:
        assert send_bundle(talk, bundle) == Sent(len(parcel), len(parcel) - left, 1, 6)
    assert b"".join(chunk.content for chunk in sent) == parcel[len(parcel) - left :]
    assert [chunk.offset for chunk in sent] == list(range(len(parcel) - left, len(parcel), 256))


def test_after_a_piece_that_is_refused_no_more_are_sent(bundle: Bundle) -> None:
    sent: list[Chunk] = []

    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        if isinstance(message, Chunk):
            sent.append(message)
            return [Done(Outcome.FLASH, 0, 0)]
        return [Want(Answer.SEND, 0, 1 << 20)] if isinstance(message, Offer) else []

    with (
        device(answers) as wire,
        open_session(wire) as talk,
        pytest.raises(LinkError, match="its flash cannot be written"),
    ):
        send_bundle(talk, bundle)
    assert 1 <= len(sent) <= 4 < len(pack_bundle(bundle)) // 256
