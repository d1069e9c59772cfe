"""Two ends and a bad line: all arrives once and in order, in Python and in C, in made-up time."""

import random
import zlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.firmware_bridge.link.campaign import BadLine, damaged_stream, deliver_all
from tests.firmware_bridge.link.harness import CEndpoint
from vskd.firmware_bridge.link.endpoint import (
    FIRST_WAIT,
    LONGEST_WAIT,
    TRIES,
    Endpoint,
    Foreign,
    Lost,
    Message,
    Refused,
)
from vskd.firmware_bridge.link.framing import MOST, Type, frame_bytes, stuffed

Ends = tuple[Endpoint | CEndpoint, Endpoint | CEndpoint]


def end(language: str, harness: Path, *, is_host: bool) -> Endpoint | CEndpoint:
    return Endpoint(is_host=is_host) if language == "Python" else CEndpoint(harness, is_host=is_host)


@pytest.fixture(params=list(product(("Python", "C"), repeat=2)), ids=lambda pair: "-".join(pair))
def ends(request: pytest.FixtureRequest, harness: Path) -> Iterator[Ends]:
    """A host and a device, in each language."""
    host, device = request.param
    pair = end(host, harness, is_host=True), end(device, harness, is_host=False)
    yield pair
    for one in pair:
        if isinstance(one, CEndpoint):
            one.close()


def opened(ends: Ends, session: int = 7) -> Ends:
    host, device = ends
    host.say_hello(session, 0.0)
    assert list(device.receive(host.take_written())) == [Message(Type.HELLO, b"")]
    assert list(host.receive(device.take_written())) == [] and not host.pending
    return ends


def test_a_message_each_way(ends: Ends) -> None:
    host, device = opened(ends)
    host.send(Type.RECORD, b"\1", 0.0)
    device.send(Type.SAMPLES, b"abc", 0.0)
    up, down = device.take_written(), host.take_written()
    assert list(host.receive(up)) == [Message(Type.SAMPLES, b"abc")]
    assert list(device.receive(down)) == [Message(Type.RECORD, b"\1")]
    assert host.pending and device.pending
    list(host.receive(device.take_written()))
    list(device.receive(host.take_written()))
    assert not host.pending and not device.pending


def test_what_is_sent_twice_is_delivered_once(ends: Ends) -> None:
    host, device = opened(ends)
    host.send(Type.RECORD, b"\1", 0.0)
    sent = host.take_written()
    assert list(device.receive(sent + sent)) == [Message(Type.RECORD, b"\1")]
    assert device.repeated == 1
    assert list(host.receive(device.take_written())) == [] and not host.pending  # two acknowledgements
    assert host.stale == 1


def test_a_late_frame_of_long_ago_is_not_taken(ends: Ends) -> None:
    _, device = opened(ends)
    old = frame_bytes(Type.RECORD, 7, 1, b"old")
    for number, payload in enumerate((b"old", b"new", b"newer"), 1):
        assert len(list(device.receive(frame_bytes(Type.RECORD, 7, number, payload)))) == 1
    device.take_written()
    assert list(device.receive(old)) == [] and device.stale == 1 and device.take_written() == b""


def test_a_silent_peer_is_lost_after_its_tries(ends: Ends) -> None:
    host, _ = ends
    host.say_hello(9, 0.0)
    sent, now = 1, 0.0
    host.take_written()
    times = []
    while (lost := host.tick(now)) is None:
        if host.take_written():
            sent += 1
            times.append(now)
        now = round(now + 0.05, 2)
        assert now < 60
    assert lost == Lost() and sent == TRIES and not host.pending and host.session == 0
    assert times[0] == FIRST_WAIT and times[:3] == [0.25, 0.75, 1.75]


def test_a_device_that_started_again_says_so(ends: Ends, harness: Path) -> None:
    host, device = opened(ends)
    again = end("C" if isinstance(device, CEndpoint) else "Python", harness, is_host=False)
    host.send(Type.FINISH, b"", 0.0)
    assert list(again.receive(host.take_written())) == []
    assert list(host.receive(again.take_written())) == [Refused(3, 0)] and host.session == 0
    if isinstance(again, CEndpoint):
        again.close()


def test_a_new_session_begins_anew_and_frames_of_the_old_one_are_refused(ends: Ends) -> None:
    host, device = opened(ends)
    host.send(Type.FINISH, b"", 0.0)
    old = host.take_written()
    opened((host, device), session=8)
    assert list(device.receive(old)) == []
    assert list(host.receive(device.take_written())) == [] and host.stale == 1
    assert host.session == 8


def test_an_unknown_type_is_refused_and_the_next_message_passes(ends: Ends) -> None:
    _, device = opened(ends)
    sent = frame_bytes(0x55, 7, 1, b"?")
    assert list(device.receive(sent)) == [] and device.take_written() == frame_bytes(0x7F, 7, 1, bytes([2, 0x55]))
    assert list(device.receive(frame_bytes(Type.FINISH, 7, 2))) == [Message(Type.FINISH, b"")]


def test_another_version_is_said_and_answered_by_the_device_alone(ends: Ends) -> None:
    sealed = bytes([9]) + bytes(20)
    foreign = b"\0" + stuffed(sealed + zlib.crc32(sealed).to_bytes(4, "little")) + b"\0"
    host, device = ends
    assert list(device.receive(foreign)) == [Foreign(9)]
    assert device.take_written() == frame_bytes(0x7F, 0, 0, bytes([1, 1]))
    assert list(host.receive(foreign)) == [Foreign(9)] and host.take_written() == b""


def test_numbers_begin_again_after_65535() -> None:
    host, device = Endpoint(is_host=True), Endpoint(is_host=False)
    opened((host, device))
    device._next = host._expected = 65_530
    for number in range(12):
        device.send(Type.END, number.to_bytes(3, "little"), 0.0)
        assert list(host.receive(device.take_written())) == [Message(Type.END, number.to_bytes(3, "little"))]
        list(device.receive(host.take_written()))


def test_one_message_at_a_time(ends: Ends) -> None:
    host, device = ends
    with pytest.raises(ValueError, match=r"no session|status 6"):
        device.send(Type.END, b"", 0.0)
    host.say_hello(3, 0.0)
    with pytest.raises(ValueError, match=r"pending|status 5"):
        host.send(Type.RECORD, b"", 0.0)


@pytest.mark.parametrize("seed", range(2))
def test_over_a_bad_line_all_arrives_once_and_in_order(ends: Ends, seed: int) -> None:
    found = deliver_all(ends, BadLine(random.Random(seed)), messages=25)
    assert not found.lost and found.resent > 10 and found.damaged > 5  # the line was bad indeed


def test_frames_of_every_length_are_the_same_bytes_in_c(harness: Path) -> None:
    """With the CRC-32 of zlib."""
    generator, c = random.Random(4), CEndpoint(harness, is_host=True)
    for length in range(MOST + 1):
        payload = bytes(length) if length % 5 == 0 else generator.randbytes(length)
        c.say_hello(length + 1, 0.0)
        assert c.take_written() == frame_bytes(Type.HELLO, length + 1, 0)
        list(c.receive(frame_bytes(Type.ACK, length + 1, 0)))
        c.send(Type.CHUNK, payload, 0.0)
        assert c.take_written() == frame_bytes(Type.CHUNK, length + 1, 1, payload)
    c.say_hello(1, 0.0)
    list(c.receive(frame_bytes(Type.ACK, 1, 0)))
    with pytest.raises(ValueError, match="status 7"):
        c.send(Type.CHUNK, bytes(MOST + 1), 0.0)
    c.close()


def test_c_does_with_any_bytes_what_python_does(harness: Path) -> None:
    """Same events, same answers on the line, same counters, on half a megabyte of garbage and damaged frames."""
    generator = random.Random(3)
    for is_host in (False, True):
        python, c = Endpoint(is_host=is_host), CEndpoint(harness, is_host=is_host)
        if is_host:
            python.say_hello(7, 0.0)
            c.say_hello(7, 0.0)
        for _ in range(40):
            stream = damaged_stream(generator, frames=60)
            assert list(python.receive(stream)) == list(c.receive(stream))
            assert python.take_written() == c.take_written()
            counters = [(e.session, e.pending, e.damaged, e.stale, e.repeated) for e in (python, c)]
            assert counters[0] == counters[1]
        assert python.damaged > 500
        c.close()


@pytest.mark.parametrize("language", ["Python", "C"])
def test_a_message_is_sent_eight_times_and_waited_for_two_seconds_at_most(language: str, harness: Path) -> None:
    host = end(language, harness, is_host=True)
    host.say_hello(9, 0.0)
    host.take_written()
    times = []
    for hundredth in range(3000):
        lost = host.tick(hundredth / 100)
        if host.take_written():
            times.append(hundredth / 100)
        if lost is not None:
            break
    assert times == [0.25, 0.75, 1.75, 3.75, 5.75, 7.75, 9.75] and hundredth == 1175
    assert (TRIES, FIRST_WAIT, LONGEST_WAIT) == (8, 0.25, 2.0)
    if isinstance(host, CEndpoint):
        host.close()


def test_before_a_session_there_is_nothing() -> None:
    for is_host in (True, False):
        one = Endpoint(is_host=is_host)
        assert (one.session, one.pending, one.stale, one.repeated, one.damaged) == (0, False, 0, 0, 0)
        assert one.tick(1e9) is None and one.take_written() == b""


@pytest.mark.parametrize(
    "frame",
    [
        (Type.RECORD, 0, 0),  # of no session
        (Type.HELLO, 0, 0),
        (Type.HELLO, 5, 1),  # a greeting is the first
        (Type.RECORD, 5, 0),  # who begins greets
    ],
)
@pytest.mark.parametrize("language", ["Python", "C"])
def test_a_device_that_nobody_has_greeted_takes_no_message(
    language: str, frame: tuple[int, int, int], harness: Path
) -> None:
    device = end(language, harness, is_host=False)
    assert list(device.receive(frame_bytes(*frame))) == [] and device.session == 0
    assert device.take_written() == frame_bytes(Type.REFUSE, *frame[1:], bytes([3, 0]))
    assert list(device.receive(frame_bytes(Type.HELLO, 5, 0))) == [Message(Type.HELLO, b"")] and device.session == 5
    if isinstance(device, CEndpoint):
        device.close()


@pytest.mark.parametrize(
    ("frame", "is_answer"),
    [
        ((Type.ACK, 7, 1), True),
        ((Type.ACK, 7, 1, b"more"), True),
        ((Type.ACK, 7, 0), False),  # of the message before
        ((Type.ACK, 7, 2), False),
        ((Type.ACK, 8, 1), False),  # of another session
        ((Type.ACK, 0, 1), False),
        ((Type.REFUSE, 7, 1, b"\2\7"), True),
        ((Type.REFUSE, 7, 0, b"\2\7"), False),
        ((Type.REFUSE, 8, 1, b"\2\7"), False),
        ((Type.REFUSE, 7, 1, b"\2"), False),
        ((Type.REFUSE, 7, 1, b"\2\7\7"), False),
        ((Type.REFUSE, 7, 1), False),
    ],
)
def test_what_answers_a_message(ends: Ends, frame: tuple[int, ...], is_answer: bool) -> None:
    host, _ = opened(ends)
    host.send(Type.RECORD, b"\1", 0.0)
    found = list(host.receive(frame_bytes(*frame)))  # type: ignore[arg-type]
    assert found == ([Refused(2, 7)] if is_answer and frame[0] == Type.REFUSE else [])
    assert (host.pending, host.stale, host.session) == (not is_answer, int(not is_answer), 7)
    stale = host.stale
    assert list(host.receive(frame_bytes(*frame))) == []  # type: ignore[arg-type]
    assert host.stale == stale + 1  # of a message that is answered there is none


@pytest.mark.parametrize(("sequence", "counted"), [(1, (0, 0)), (0, (0, 1)), (2, (1, 0)), (65_535, (1, 0))])
def test_numbers_of_messages(ends: Ends, sequence: int, counted: tuple[int, int]) -> None:
    """The device has the greeting, number 0; 1 is next, 0 is sent again, and others are late or lost."""
    _, device = opened(ends)
    found = list(device.receive(frame_bytes(Type.RECORD, 7, sequence, b"x")))
    assert found == ([Message(Type.RECORD, b"x")] if sequence == 1 else [])
    assert (device.stale, device.repeated) == counted
    assert device.take_written() == (b"" if device.stale else frame_bytes(Type.ACK, 7, sequence))
