"""Hours of signal from a .csv: the stream's decisions, with times, at flat memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import LABELS, Pair, clock, make_bundle, movement, sensor_contract
from vskd.bundle.bundle import Bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.decision import DecisionSettings
from vskd.bundle.predict_timeline import predict_timeline
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.errors import BundleError, DataError
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.stream_file import read_layout, stream_file
from vskd.preprocessing.sensor.resampling import plan_resampling


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_bundle(tmp_path / "bundle", sensor_contract())


def write(path: Path, samples: np.ndarray, times: np.ndarray | None = None, head: str = "") -> Path:
    rows = [",".join(map(repr, map(float, sample))) for sample in samples]
    if times is not None:
        rows = [f"{int(t) / 1e6!r},{row}" for t, row in zip(times, rows, strict=True)]
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def test_the_events_are_the_streams_decisions(bundle: Bundle, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    samples, times = movement(2500, generator), clock(2500, 50.0, generator)
    times[1200:] += np.uint64(2_000_000)
    samples[2000, 1] = np.nan
    file = write(tmp_path / "long.csv", samples, times, "# unit: g\ntime_s,x,y,z\n")
    found = list(stream_file(bundle, file))
    expected = list(Pair(read_firmware(bundle), tmp_path).stream().feed(samples, times))
    assert [event.status for event in found] == [d.status for d in expected]
    assert {Condition.OK, Condition.GAP, Condition.NOT_FINITE} <= {event.status for event in found}
    output = read_firmware(bundle).graph.output
    for event, decision in zip(found, expected, strict=True):
        assert event.label == (LABELS[decision.label] if decision.label >= 0 else "")
        assert event.time_s == pytest.approx((decision.time_us - int(times[0])) / 1e6)
        assert event.log_odds == pytest.approx(decision.margin * output.scale)


RATES = (100.0, 104.0, 20.0, 25.0, 31.25, 50.0)


def long_file(path: Path, rate: float, generator: np.random.Generator, unit: str) -> list[int]:
    """Some stretches with gaps between them; gives the sizes of the stretches."""
    sizes = [int(size) for size in generator.integers(100, 200, 3)]
    samples = movement(sum(sizes), generator, scale=1000 if unit == "mg" else 1)
    times = clock(sum(sizes), rate, generator, jitter=0.05)
    for size in np.cumsum(sizes)[:-1]:
        times[size:] += np.uint64(generator.integers(600_000, 9_000_000))
    write(path, samples, times, f"# unit: {unit}\ntime_s,x,y,z\n")
    return sizes


@pytest.mark.parametrize("seed", range(12))
def test_decisions_are_those_of_predict_on_the_same_file(tmp_path: Path, seed: int) -> None:
    """Of every stretch, window by window; the stream lacks those for which it would need what follows."""
    generator, rate, unit = np.random.default_rng(seed), RATES[seed % len(RATES)], ("g", "mg")[seed // len(RATES)]
    contract = sensor_contract(rate_hz=rate, length=48, stride=int(generator.integers(9, 40)), max_samples=10**9)
    bundle = make_bundle(tmp_path / "bundle", contract.model_copy(update={"calibrated": False}))
    settings = StreamSettings(device=DeviceSettings(unit_factor=0.001 if unit == "mg" else 1.0))
    sizes = long_file(tmp_path / "long.csv", rate, generator, unit)
    answer = predict_timeline(bundle.path, tmp_path / "long.csv")
    assert answer.recording is not None and [b - a for a, b in answer.recording.segments] == sizes
    made = plan_resampling(rate, 50.0)
    events = iter(stream_file(bundle, tmp_path / "long.csv", settings))
    offline, missing, seen = iter(answer.probabilities), 0, set()
    for number, size in enumerate(sizes):
        if number:
            assert next(events).status is Condition.GAP
        for start in range(0, made.count(size) - 47, contract.stride or 1):
            probabilities = next(offline)
            if made.last_needed(start + 47) < size:
                event = next(events)
                assert (event.status, event.label) == (Condition.OK, LABELS[probabilities.argmax()])
                assert event.confidence == pytest.approx(probabilities.max(), rel=1e-5)
                seen.add(event.confidence)
            else:
                missing += 1
    assert next(events, None) is None and next(offline, None) is None
    assert len(seen) > 1 and (missing == 0 if made.half == 0 else missing <= 3 * (made.half / made.down + 2))


def test_a_remark_of_another_rate_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    """Without a clock nothing else could show it."""
    samples = movement(64, np.random.default_rng(0))
    file = write(tmp_path / "a.csv", samples, None, "# rate_hz: 100 Hz\nx,y,z\n")
    with pytest.raises(BundleError, match=r"the stream has 50 Hz, the file says 100 Hz\. Set device\.rate_hz"):
        list(stream_file(bundle, file))
    assert list(stream_file(bundle, file, StreamSettings(device=DeviceSettings(rate_hz=100))))
    near = write(tmp_path / "b.csv", samples, None, "# rate_hz: 50.5\nx,y,z\n")
    assert list(stream_file(bundle, near)) == list(stream_file(bundle, write(tmp_path / "c.csv", samples)))


def test_the_confidence_is_the_labels_probability_in_this_window(bundle: Bundle, tmp_path: Path) -> None:
    """Of what smoothing holds on to, not of the window's own class; of an unknown one, its most probable class."""
    generator = np.random.default_rng(0)
    samples = np.concatenate([movement(150, generator), np.full((2, 3), np.nan), movement(80, generator)])
    file = write(tmp_path / "a.csv", samples.astype(np.float32))
    pair, output = Pair(read_firmware(bundle), tmp_path), read_firmware(bundle).graph.output
    seen, stream = [], pair.stream()
    for _ in stream.feed(samples.astype(np.float32)):
        real = output.scale * (stream.logits.astype(float) - output.zero_point)
        seen.append(np.exp(real) / np.exp(real).sum())
    decision = DecisionSettings(smoothing="majority", votes=5)
    held = list(stream_file(bundle, file, StreamSettings(decision=decision)))
    assert len(held) == len(seen) and {event.confidence is None for event in held} == {True, False}
    below = 0
    for event, probabilities in zip(held, seen, strict=True):
        if event.status is not Condition.OK:
            assert event.confidence is None
            continue
        assert event.confidence == pytest.approx(probabilities[LABELS.index(event.label)], rel=1e-4)
        below += event.confidence < probabilities.max() - 1e-6
    assert below
    unsure = stream_file(bundle, file, StreamSettings(decision=DecisionSettings(min_log_odds=1000)))
    for event, probabilities in zip(unsure, seen, strict=True):
        if event.status is Condition.OK:
            assert (event.label, event.confidence) == ("", pytest.approx(probabilities.max(), rel=1e-4))


def test_columns_are_found_by_name_and_without_times_the_rate_is_the_contracts(bundle: Bundle, tmp_path: Path) -> None:
    samples = movement(64, np.random.default_rng(0))
    plain = list(stream_file(bundle, write(tmp_path / "plain.csv", samples)))
    named = write(tmp_path / "named.csv", samples[:, [2, 0, 1]], None, "z,x,y\n")
    assert list(stream_file(bundle, named)) == plain
    assert [event.time_s for event in plain[:2]] == pytest.approx([16 / 50, 21 / 50])


def test_memory_is_flat(bundle: Bundle, tmp_path: Path) -> None:
    """What a stream needs at most does not depend on its length: five minutes are 1 MB of text, and 3 MB as arrays."""
    short = write(tmp_path / "short.csv", movement(3_000, np.random.default_rng(0)))
    long = tmp_path / "long.csv"
    peaks, counts = [], []
    for minutes in (1, 2, 5):  # the first one loads what is loaded once
        long.write_text(short.read_text() * minutes)
        tracemalloc.start()
        counts.append(sum(1 for _ in stream_file(bundle, long)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert counts[2] == (15_000 - 16) // 5 + 1
    assert peaks[2] < 1.05 * peaks[1]


def test_what_is_wrong_is_named(bundle: Bundle, tmp_path: Path) -> None:
    samples = movement(20, np.random.default_rng(0))
    wrong = write(tmp_path / "unit.csv", samples, None, "# unit: m/s^2\nx,y,z\n")
    with pytest.raises(BundleError, match=r"asks for g, the file says m/s\^2"):
        list(stream_file(bundle, wrong))
    broken = tmp_path / "broken.csv"
    broken.write_text("1,2,3\n" * 2500 + "1,2\n")
    with pytest.raises(DataError, match="data row 2501 is not 3 numbers"):
        list(stream_file(bundle, broken))
    with pytest.raises(DataError, match=r"absent\.csv: not a readable \.csv file"):
        list(stream_file(bundle, tmp_path / "absent.csv"))
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    with pytest.raises(BundleError, match="takes images"):
        list(stream_file(images, wrong))


@pytest.mark.parametrize(("first", "told"), [(0.0, ""), (-0.02, "a time near data row 1 is negative or no number")])
def test_a_clock_may_begin_at_zero_and_not_before(bundle: Bundle, tmp_path: Path, first: float, told: str) -> None:
    samples = movement(40, np.random.default_rng(0))
    rows = [",".join(map(repr, map(float, (first + n / 50, *sample)))) for n, sample in enumerate(samples)]
    (tmp_path / "a.csv").write_text("time_s,x,y,z\n" + "\n".join(rows) + "\n")
    if told:
        with pytest.raises(DataError, match=told):
            list(stream_file(bundle, tmp_path / "a.csv"))
    else:
        events = list(stream_file(bundle, tmp_path / "a.csv"))
        assert [event.time_s for event in events[:2]] == pytest.approx([15 / 50, 20 / 50])


@pytest.mark.parametrize(
    ("head", "step", "seconds"), [("time_ms", 20.0, 1e-3), ("time (s)", 0.02, 1.0), ("timestamp", 20_000.0, 1e-6)]
)
def test_what_the_first_lines_say(tmp_path: Path, head: str, step: float, seconds: float) -> None:
    rows = [f"{n * step:g};walk;{n};0,5;1" for n in range(20)]
    (tmp_path / "a.csv").write_text(f"{head};note;z (mg);x (mg);y (mg)\n" + "\n".join(rows) + "\n")
    layout = read_layout(tmp_path / "a.csv", sensor_contract())
    assert (layout.separator, layout.width, layout.columns, layout.unit, layout.clock) == (";", 5, (3, 4, 2), "mg", 0)
    assert layout.seconds == pytest.approx(seconds)


def test_without_a_clock_or_with_one_of_words(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("# unit: g\nx,y,z\n" + "1,2,3\n4,5,7\n" * 9)
    layout = read_layout(tmp_path / "a.csv", sensor_contract())
    assert (layout.clock, layout.seconds, layout.unit) == (None, 0.0, "g")
    rows = [f"10:00:00.{n:02d},{n % 3},2,3" for n in range(20)]
    (tmp_path / "b.csv").write_text("time,x,y,z\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="time stamps in column 0 are no counts of seconds"):
        read_layout(tmp_path / "b.csv", sensor_contract())


def test_a_unit_that_the_settings_convert_is_no_wrong_one(bundle: Bundle, tmp_path: Path) -> None:
    samples = movement(64, np.random.default_rng(0))
    file = write(tmp_path / "mg.csv", 1000 * samples, None, "x (mg),y (mg),z (mg)\n")
    with pytest.raises(BundleError, match="wrong unit: the model asks for g, the file says mg"):
        list(stream_file(bundle, file))
    settings = StreamSettings(device=DeviceSettings(unit_factor=1e-3))
    events = list(stream_file(bundle, file, settings))
    assert [e.label for e in events] == [e.label for e in stream_file(bundle, write(tmp_path / "g.csv", samples))]


def test_a_file_of_which_no_row_fits_is_not_passed_over(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "ends.csv").write_text("x;y;z;\n" + "0.1;0.2;0.3;\n" * 40)
    with pytest.raises(DataError, match="no row has the 3 cells that its first lines describe"):
        list(stream_file(bundle, tmp_path / "ends.csv"))
