"""Facts of a clock against what was put into its stamps."""

import numpy as np
import pytest

from vskd.preprocessing.sensor.clock import Clock, fit_clock
from vskd.preprocessing.sensor.clock_facts import ClockFacts, clock_facts
from vskd.preprocessing.sensor.timed import Timed


def facts_of(stamps: np.ndarray, nominal_hz: float = 50.0) -> ClockFacts:
    clock = fit_clock(stamps, "a.csv", nominal_hz)
    signal = np.zeros((3, len(stamps)), dtype=np.float32)
    return clock_facts(Timed(signal, 1 / clock.period_s, clock.sample_times(stamps), True, clock), nominal_hz)


def test_a_clock_that_is_slow_is_late_at_the_end() -> None:
    found = facts_of(np.arange(3001) / 49.9)
    assert found.rate_hz == pytest.approx(49.9, rel=1e-6)
    assert found.drift_s == pytest.approx(3000 / 49.9 - 3000 / 50, rel=1e-6)
    assert (found.backward, found.repeated) == (0, 0) and found.jitter_s == pytest.approx(0, abs=1e-9)
    assert "its clock makes 49.9 Hz of 50: +0.12 s at the end" in found.remarks(50.0)


def test_jitter_steps_back_and_repeated_stamps_are_counted() -> None:
    random = np.random.default_rng(0)
    stamps = np.arange(4000) / 50 + random.normal(0, 0.008, 4000)
    stamps[100] = stamps[99]
    found = facts_of(stamps)
    assert found.jitter_s == pytest.approx(1.96 * 0.008, rel=0.05)
    steps = np.diff(stamps)
    assert (found.backward, found.repeated) == ((steps < 0).sum(), 1)
    assert abs(found.drift_s) < 0.05
    assert any("stamps go back" in remark for remark in found.remarks(50.0))


def test_a_gap_is_no_drift_and_without_stamps_there_is_nothing() -> None:
    stamps = np.arange(1000) / 50
    stamps[500:] += 3.0
    assert facts_of(stamps).drift_s == pytest.approx(0, abs=1e-6)
    bare = Timed(np.zeros((3, 9), dtype=np.float32), 50.0, np.arange(9) / 50, False, Clock(None))
    assert clock_facts(bare, 50.0) == ClockFacts() and ClockFacts().remarks(50.0) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (ClockFacts(50.0, 0.02, 0, 0, 0.02), []),
        (ClockFacts(50.0, 0.0201, 0, 0, -0.02), ["stamps up to 20.1 ms off"]),
        (ClockFacts(50.0, 0.0, 3, 0, 0.0), ["3 stamps go back"]),
        (ClockFacts(50.0, 0.0, 0, 4, 0.0), ["4 stamps repeated"]),
        (ClockFacts(49.912, 0.0, 0, 0, 0.0201), ["its clock makes 49.912 Hz of 50: +0.0201 s at the end"]),
        (ClockFacts(50.1, 0.0, 0, 0, -1.5), ["its clock makes 50.1 Hz of 50: -1.5 s at the end"]),
    ],
)
def test_what_is_off_by_more_than_a_sample_is_said(facts: ClockFacts, said: list[str]) -> None:
    assert facts.remarks(50.0) == said
    assert ClockFacts(50.0, 0.03, 0, 0, 0.03).remarks(25.0) == []


def test_without_a_nominal_rate_or_a_clock_there_are_no_facts() -> None:
    timed = Timed(np.zeros((3, 9), np.float32), 50.0, np.arange(9) / 50, True, Clock(50.0, period_s=0.02, backward=3))
    assert clock_facts(timed, 0.0) == ClockFacts() == ClockFacts(0.0, 0.0, 0, 0, 0.0)
    assert clock_facts(timed, 50.0) == ClockFacts(50.0, 0.0, 3, 0, 0.0)
