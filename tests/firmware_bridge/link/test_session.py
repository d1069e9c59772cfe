"""Sessions: a device that is silent, foreign, started again or wrong gives one plain error each."""

import socket
import zlib

import pytest

from tests.firmware_bridge.link.device import ABOUT, device
from vskd.errors import LinkError
from vskd.firmware_bridge.link import endpoint, session
from vskd.firmware_bridge.link.framing import Type, frame_bytes, stuffed
from vskd.firmware_bridge.link.messages import Done, End, Ended, Finish, Outcome, Record, Wish
from vskd.firmware_bridge.link.session import ANSWER_S, open_session
from vskd.firmware_bridge.link.wires import SocketWire


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(endpoint, "LONGEST_WAIT", 0.02)
    monkeypatch.setattr(session, "ANSWER_S", 0.2)


def foreign_frame(version: int) -> bytes:
    sealed = bytes([version]) + bytes(11)
    return b"\0" + stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little")) + b"\0"


def test_who_is_there() -> None:
    with device(lambda _: []) as wire, open_session(wire) as talk:
        assert talk.about == ABOUT


def test_messages_both_ways() -> None:
    end = End(Ended.ASKED, 4, 0)
    with device(lambda message: [end, end] if isinstance(message, Record) else []) as wire, open_session(wire) as talk:
        assert talk.receive(0) is None
        talk.send(Record(Wish.SAMPLES))
        assert talk.receive(2) == end and talk.expect(2) == end
        assert talk.receive(0.05) is None
        with pytest.raises(LinkError, match="it took a message and gave no answer for 0 s"):
            talk.expect(0.05)


def test_a_silent_line() -> None:
    here, there = socket.socketpair()
    with (
        pytest.raises(LinkError, match=r"x does not answer; nothing was heard. Check device, cable, port"),
        open_session(SocketWire(here, "x")),
    ):
        pass
    there.close()
    assert here.fileno() == -1  # closed


def test_noise_is_what_a_wrong_baud_rate_sounds_like() -> None:
    here, there = socket.socketpair()
    there.sendall(b"\x81\x03noise\0" * 5)
    with (
        pytest.raises(LinkError, match=r"only noise \(5 damaged frames\) was heard"),
        open_session(SocketWire(here, "x")),
    ):
        pass
    there.close()


def test_another_version() -> None:
    here, there = socket.socketpair()
    there.sendall(foreign_frame(2))
    with (
        pytest.raises(LinkError, match="x speaks version 2 of the link, and this vskd version 1"),
        open_session(SocketWire(here, "x")),
    ):
        pass
    there.close()


@pytest.mark.parametrize(
    ("code", "value", "problem"),
    [
        (endpoint.REFUSED_TYPE, 0x13, "it does not know messages of type 0x13"),
        (endpoint.REFUSED_SESSION, 0, "was started again meanwhile. Give the same command again"),
        (99, 0, "it refuses with code 99"),
    ],
)
def test_refusals(code: int, value: int, problem: str) -> None:
    here, there = socket.socketpair()
    talk = session.Session(SocketWire(here, "x"))
    talk._end.say_hello(5, 0.0)
    talk._end.take_written()
    there.sendall(frame_bytes(Type.ACK, 5, 0))
    talk._until_sent()
    there.sendall(frame_bytes(Type.REFUSE, 5, 1, bytes([code, value])))
    with pytest.raises(LinkError, match=problem):
        talk.send(Finish())
    here.close()
    there.close()


def test_what_does_not_follow_the_protocol() -> None:
    wrong = Done(Outcome.ACTIVE, 0, 1)
    with (
        device(lambda _: [], about=wrong) as wire,
        pytest.raises(LinkError, match="it begins with DONE"),
        open_session(wire),
    ):
        pass


def test_a_cable_that_is_pulled() -> None:
    with (
        device(lambda _: [b""]) as wire,
        pytest.raises(LinkError, match="The line to the device broke"),
        open_session(wire) as talk,
    ):
        talk.send(Finish())
        talk.expect(5)


@pytest.mark.parametrize("drawn", [0, 65_534])
def test_a_session_has_any_number_but_zero(drawn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that frames of the one before are known as late."""
    asked: list[int] = []
    monkeypatch.setattr(session.secrets, "randbelow", lambda below: asked.append(below) or drawn)
    with device(lambda _: []) as wire, open_session(wire) as talk:
        assert talk._end.session == 1 + drawn
    assert asked == [65_535]


def test_an_answer_is_waited_for_half_a_minute() -> None:
    """A device may have to erase flash before."""
    assert ANSWER_S == 30.0


def test_a_refusal_of_a_session_alone_is_a_new_start() -> None:
    here, there = socket.socketpair()
    talk = session.Session(SocketWire(here, "x"))
    started = talk._refused(endpoint.Refused(endpoint.REFUSED_SESSION, 0))
    assert started.action == "Give the same command again; a transfer goes on"
    for code, problem in ((endpoint.REFUSED_TYPE, "messages of type 0x07"), (endpoint.REFUSED_VERSION, "with code 1")):
        error = talk._refused(endpoint.Refused(code, 7))
        assert problem in error.problem and error.action == "Generate its firmware again"
    here.close()
    there.close()
