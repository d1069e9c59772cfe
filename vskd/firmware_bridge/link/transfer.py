"""A bundle down to a device: offered, sent from where the last transfer stopped, checked and activated."""

import hashlib
from dataclasses import dataclass

from vskd.bundle.bundle import Bundle
from vskd.errors import LinkError
from vskd.firmware_bridge.link.messages import PIECE, Answer, Chunk, Done, Finish, Offer, Outcome, Want
from vskd.firmware_bridge.link.parcel import pack_bundle
from vskd.firmware_bridge.link.session import ANSWER_S, Session

_WHY = {
    Answer.UNCONFIRMED: "the bundle that it runs is not confirmed yet, and the other one is what it falls back to",
    Answer.NO_SLOTS: "it has no slots for bundles",
    Answer.FLASH: "its flash cannot be written",
}
_FAILED = {
    Outcome.OTHER_HASH: "what lies in its flash has another SHA-256 than was sent",
    Outcome.OTHER_MANIFEST: "the files are not those of the manifest",
    Outcome.FLASH: "its flash cannot be written",
    Outcome.OUT_OF_ORDER: "it expected another piece",
}
_AGAIN = "Give the same command again; if it fails again, the flash or the firmware of the device is defective"


@dataclass(frozen=True)
class Sent:
    """What a transfer did.

    Attributes:
        bytes: of the whole parcel.
        start: where the transfer began; more than 0 where an earlier one had stopped. All of it: it was there already.
        slot: 0 or 1; None where it was there already.
        sequence: the number of the bundle in the device; None as `slot`.
    """

    bytes: int
    start: int
    slot: int | None = None
    sequence: int | None = None


def send_bundle(session: Session, bundle: Bundle) -> Sent:
    """Send a bundle, whose hashes were checked, into the slot that does not run.

    Raises:
        BundleError: a file was changed meanwhile.
        LinkError: the device refuses it, or the line breaks; the next call goes on where this one stopped.
    """
    parcel = pack_bundle(bundle)
    session.send(Offer(len(parcel), hashlib.sha256(parcel).digest()))
    want = session.expect(ANSWER_S)
    if not isinstance(want, Want):
        raise LinkError(f"The device answers an offer with {want.type.name}", "Generate its firmware again")
    if want.answer == Answer.HAVE:
        return Sent(len(parcel), len(parcel))
    if want.answer == Answer.TOO_LARGE:
        raise LinkError(
            f"The bundle needs {len(parcel):,} bytes and a slot has {want.capacity:,}", "Export a smaller student"
        )
    if want.answer != Answer.SEND or want.offset > len(parcel):
        why = _WHY.get(want.answer, f"it asks for byte {want.offset}")
        raise LinkError(f"The device does not take the bundle: {why}", "Start the device again, and try again then")
    for at in range(want.offset, len(parcel), PIECE):
        session.send(Chunk(at, parcel[at : at + PIECE]))
        _check(session.receive(0))
    session.send(Finish())
    done = session.expect(2 * ANSWER_S)
    _check(done)
    if not isinstance(done, Done):
        raise LinkError(f"The device ends a transfer with {done.type.name}", "Generate its firmware again")
    return Sent(len(parcel), want.offset, done.slot, done.sequence)


def _check(message: object) -> None:
    if isinstance(message, Done) and message.outcome != Outcome.ACTIVE:
        raise LinkError(f"The device does not take the bundle: {_FAILED[message.outcome]}", _AGAIN)
