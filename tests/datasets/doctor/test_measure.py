"""Facts of a recording against closed forms."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.doctor.measure import (
    SKETCH,
    in_one_scale,
    nearest_labels,
    rail_of,
    sensor_facts,
    sketch_of,
    still_share,
)
from vskd.datasets.recording import Stream
from vskd.preprocessing.sensor.timed import Timed


def timed(signal: np.ndarray) -> Timed:
    return Timed(signal.astype(np.float32), 50.0, np.arange(signal.shape[1]) / 50)


@pytest.mark.parametrize(("unit", "expected"), [("g", 0.5), ("m/s^2", 0.75), ("deg/s", 0.0)])
def test_still_seconds_are_counted_in_the_unit(unit: str, expected: float) -> None:
    """Four seconds whose deviations are 0, 0.01, 0.1 and 1 of the unit."""
    wave = np.tile([1.0, -1.0], 25)
    signal = np.concatenate([size * wave for size in (0.0, 0.01, 0.1, 1.0)])
    assert still_share(timed(np.stack([signal, 0 * signal, 0 * signal])), unit) == expected


def test_a_rail_is_where_many_samples_are_equal() -> None:
    signal = np.random.default_rng(0).uniform(-1, 1, (3, 200)).astype(np.float32)
    assert rail_of(signal) == 0
    signal[1, [3, 9, 80, 81]] = -2.0
    assert rail_of(signal) == 2.0


def test_a_sketch_is_short() -> None:
    assert sketch_of(np.random.default_rng(0).normal(size=(3, 500)).astype(np.float32)).shape == (78,)


def test_the_unit_does_not_matter() -> None:
    random = np.random.default_rng(0)
    signals = [random.normal(size=(3, 90)).astype(np.float32) for _ in range(4)]
    in_g = in_one_scale({str(n): sketch_of(s) for n, s in enumerate(signals)}, 3)
    in_mg = in_one_scale({str(n): sketch_of(1000 * s) for n, s in enumerate(signals)}, 3)
    for name, sketch in in_g.items():
        np.testing.assert_allclose(in_mg[name][:-3], sketch[:-3], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(in_mg[name][-3:] - sketch[-3:], np.log(1000) * np.sqrt(SKETCH), rtol=1e-4)
    samples = np.concatenate([sketch[:-3] for sketch in in_g.values()])
    assert samples.std() == pytest.approx(1, rel=1e-4)


def test_neighbours_are_those_of_other_people_by_a_naive_search() -> None:
    random = np.random.default_rng(0)
    sketches = random.normal(size=(40, 7)).astype(np.float32)
    labels, subjects = random.integers(0, 4, 40).tolist(), [str(n % 5) for n in range(40)]
    for n, found in enumerate(nearest_labels(sketches, labels, subjects, 3)):
        others = [k for k in range(40) if subjects[k] != subjects[n]]
        others.sort(key=lambda k: float(((sketches[k] - sketches[n]) ** 2).sum()))
        assert found == [labels[k] for k in others[:3]]
    assert nearest_labels(sketches[:2], [0, 1], ["a", "b"], 5) == [[1], [0]]


def test_neighbours_are_searched_in_blocks() -> None:
    """More recordings than a block holds, on a line: the nearest of another person are those beside."""
    sketches = np.arange(300, dtype=np.float32)[:, None] ** 1.01
    subjects = ["even" if n % 2 == 0 else "odd" for n in range(300)]
    found = nearest_labels(sketches, list(range(300)), subjects, 1)
    assert all(abs(line[0] - n) == 1 for n, line in enumerate(found)) and len(found) == 300


def written(root: Path, values: np.ndarray, **changes: object) -> Stream:
    np.save(root / "r.npy", values)
    fields = {"rate_hz": 50.0, "unit": "g", "axes": ("x", "y", "z"), **changes}
    return Stream("accelerometer", "sensor", root / "r.npy", **fields)  # type: ignore[arg-type]


def test_facts_of_a_stream(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0, 0.2, (200, 3)) + np.array([0.0, 0.6, -0.8])
    facts = sensor_facts(written(tmp_path, values))
    assert facts.direction == pytest.approx((0, 0.6, -0.8), abs=0.05)
    assert np.linalg.norm(facts.direction) == pytest.approx(1, abs=1e-6)
    assert (facts.stated_hz, facts.clocked, facts.clock, facts.dead) == (50, False, (), "")
    assert (facts.still, facts.rail, facts.sketch.shape) == (0, 0, (3 * SKETCH + 6,))
    assert facts.signal.samples == 200
    assert facts.content == sensor_facts(written(tmp_path, values)).content
    assert facts.content != sensor_facts(written(tmp_path, 1.01 * values)).content


def test_no_other_sensor_has_a_direction(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(1, 0.2, (200, 3))
    np.save(tmp_path / "g.npy", values)
    turning = Stream("gyroscope", "sensor", tmp_path / "g.npy", 50.0, "deg/s", ("x", "y", "z"))
    assert sensor_facts(turning).direction == (0.0, 0.0, 0.0)


def test_a_dead_axis_a_rail_and_stillness_are_seen(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0, 0.2, (200, 3)) + np.array([0.0, 0.6, -0.8])
    values[:, 0] = 0.25
    values[50:100] = values[50]
    values[150:160, 2] = -3.0
    facts = sensor_facts(written(tmp_path, values))
    assert "x" in facts.dead and facts.rail == 3.0 and facts.still == 0.25


@pytest.mark.parametrize(("count", "rail"), [(3, 0.0), (4, 2.0)])
def test_how_many_samples_make_a_rail(count: int, rail: float) -> None:
    """Of either sign; one that is a two-thousandth smaller counts, one that is a hundredth smaller does not."""
    signal = np.random.default_rng(0).uniform(-1, 1, (3, 200)).astype(np.float32)
    signal[1, :count] = np.array([2.0, -2.0, 2.0, 1.9995])[:count]
    assert rail_of(signal) == rail
    signal[1, count - 1] = 1.98
    assert rail_of(signal) == 0


def test_what_a_sketch_holds() -> None:
    """A constant axis at 2, and one that swings by 1 about -1."""
    swing = np.tile([0.0, -2.0], 120)
    sketch = sketch_of(np.stack([np.full(240, 2.0), swing]).astype(np.float32))
    root = np.sqrt(SKETCH)
    np.testing.assert_allclose(sketch[:SKETCH], 2, rtol=1e-6)
    np.testing.assert_allclose(sketch[2 * SKETCH :], [2 * root, -root, np.log(1e-6) * root, 0], atol=1e-4)


def test_a_recording_shorter_than_a_second_is_not_still() -> None:
    assert still_share(timed(np.zeros((3, 49))), "g") == 0
    assert still_share(timed(np.zeros((3, 50))), "g") == 1
    assert still_share(timed(np.zeros((3, 50))), "nonsense") == 0


def test_a_second_is_two_samples_at_least() -> None:
    slow = Timed(np.array([[0.0, 1.0, 0.0, 1.0, 0.0]] * 3, dtype=np.float32), 1.0, np.arange(5.0))
    assert still_share(slow, "g") == 0
    assert still_share(dataclasses.replace(slow, signal=np.zeros((3, 5), np.float32)), "g") == 1


def test_what_is_said_of_a_stream_reaches_its_facts(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0, 20, (200, 3))
    values[7, 1] = 900.0
    signal = sensor_facts(written(tmp_path, values, unit="m/s^2", range_limit=80.0)).signal
    assert signal.glitches == 1 and signal.largest == 900
    quiet = np.random.default_rng(0).normal(0, 0.01, (200, 3)) + np.array([0.0, 0.0, 9.81])
    assert sensor_facts(written(tmp_path, quiet, unit="m/s^2")).signal.gravity == ""
    assert sensor_facts(written(tmp_path, quiet, unit="g")).signal.gravity != ""
    np.savetxt(tmp_path / "r.csv", np.column_stack([quiet, np.arange(200) / 40]), fmt="%.6f", delimiter=",")
    stamped = Stream(
        "a", "sensor", tmp_path / "r.csv", 50.0, "m/s^2", ("x", "y", "z"), columns=(0, 1, 2), time_column=3
    )
    facts = sensor_facts(stamped)
    assert facts.clocked and facts.stated_hz == 50 and facts.signal.rate_hz == pytest.approx(40)


def test_sketches_without_any_movement_stay_finite() -> None:
    still = {"a": np.zeros(9, np.float32), "b": np.zeros(9, np.float32)}
    assert all(not sketch.any() for sketch in in_one_scale(still, 3).values())


def test_a_sample_a_two_thousandth_smaller_is_at_the_rail() -> None:
    signal = np.zeros((1, 50), dtype=np.float32)
    signal[0, :4] = 2000.0, 2000.0, 2000.0, 1999.0
    assert rail_of(signal) == 2000.0


@pytest.mark.parametrize(("size", "share"), [(0.0129, 1.0), (0.0131, 0.0)])
def test_thirteen_thousandths_of_a_g_are_movement(size: float, share: float) -> None:
    signal = np.stack([size * np.tile([1.0, -1.0], 50), np.zeros(100), np.zeros(100)])
    assert still_share(timed(signal), "g") == share
