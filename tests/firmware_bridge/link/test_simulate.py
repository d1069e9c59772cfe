"""A simulated device and a host, end to end: the generated C over TCP."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from queue import Queue

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle, movement, sensor_contract
from tests.firmware_bridge.link.harness import HOST
from vskd.bundle.bundle import Bundle
from vskd.bundle.recorded import Recorded
from vskd.bundle.sensor_file import read_recording
from vskd.errors import LinkError, SettingError
from vskd.firmware_bridge import generate
from vskd.firmware_bridge.link import simulate as simulating
from vskd.firmware_bridge.link.messages import Decided
from vskd.firmware_bridge.link.recorder import HostDecider, record
from vskd.firmware_bridge.link.session import open_session
from vskd.firmware_bridge.link.simulate import simulate
from vskd.firmware_bridge.link.transfer import send_bundle
from vskd.firmware_bridge.link.wires import connect
from vskd.firmware_bridge.stream_file import stream_file


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    contract = sensor_contract(max_samples=100)  # a recording for a stream may be longer
    return make_bundle(tmp_path_factory.mktemp("simulate") / "bundle", contract)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = movement(203, np.random.default_rng(0)) + np.array([0, 0, 1], np.float32)
    path = tmp_path_factory.mktemp("recording") / "given.csv"
    rows = "\n".join(",".join(str(value) for value in row) for row in samples.astype(np.float32))
    path.write_text(f"# unit: g\n# rate_hz: 50\nx,y,z\n{rows}\n")
    return path


@contextmanager
def simulated(bundle: Bundle, recording: Path, flash: Path, connections: int) -> Iterator[str]:
    """A device that serves so many connections; its address."""
    if HOST.missing:
        pytest.skip(HOST.missing)
    ready: Queue[str] = Queue()
    options = {"flash": flash, "connections": connections, "on_ready": ready.put}
    thread = threading.Thread(target=simulate, args=(bundle, recording, "127.0.0.1:0"), kwargs=options, daemon=True)
    thread.start()
    yield ready.get(timeout=60)
    thread.join(20)
    assert not thread.is_alive()


def test_record_decide_send_and_start_again(
    bundle: Bundle, recording: Path, tmp_path: Path, capfd, monkeypatch
) -> None:
    """In one test, for the device is built once."""
    monkeypatch.setattr(simulating, "SECTOR", 1024)
    own: list[Decided] = []
    ours: list[Decided] = []
    other = make_bundle(tmp_path / "other", sensor_contract(), seed=1)
    with simulated(bundle, recording, tmp_path / "flash.bin", 5) as address:
        with open_session(connect(address)) as session:
            assert session.about.digest.hex() == bundle.digest and not session.about.unconfirmed
            assert (session.about.rate_hz, session.about.unit, session.about.axes) == (50.0, "g", ("x", "y", "z"))
            done = record(session, tmp_path / "own.csv", on_decision=own.append)
            assert astuple(done) == (203, 0, pytest.approx(202 / 50), len(own))
            # The same session records again, and this time the host decides.
            record(session, tmp_path / "ours.csv", host=HostDecider(bundle, session.about), on_decision=ours.append)
            short = record(session, tmp_path / "short.csv", seconds=1.0)
            assert 51 <= short.samples < 203
        _the_file_is_what_was_replayed(bundle, recording, tmp_path / "own.csv")
        assert len(own) > 30 and own == ours
        expected = stream_file(bundle, tmp_path / "own.csv")
        assert [(d.status, d.text, d.time_us) for d in own] == [
            (e.status, e.label, round(e.time_s * 1e6)) for e in expected
        ]
        with open_session(connect(address)) as session:
            sent = send_bundle(session, other)
            assert (sent.start, sent.slot, sent.sequence) == (0, 0, 1)
            assert send_bundle(session, other).slot is None  # it waits for the next start
        with open_session(connect(address)) as session:
            assert session.about.digest.hex() == other.digest and session.about.unconfirmed
        _cut_off(address, bundle)
        with open_session(connect(address)) as session:
            assert session.about.digest.hex() == other.digest and not session.about.unconfirmed
            sent = send_bundle(session, bundle)
            assert sent.start == 2048 and (sent.slot, sent.sequence) == (1, 2)
    said = capfd.readouterr().err
    assert said.count("shown: ") == len(ours) and "started: slot 0" in said and "started: slot -1" in said


def _the_file_is_what_was_replayed(bundle: Bundle, given: Path, recorded: Path) -> None:
    contract = bundle.manifest.contract.model_copy(update={"max_samples": 1000})
    before, after = (read_recording(path, contract) for path in (given, recorded))  # type: ignore[arg-type]
    np.testing.assert_array_equal(before.signal, after.signal)
    assert after.rate_hz == 50.0
    text = recorded.read_text()
    assert text.startswith("# sensor: accelerometer\n# unit: g\n# rate_hz: 50\n# bundle: ")
    assert "\ntime_s,x,y,z\n0.000000," in text


def _cut_off(address: str, bundle: Bundle) -> None:
    """Send a part of a bundle, then pull the cable."""
    wire = connect(address)
    with open_session(wire) as session:
        whole = session.send
        sent: list[object] = []

        def send(message: object) -> None:
            if len(sent) == 9:  # the offer and 8 pieces: two sectors are whole
                wire.close()
                raise LinkError("pulled", "plug it in")
            sent.append(message)
            whole(message)  # type: ignore[arg-type]

        session.send = send  # type: ignore[method-assign]
        with pytest.raises(LinkError, match="pulled"):
            send_bundle(session, bundle)


def test_a_port_that_is_taken(bundle: Bundle, recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "_build", lambda *_: [])
    with simulating._listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinkError, match=f"127.0.0.1:{port} cannot be served: .* Choose another port, or 0"):
            simulate(bundle, recording, f"127.0.0.1:{port}")


def test_a_flash_of_another_size(tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(bytes(5000))
    with pytest.raises(SettingError, match=r"has 5000 bytes, which are not two slots. Name another file with --flash"):
        simulating._prepare_flash(tmp_path / "flash.bin", 100)
    assert simulating._prepare_flash(tmp_path / "new.bin", 9000) == 5 * 4096
    assert simulating._prepare_flash(tmp_path / "new.bin", 1) == 5 * 4096  # as it was made


def replayed(times: list[float] | None) -> np.ndarray:
    signal = np.array([[1, 2, 3], [-1, -2, -3]], np.float32)
    recorded = Recorded(signal, 50.0, (), times=None if times is None else np.array(times))
    rows = simulating.sample_rows(recorded)
    return np.frombuffer(rows, [("time", "<u8"), ("values", "<f4", 2)])


@pytest.mark.parametrize(
    ("times", "microseconds"),
    [(None, [0, 20_000, 40_000]), ([0.0, 0.0200004, 0.0500006], [0, 20_000, 50_001])],
)
def test_samples_are_replayed_at_their_times_or_at_the_rate(times: list[float] | None, microseconds: list[int]) -> None:
    rows = replayed(times)
    assert rows["time"].tolist() == microseconds
    assert rows["values"].tolist() == [[1, -1], [2, -2], [3, -3]]


@pytest.mark.parametrize(("parcel", "sectors"), [(1, 2), (2730, 2), (2731, 3), (5461, 3), (5462, 4)])
def test_a_slot_has_a_sector_of_its_own_and_half_as_much_room_again(tmp_path: Path, parcel: int, sectors: int) -> None:
    """1.5 times 2,730 bytes are 4,095, of a sector of 4,096."""
    flash = tmp_path / "flash.bin"
    assert simulating._prepare_flash(flash, parcel) == sectors * 4096
    assert flash.read_bytes() == b"\xff" * 2 * sectors * 4096  # as erased flash is


@pytest.mark.parametrize(("size", "fits"), [(2 * 4096, False), (4 * 4096, True), (4 * 4096 + 4096, False), (0, False)])
def test_a_flash_is_two_slots_of_two_sectors_at_least(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "flash.bin").write_bytes(bytes(size))
    if fits:
        assert simulating._prepare_flash(tmp_path / "flash.bin", 1) == size // 2
    else:
        with pytest.raises(SettingError, match=f"has {size} bytes, which are not two slots"):
            simulating._prepare_flash(tmp_path / "flash.bin", 1)


def test_as_many_connections_as_asked_for_are_served(
    bundle: Bundle, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flash of each is one file, of the caller or forgotten."""
    flashes: list[Path] = []
    monkeypatch.setattr(simulating, "_build", lambda *given: flashes.append(given[3]) or ["cat"])
    for flash in (tmp_path / "mine.bin", None):
        ready: Queue[str] = Queue()
        options = {"flash": flash, "connections": 2, "on_ready": ready.put}
        thread = threading.Thread(target=simulate, args=(bundle, recording, "127.0.0.1:0"), kwargs=options, daemon=True)
        thread.start()
        address = ready.get(timeout=20)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 20) as line:
                line.sendall(b"echo")
                line.shutdown(socket.SHUT_WR)
                assert line.recv(10) == b"echo"
        thread.join(20)
        assert not thread.is_alive()
    assert flashes[0] == tmp_path / "mine.bin" and not flashes[1].exists()


@pytest.mark.parametrize("in_place", [False, True])
def test_the_device_is_built_for_the_rate_of_the_recording(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool
) -> None:
    if in_place:
        monkeypatch.setattr(generate, "LARGEST_ARRAY", 100)
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(simulating, "build_program", lambda *given: asked.append(given) or given[3])
    recorded = Recorded(np.array([[1, 2, 3]] * 3, np.float32), 100.0, (), times=None)
    command = simulating._build(bundle, recorded, tmp_path, tmp_path / "flash.bin")
    ((build, folder, sources, program),) = asked
    assert (build.name, folder, program) == ("C, gcc", tmp_path, tmp_path / "device")  # type: ignore[attr-defined]
    assert sources[0] == "link/vskd_link_run.c" and all(name.endswith(".c") for name in sources)  # type: ignore[index,attr-defined]
    assert {"link/vskd_slots.c", "vskd_stream.c", "vskd_model.c"} <= set(sources)  # type: ignore[call-overload]
    assert all((tmp_path / name).is_file() for name in sources)  # type: ignore[attr-defined]
    rate = re.search(r"#define VSKD_DEVICE_RATE_HZ (\S+)f\n", (tmp_path / "vskd_contract.h").read_text())
    assert rate is not None and float.fromhex(rate[1]) == 100.0
    assert (tmp_path / "samples.bin").read_bytes() == simulating.sample_rows(recorded)
    slot = (tmp_path / "flash.bin").stat().st_size // 2
    weights = [str(tmp_path / "model.tflite")] if in_place else []
    assert command == [*map(str, (program, tmp_path / "samples.bin", tmp_path / "flash.bin", 4096, slot)), *weights]


def test_a_device_that_fails_is_started_again_with_the_next_connection(
    bundle: Bundle, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []
    monkeypatch.setattr(
        simulating, "_build", lambda *given: folders.append(given[2]) or ["sh", "-c", "printf started; exit 3"]
    )
    ready: Queue[str] = Queue()
    options = {"connections": 2, "on_ready": ready.put}
    thread = threading.Thread(target=simulate, args=(bundle, recording, "127.0.0.1:0"), kwargs=options, daemon=True)
    thread.start()
    address = ready.get(timeout=20)
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 20) as line:
            assert line.recv(10) == b"started"
    thread.join(20)
    assert not thread.is_alive()
    assert folders[0].name.startswith("vskd-") and not folders[0].exists()
