"""Recordings from a device: losses are counted, what broke off is kept, nothing is replaced."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from tests.firmware_bridge.link.device import ABOUT, device
from vskd.bundle.sensor_file import read_recording
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision
from vskd.errors import BundleError, LinkError
from vskd.files import WriteError
from vskd.firmware_bridge.link import recorder
from vskd.firmware_bridge.link.messages import AnyMessage, Decided, End, Ended, Record, Samples, Wish
from vskd.firmware_bridge.link.recorder import HostDecider, Recorded, record
from vskd.firmware_bridge.link.session import open_session


def piece(number: int, count: int = 10, *, timed: bool = True, axes: int = 3) -> Samples:
    values = np.random.default_rng(number).normal(0, 0.1, (count, axes)).astype(np.float32)
    values[:, -1] += 1  # gravity
    offsets = (np.arange(count) * 20_000).astype(np.uint32)
    return Samples(number, 5_000_000 + number * 20_000 if timed else 0, timed, offsets, values)


def recorded(out: Path, said: list[AnyMessage | bytes], **options: float) -> Recorded:
    with (
        device(lambda message: said if isinstance(message, Record) and message.wish else []) as wire,
        open_session(wire) as talk,
    ):
        return record(talk, out, **options)  # type: ignore[arg-type]


def test_the_file_is_read_as_it_was_measured(tmp_path: Path) -> None:
    pieces = [piece(0), piece(10), piece(20)]
    done = recorded(tmp_path / "r.csv", [*pieces, End(Ended.SENSOR, 30, 0)])
    assert done == Recorded(30, 0, pytest.approx(29 / 50), 0)
    read = read_recording(tmp_path / "r.csv", sensor_contract())
    np.testing.assert_array_equal(read.signal.T, np.concatenate([p.values for p in pieces]))
    assert read.rate_hz == 50.0 and read.times is not None and read.times[-1] == pytest.approx(29 / 50)


def test_without_measured_times_they_follow_from_the_rate(tmp_path: Path) -> None:
    recorded(tmp_path / "r.csv", [piece(0, timed=False), piece(20, timed=False), End(Ended.SENSOR, 30, 0)])
    rows = (tmp_path / "r.csv").read_text().splitlines()[5:]
    assert [row.split(",")[0] for row in rows[8:12]] == ["0.160000", "0.180000", "0.400000", "0.420000"]


def test_losses_are_counted_on_either_side(tmp_path: Path) -> None:
    assert recorded(tmp_path / "a.csv", [piece(0), piece(15), End(Ended.SENSOR, 25, 0)]).lost == 5
    assert recorded(tmp_path / "b.csv", [piece(0), piece(15), End(Ended.SENSOR, 40, 20)]).lost == 20


def test_it_stops_when_the_time_is_up(tmp_path: Path) -> None:
    asked: list[Wish] = []

    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        assert isinstance(message, Record)
        asked.append(message.wish)
        return [piece(0), piece(10), piece(20)] if message.wish else [End(Ended.ASKED, 30, 0)]

    with device(answers) as wire, open_session(wire) as talk:
        done = record(talk, tmp_path / "r.csv", seconds=0.3)
    assert done.samples == 20 and asked == [Wish.SAMPLES | Wish.DECISIONS, Wish.NOTHING]


def test_a_recording_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("precious")
    with pytest.raises(WriteError, match=r"r\.csv is there already, and a recording replaces nothing\. Choose another"):
        recorded(tmp_path / "r.csv", [])
    assert (tmp_path / "r.csv").read_text() == "precious"


def test_what_came_before_the_line_broke_is_kept(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"The line to the device broke: .*; .*r.csv holds the 20 samples before\."):
        recorded(tmp_path / "r.csv", [piece(0), piece(10), b""])
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 25


def test_ctrl_c_keeps_what_came(tmp_path: Path) -> None:
    decision = Decided(0, 1, 1, 5, 10, 0, "wave")

    def stop(_: Decided) -> None:
        raise KeyboardInterrupt

    said: list[AnyMessage | bytes] = [piece(0), decision]
    with (
        device(lambda _: said) as wire,
        open_session(wire) as talk,
        pytest.raises(KeyboardInterrupt),
    ):
        record(talk, tmp_path / "r.csv", on_decision=stop)
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 15


def test_a_silent_sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SILENCE_S", 0.1)
    with pytest.raises(LinkError, match=r"No sample came for 0 s; .* Check that the sensor of the device runs"):
        recorded(tmp_path / "r.csv", [])


def test_other_axes_than_it_named(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="sends 2 axes and named 3"):
        recorded(tmp_path / "r.csv", [piece(0, axes=2)])


def test_the_host_decides_only_for_its_own_contract(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    for about in (replace(ABOUT, unit="m/s^2"), replace(ABOUT, axes=("y", "x", "z"))):
        with pytest.raises(BundleError, match=r"asks for x, y, z in g; the device sends .* Use the bundle that its"):
            HostDecider(bundle, about)
    decider = HostDecider(bundle, ABOUT)
    found = [d for number in range(0, 60, 10) for d in decider.decide(piece(number))]
    assert len(found) == 1 + (60 - 16) // 5 and [d.sample for d in found[:2]] == [16, 21]
    assert all(d.text == bundle.manifest.provenance.labels[d.label] for d in found if d.label >= 0)


class Deciding:
    """A host that decides once for each piece."""

    def decide(self, samples: Samples) -> list[Decided]:
        return [Decided(0, 1, 1, 5, samples.number, 0, "wave")]


def test_the_host_s_decisions_go_down_and_the_device_s_are_not_asked_for(tmp_path: Path) -> None:
    heard: list[AnyMessage] = []

    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        heard.append(message)
        return [piece(0), piece(10), End(Ended.SENSOR, 20, 0)] if isinstance(message, Record) else []

    told: list[Decided] = []
    with device(answers) as wire, open_session(wire) as talk:
        done = record(talk, tmp_path / "r.csv", host=Deciding(), on_decision=told.append)  # type: ignore[arg-type]
    assert (done.samples, done.decisions) == (20, 2) and [d.sample for d in told] == [0, 10]
    assert heard[0] == Record(Wish.SAMPLES)


def test_decisions_of_the_device_are_counted_and_told(tmp_path: Path) -> None:
    said = [Decided(0, 1, 1, 5, number, 0, "wave") for number in (10, 20)]
    told: list[Decided] = []
    with (
        device(lambda m: [piece(0), *said, End(Ended.SENSOR, 10, 0)] if isinstance(m, Record) else []) as wire,
        open_session(wire) as talk,
    ):
        done = record(talk, tmp_path / "r.csv", on_decision=told.append)
    assert done.decisions == 2 and told == said


def test_the_head_says_what_was_measured(tmp_path: Path) -> None:
    recorded(tmp_path / "r.csv", [piece(0, count=1), End(Ended.SENSOR, 1, 0)])
    assert (tmp_path / "r.csv").read_text().splitlines()[:5] == [
        *("# sensor: accelerometer", "# unit: g", "# rate_hz: 50", f"# bundle: {bytes(range(32)).hex()}"),
        "time_s,x,y,z",
    ]


def test_measured_times_decide_where_there_are_any(tmp_path: Path) -> None:
    """A pause in the stamps is a condition of the stream; samples without stamps have none."""
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    late = replace(piece(30), time_us=60_000_000)
    for timed, statuses in ((True, 2), (False, 1)):
        decider = HostDecider(bundle, ABOUT)
        pieces = [replace(p, timed=timed) for p in (piece(0), piece(10), piece(20), late)]
        found = [d.status for one in pieces for d in decider.decide(one)]
        assert len(set(found)) == statuses, found


def test_a_sensor_is_given_up_after_ten_seconds() -> None:
    """As docs/link.md says."""
    from vskd.firmware_bridge.link import session

    assert (recorder.SILENCE_S, session.ANSWER_S) == (10.0, 30.0)


def test_numbers_that_begin_late_are_a_loss_and_those_that_come_again_are_none(tmp_path: Path) -> None:
    assert recorded(tmp_path / "a.csv", [piece(3), End(Ended.SENSOR, 13, 0)]).lost == 3
    assert recorded(tmp_path / "b.csv", [piece(0), piece(5), piece(20), End(Ended.SENSOR, 30, 0)]).lost == 5


@pytest.mark.parametrize(("seconds", "samples"), [(0.37, 20), (0.38, 20), (0.39, 30)])
def test_the_time_is_up_with_the_sample_that_reaches_it(tmp_path: Path, seconds: float, samples: int) -> None:
    """Of 50 a second, the twentieth comes after 0.38 s. What comes until the device stops is left out."""
    late = Decided(0, 1, 1, 5, 10, 0, "late")

    def answers(message: AnyMessage) -> list[AnyMessage | bytes]:
        assert isinstance(message, Record)
        pieces = [piece(0), piece(10), piece(20)]
        return [*pieces] if message.wish else [piece(30), late, End(Ended.ASKED, 40, 0)]

    told: list[Decided] = []
    with device(answers) as wire, open_session(wire) as talk:
        done = record(talk, tmp_path / "r.csv", seconds=seconds, on_decision=told.append)
    assert (done.samples, done.decisions, told) == (samples, 0, [])
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 5 + samples


def test_nothing_was_recorded_before_something_was() -> None:
    assert Recorded() == Recorded(0, 0, 0.0, 0)


def test_the_seconds_are_a_plain_number(tmp_path: Path) -> None:
    done = recorded(tmp_path / "r.csv", [piece(0), End(Ended.SENSOR, 10, 0)])
    assert type(done.seconds) is float


def test_the_rate_of_the_device_is_that_of_the_stream(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    for rate, period in ((50.0, 20_000), (100.0, 10_000)):
        assert HostDecider(bundle, replace(ABOUT, rate_hz=rate))._stream.plan.period_us == period


def test_the_first_label_has_a_name_too(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    decider = HostDecider(bundle, ABOUT)
    said = [Decision(Condition.OK, 0, 2, 5, 9, 7), Decision(Condition.OK, -1, 2, 5, 9, 7)]
    decider._stream = SimpleNamespace(feed=lambda *_: said)  # type: ignore[assignment]
    first, unknown = decider.decide(piece(0))
    assert first == Decided(0, 0, 2, 5, 9, 7, bundle.manifest.provenance.labels[0])
    assert unknown == Decided(0, -1, 2, 5, 9, 7, "")
