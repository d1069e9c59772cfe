"""What signals show, of files that were made to show it."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.sensors.test_berkeley_mhad import write_trial
from vskd.datasets.sensors.berkeley_mhad import index
from vskd.datasets.signal_report import SignalReport, report_signals
from vskd.datasets.synthetic.dataset import ENTRY as SYNTHETIC
from vskd.errors import DataError
from vskd.preprocessing.sensor.clock_facts import ClockFacts
from vskd.preprocessing.sensor.signal_facts import SignalFacts

WRIST = "accelerometer-right-wrist"


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    """Four trials: sound, with a glitch and a rail, with a gap, and damaged."""
    for trial in (1, 2, 3, 4):
        write_trial(tmp_path, 1, 1, trial, sensors=(2,))
    folder = tmp_path / "Accelerometer" / "Shimmer02"
    spoiled = np.loadtxt(folder / "acc_h02_s01_a01_r02.txt")
    spoiled[10, 0], spoiled[20:29, 1] = 60.0, 2.0
    np.savetxt(folder / "acc_h02_s01_a01_r02.txt", spoiled, fmt="%.6f")
    spoiled = np.loadtxt(folder / "acc_h02_s01_a01_r03.txt")
    spoiled[40:, 3] += 5
    np.savetxt(folder / "acc_h02_s01_a01_r03.txt", spoiled, fmt="%.6f")
    (folder / "acc_h02_s01_a01_r04.txt").write_text("1 2 x 4\n" * 9)
    return tmp_path


def test_each_fault_is_found_and_named(trials: Path) -> None:
    report = report_signals(index(trials), WRIST)
    found = report.noteworthy()
    assert set(found) == {"s01_a01_r02", "s01_a01_r03", "s01_a01_r04"}
    assert "at the rail for 10.0% of its samples; 1 glitches up to 60 g" in found["s01_a01_r02"]
    assert "1 gaps, the longest 5" in found["s01_a01_r03"]
    assert "r04.txt" in found["s01_a01_r04"]
    summary = report.summary()
    counts = {key: summary[key] for key in ("recordings", "with_gaps", "saturated", "glitches", "unreadable")}
    assert counts == {"recordings": 3, "with_gaps": 1, "saturated": 1, "glitches": 1, "unreadable": 1}
    assert summary["rate_hz"]["median"] == pytest.approx(31, rel=0.02)
    assert report.facts["s01_a01_r03"].seconds > 5 + report.facts["s01_a01_r01"].seconds - 0.1
    seconds = sorted(one.seconds for one in report.facts.values())
    assert summary["seconds"] == dict(zip(("min", "median", "max"), seconds, strict=True))
    json.dumps(summary)


def test_only_a_sensor_s_stream_is_read(synthetic_root: Path) -> None:
    for stream, told in (("rgb", "is no sensor's"), ("barometer", "is in no recording")):
        with pytest.raises(DataError, match=rf"'{stream}' {told}.*Choose one of: accelerometer, gyroscope"):
            report_signals(SYNTHETIC.index(synthetic_root), stream)


def facts(**changes: float | str) -> SignalFacts:
    plain = {"samples": 100, "seconds": 2.0, "rate_hz": 50.0, "gaps": 0, "longest_gap_s": 0.0, "saturated": 0.0}
    return SignalFacts(**{**plain, "glitches": 0, "largest": 2.0, "rest": 1.0, "gravity": "", **changes})  # type: ignore[arg-type]


def test_figures_over_all_recordings() -> None:
    every = {
        "c": facts(gaps=2, longest_gap_s=1.5, seconds=4.0, rate_hz=49.0),
        "a": facts(saturated=0.126, rest=0.0, rate_hz=51.0),
        "b": facts(glitches=3, largest=60.0, gravity="no 1 g", longest_gap_s=0.5, rest=1.4),
        "d": facts(),
    }
    report = SignalReport("accelerometer", "g", every, {"e": "e.csv: is empty"})
    assert report.noteworthy() == {
        "a": "at the rail for 12.6% of its samples",
        "b": "3 glitches up to 60 g; no 1 g",
        "c": "2 gaps, the longest 1.5 s",
        "e": "e.csv: is empty",
    }
    assert list(report.noteworthy()) == ["a", "b", "c", "e"]
    assert report.summary() == {
        "stream": "accelerometer",
        "unit": "g",
        "recordings": 4,
        "rate_hz": {"min": 49.0, "median": 50.0, "max": 51.0},
        "seconds": {"min": 2.0, "median": 2.0, "max": 4.0},
        "at_rest": {"min": 1.0, "median": 1.0, "max": 1.4},
        "jitter_ms": {},
        "drift_ms": {},
        "backward": 0,
        "repeated": 0,
        "with_gaps": 1,
        "longest_gap_s": 1.5,
        "saturated": 1,
        "glitches": 3,
        "without_1_g": 1,
        "unreadable": 1,
        "noteworthy": report.noteworthy(),
    }
    empty = SignalReport("gyroscope", "deg/s", {}, {}).summary()
    assert (empty["rate_hz"], empty["at_rest"], empty["longest_gap_s"]) == ({}, {}, 0.0)


def test_clocks_are_reported(trials: Path) -> None:
    report = report_signals(index(trials), WRIST)
    summary = report.summary()
    assert set(report.clocks) == set(report.facts) and report.nominal_hz == 31
    jitter = sorted(1000 * clock.jitter_s for clock in report.clocks.values())
    assert summary["jitter_ms"] == dict(zip(("min", "median", "max"), jitter, strict=True))
    assert summary["backward"] == sum(clock.backward for clock in report.clocks.values())


def test_a_report_of_clocks_without_a_rate_of_its_own(trials: Path) -> None:
    found = report_signals(index(trials), WRIST)
    bare = SignalReport(found.stream, found.unit, found.facts, found.unreadable)
    assert (bare.nominal_hz, bare.clocks) == (0.0, {})
    assert bare.summary()["jitter_ms"] == {} and found.summary()["jitter_ms"] != {}


def test_figures_of_clocks_are_in_milliseconds() -> None:
    clocks = {"a": ClockFacts(50.0, 0.002, 3, 0, 0.5), "b": ClockFacts(51.0, 0.004, 1, 5, -0.25)}
    summary = SignalReport("gyroscope", "deg/s", {n: facts() for n in "ab"}, {}, clocks, 50.0).summary()
    assert summary["jitter_ms"] == {"min": 2.0, "median": 3.0, "max": 4.0}
    assert summary["drift_ms"] == {"min": -250.0, "median": 125.0, "max": 500.0}
    assert (summary["backward"], summary["repeated"]) == (4, 5)
    assert summary["noteworthy"]["a"].startswith("3 stamps go back; its clock makes 50 Hz of 50: +0.5 s")


def test_a_sensor_without_time_stamps_has_no_clock(synthetic_root: Path) -> None:
    report = report_signals(SYNTHETIC.index(synthetic_root), "accelerometer")
    assert (report.clocks, report.nominal_hz, report.unit, len(report.facts)) == ({}, 50.0, "g", 24)
