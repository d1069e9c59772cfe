"""Facts of a signal against values that were put into it."""

import numpy as np
import pytest

from tests.preprocessing.sensor.recordings import wrist
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.signal_facts import SignalFacts, signal_facts
from vskd.preprocessing.sensor.timed import Timed


def facts_of(signal: np.ndarray, stream: str = "accelerometer", range_limit: float = 2.0) -> SignalFacts:
    signal = signal.astype(np.float32)
    timed = Timed(signal, 50.0, np.arange(signal.shape[1]) / 50.0)
    return signal_facts(timed, stream=stream, unit="g", range_limit=range_limit)


def test_saturation_glitches_and_length() -> None:
    signal = np.clip(wrist().T, -1.8, 1.8)
    count = signal.shape[1]
    signal[0, :10], signal[1, 20] = 2.0, 60.0
    found = facts_of(signal)
    assert (found.saturated, found.glitches, found.largest) == (pytest.approx(10 / count), 1, 60.0)
    assert (found.samples, found.seconds, found.gaps) == (count, pytest.approx((count - 1) / 50), 0)


def test_without_a_range_nothing_is_called_saturated() -> None:
    found = facts_of(wrist().T, range_limit=0.0)
    assert (found.saturated, found.glitches) == (0.0, 0)


def test_gravity_is_said_of_accelerometers_only() -> None:
    assert facts_of(wrist().T).gravity == "" and facts_of(wrist().T).rest == pytest.approx(1, abs=0.2)
    removed = wrist().T - wrist().T.mean(axis=1, keepdims=True)
    assert "gravity was removed" in facts_of(removed).gravity
    assert (facts_of(removed, stream="gyroscope").gravity, facts_of(removed, stream="gyroscope").rest) == ("", 0.0)


@pytest.mark.parametrize(
    ("largest", "railed", "glitches"), [(0.994, 0, 0), (0.996, 1, 0), (1.049, 1, 0), (1.051, 0, 1)]
)
def test_half_a_percent_below_the_range_is_the_rail_and_five_above_it_a_glitch(
    largest: float, railed: int, glitches: int
) -> None:
    signal = np.zeros((3, 100))
    signal[2], signal[0, 50] = 1.0, -16 * largest
    found = facts_of(signal, range_limit=16.0)
    assert (found.saturated, found.glitches) == (pytest.approx(railed / 100), glitches)


def test_gaps_rate_and_time_are_the_clocks() -> None:
    signal = wrist().T.astype(np.float32)
    times = np.arange(150) / 50.0
    times[60:] += 1.5
    times[100:] += 0.7
    clock = Clock(50.0, (60, 100), (1.52, 0.72), (), 0.02)
    found = signal_facts(Timed(signal, 49.8, times, clock=clock), stream="accelerometer", unit="g", range_limit=2.0)
    assert (found.gaps, found.longest_gap_s, found.rate_hz) == (2, 1.52, 49.8)
    assert found.seconds == pytest.approx(149 / 50 + 2.2)
    assert found.attributes()["longest_gap_s"] == 1.52
    assert (facts_of(wrist().T).gaps, facts_of(wrist().T).longest_gap_s) == (0, 0.0)


def test_the_largest_value_has_no_sign() -> None:
    signal = wrist().T
    signal[1, 70] = -30.0
    assert facts_of(signal, range_limit=0.0).largest == 30.0


@pytest.mark.parametrize(("largest", "railed", "glitches"), [(199.0, 1, 0), (210.0, 1, 0)])
def test_a_sample_at_the_very_limits_is_at_the_rail(largest: float, railed: int, glitches: int) -> None:
    """Of a range of 200: 199 is just at the rail, and 210 just no glitch."""
    signal = np.zeros((3, 100))
    signal[1, 50] = largest
    found = facts_of(signal, stream="gyroscope", range_limit=200.0)
    assert (found.saturated, found.glitches) == (pytest.approx(railed / 100), glitches)


def test_seconds_count_from_the_first_sample_and_numbers_are_plain() -> None:
    """By absolute times; as a store and JSON take them."""
    signal = wrist().T.astype(np.float32)
    found = signal_facts(
        Timed(signal, 50.0, 1.6e9 + np.arange(150) / 50), stream="accelerometer", unit="g", range_limit=2.0
    )
    assert found.seconds == pytest.approx(2.98)
    assert {type(value) for value in found.attributes().values()} == {int, float, str}
    assert type(found.glitches) is int and type(found.saturated) is float and type(found.rest) is float
