"""`vskd link`: which line, what is printed, and plain errors."""

import json
import re
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from tests.firmware_bridge.link.device import ABOUT
from vskd.firmware_bridge.link import recorder, session, simulate, transfer, wires
from vskd.firmware_bridge.link.messages import Decided
from vskd.firmware_bridge.link.recorder import Recorded
from vskd.firmware_bridge.link.transfer import Sent


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The lines that were opened, to a device that is `ABOUT`."""
    opened: list[tuple[object, ...]] = []

    @contextmanager
    def talk(wire: object):
        yield SimpleNamespace(about=ABOUT, wire=wire)

    monkeypatch.setattr(wires, "connect", lambda address: opened.append((address,)))
    monkeypatch.setattr(wires, "SerialWire", lambda port, baud: opened.append((port, baud)))
    monkeypatch.setattr(session, "open_session", talk)
    return opened


def test_record_prints_decisions_and_what_was_recorded(vskd, lines, monkeypatch, tmp_path: Path) -> None:
    def fake(_: object, out: Path, seconds: float | None, host: object, on_decision) -> Recorded:
        assert (out, seconds, host) == (tmp_path / "r.csv", 60.0, None)
        for status, text in ((0, "wave"), (0, ""), (2, ""), (200, "")):
            on_decision(Decided(status, 1, 1, 5, 10, 1_500_000, text))
        return Recorded(300, 4, 6.0, 4)

    monkeypatch.setattr(recorder, "record", fake)
    words = ("link", "record", "--out", tmp_path / "r.csv", "--seconds", 60)
    answer = vskd(*words, "--port", "/dev/ttyACM0", "--baud", 9600)
    assert answer.code == 0 and lines == [("/dev/ttyACM0", 9600)]
    assert answer.out.splitlines()[:4] == ["1.50  wave", "1.50  unknown", "1.50  GAP", "1.50  ?"]
    assert "samples    300 of x, y, z in g, 50 Hz" in answer.out and "lost       4" in answer.out
    content = json.loads(vskd(*words, "--tcp", "127.0.0.1:9", "--json").out)
    assert content["samples"] == 300 and content["unit"] == "g" and content["rate_hz"] == 50.0
    assert lines[1] == ("127.0.0.1:9",)


def test_the_host_decides_with_a_bundle(vskd, lines, record, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    seen = record(recorder, "record", Recorded())
    answer = vskd("link", "record", "--tcp", "[::1]:9", "--out", tmp_path / "r.csv", "--decide", bundle.path)
    assert answer.code == 0 and isinstance(seen[0]["host"], recorder.HostDecider)


@pytest.mark.parametrize("words", [(), ("--port", "a", "--tcp", "127.0.0.1:9")])
def test_one_line_is_asked_for(vskd, tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = vskd("link", "record", "--out", tmp_path / "r.csv", *words)
    assert answer.code == 1
    assert answer.err == "error: One line to a device is asked for. Give --port PORT or --tcp HOST:PORT.\n"


def test_send_says_where_the_bundle_is(vskd, lines, record, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    seen = record(transfer, "send_bundle", Sent(10_000, 4096, 1, 7))
    answer = vskd("link", "send", bundle.path, "--port", "/dev/ttyACM0")
    assert answer.code == 0 and seen[0]["bundle"].digest == bundle.digest
    assert "sent    5,904 of 10,000 bytes" in answer.out and "slot    B" in answer.out
    content = json.loads(vskd("link", "send", bundle.path, "--port", "x", "--json").out)
    assert (content["digest"], content["slot"], content["start"]) == (bundle.digest, 1, 4096)
    record(transfer, "send_bundle", Sent(10_000, 10_000))
    assert "is in the device already" in vskd("link", "send", bundle.path, "--port", "x").out


def test_an_unsigned_bundle_is_not_sent_where_a_signature_is_required(vskd, lines, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    (tmp_path / "keys").write_text("maker ssh-ed25519 AAAA\n")
    answer = vskd("link", "send", bundle.path, "--port", "x", "--require-signature", tmp_path / "keys")
    assert answer.code == 1 and "is not signed" in answer.err and lines == []


def test_simulate_says_where_it_listens(vskd, record, monkeypatch, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    seen: list[object] = []

    def fake(bundle: object, recording: Path, address: str, *, flash: Path | None, on_ready) -> None:
        seen.extend((recording, address, flash))
        on_ready("127.0.0.1:4711")

    monkeypatch.setattr(simulate, "simulate", fake)
    answer = vskd("link", "simulate", bundle.path, "r.csv", "--tcp", "127.0.0.1:0", "--flash", "f.bin")
    assert answer.out == "listening at 127.0.0.1:4711\n" and seen == [Path("r.csv"), "127.0.0.1:0", Path("f.bin")]


def test_nobody_is_there(vskd, tmp_path: Path) -> None:
    answer = vskd("link", "record", "--tcp", "127.0.0.1:1", "--out", tmp_path / "r.csv")
    assert answer.code == 1 and "Nobody listens at 127.0.0.1:1" in answer.err and answer.err.count("\n") == 1
    assert not (tmp_path / "r.csv").exists()


def test_every_figure_of_a_recording_is_printed(vskd, lines, record, tmp_path: Path) -> None:
    seen = record(recorder, "record", Recorded(300, 4, 6.256, 7))
    answer = vskd("link", "record", "--out", tmp_path / "r.csv", "--port", "P")
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["recording", str(tmp_path / "r.csv")],
        ["samples", "300 of x, y, z in g, 50 Hz"],
        ["seconds", "6.26"],
        ["lost", "4"],
        ["decisions", "7"],
    ]
    assert lines == [("P", 115_200)] and list(seen[0].values())[1:4] == [tmp_path / "r.csv", None, None]


def test_for_programs_decisions_are_not_printed(vskd, lines, monkeypatch, tmp_path: Path) -> None:
    def fake(_: object, out: Path, seconds: float | None, host: object, on_decision) -> Recorded:
        on_decision(Decided(0, 1, 1, 5, 10, 1_500_000, "wave"))
        return Recorded(300, 4, 6.0, 1)

    monkeypatch.setattr(recorder, "record", fake)
    answer = vskd("link", "record", "--out", tmp_path / "r.csv", "--tcp", "127.0.0.1:9", "--json")
    assert json.loads(answer.out)["decisions"] == 1 and json.loads(answer.out)["out"] == str(tmp_path / "r.csv")


def test_the_line_of_a_transfer(vskd, lines, record, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    record(transfer, "send_bundle", Sent(10_000, 0, 0, 7))
    answer = vskd("link", "send", bundle.path, "--port", "P", "--baud", 9600)
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["bundle", str(bundle.path)],
        ["sent", "10,000 of 10,000 bytes"],
        ["slot", "A"],
        ["starts", "when the device is started next"],
    ]
    assert vskd("link", "send", bundle.path, "--tcp", "127.0.0.1:9").code == 0
    assert lines == [("P", 9600), ("127.0.0.1:9",)]


def test_a_simulated_device_keeps_nothing_where_nothing_is_said(vskd, monkeypatch, tmp_path: Path) -> None:
    bundle, seen = make_bundle(tmp_path / "bundle", sensor_contract()), []
    monkeypatch.setattr(
        simulate, "simulate", lambda bundle, *words, **named: seen.append((bundle.digest, named["flash"]))
    )
    assert vskd("link", "simulate", bundle.path, "r.csv", "--tcp", "127.0.0.1:0").code == 0
    assert seen == [(bundle.digest, None)]
