"""Streams side by side by absolute time, against functions that can be evaluated at any time."""

from dataclasses import replace

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.joined import joined
from vskd.preprocessing.sensor.timed import Timed


def slow(times: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(2 * times), np.cos(times)])


def timed(rate: float, start: float, seconds: float, *, absolute: bool = True, without: slice | None = None) -> Timed:
    times = start + np.arange(int(seconds * rate)) / rate
    breaks: tuple[int, ...] = ()
    if without is not None:
        times = np.delete(times, without)
        breaks = (without.start,)
    return Timed(slow(times).astype(np.float32), rate, times, absolute, Clock(rate, breaks, (), (), 1 / rate))


def test_the_common_span_at_common_times() -> None:
    parts = [timed(100.0, 5.0, 6.0), timed(50.0, 5.31, 7.0), timed(66.0, 4.0, 6.5)]
    whole = joined(parts, ("a", "b", "c"), "r", 25.0)
    assert whole.signal.shape[0] == 6 and whole.rate_hz == 25.0
    assert whole.times[0] == pytest.approx(5.31) and whole.times[-1] <= 10.5
    np.testing.assert_allclose(np.diff(whole.times), 1 / 25, atol=1e-9)
    inner = slice(8, -8)  # a filter needs some samples on each side
    for k in range(3):
        np.testing.assert_allclose(whole.signal[2 * k : 2 * k + 2, inner], slow(whole.times)[:, inner], atol=0.01)


def test_a_fast_stream_is_filtered_before_it_is_read_slowly() -> None:
    times = np.arange(400) / 100
    hum = Timed(np.sin(2 * np.pi * 40 * times)[None].astype(np.float32), 100.0, times)
    whole = joined([hum, timed(20.0, 0.0, 4.0, absolute=False)], ("a", "b"), "r", 20.0)
    assert np.abs(whole.signal[0, 10:-10]).max() < 0.05, "40 Hz would appear as a slow wave"


def test_streams_of_one_clock_are_not_touched() -> None:
    one, other = timed(50.0, 3.0, 2.0), timed(50.0, 3.0, 2.0)
    whole = joined([one, other], ("a", "b"), "r", 50.0)
    np.testing.assert_array_equal(whole.signal, np.concatenate([one.signal, other.signal]))
    np.testing.assert_array_equal(whole.times, one.times)


def test_a_gap_of_one_is_a_gap_of_all() -> None:
    whole = joined([timed(50.0, 0.0, 8.0), timed(50.0, 0.1, 8.0, without=slice(100, 150))], ("a", "b"), "r", 25.0)
    assert len(whole.clock.breaks) == 1
    place = whole.clock.breaks[0]
    assert whole.times[place] - whole.times[place - 1] == pytest.approx(1.0, abs=0.09)
    assert [piece.shape[1] for piece in whole.pieces()] == [place, whole.signal.shape[1] - place]
    inner = slice(8, -8)  # a filter needs some samples on each side
    np.testing.assert_allclose(whole.signal[:2, inner], slow(whole.times)[:, inner], atol=0.01)


def test_too_little_in_common_is_named() -> None:
    with pytest.raises(
        DataError, match=r"r: the streams overlap by 1 s only \(a 0\.00 to 3\.98 s, b 2\.98 to 6\.96 s\)"
    ):
        joined([timed(50.0, 100.0, 4.0), timed(50.0, 102.98, 4.0)], ("a", "b"), "r", 50.0)
    with pytest.raises(DataError, match="overlap by 0 s only"):
        joined([timed(50.0, 0.0, 4.0), timed(50.0, 1000.0, 4.0)], ("a", "b"), "r", 50.0)


def test_a_stream_without_a_day_cannot_stand_beside_one_with() -> None:
    with pytest.raises(DataError, match="r: b: has no time stamps that name a day"):
        joined([timed(50.0, 0.0, 4.0), timed(50.0, 0.0, 4.0, absolute=False)], ("a", "b"), "r", 50.0)


@pytest.mark.parametrize(("shift", "enough"), [(2.0, True), (2.02, False)])
def test_half_of_the_longest_is_enough_in_common(shift: float, enough: bool) -> None:
    parts = [timed(50.0, 0.0, 4.025), timed(50.0, shift, 4.0)]  # the first lasts 4 s, the second 3.98 s
    if enough:
        assert joined(parts, ("a", "b"), "r", 50.0).times[0] == pytest.approx(2.0)
    else:
        with pytest.raises(DataError, match="overlap by 2 s only"):
            joined(parts, ("a", "b"), "r", 50.0)


def test_the_last_common_sample_is_there() -> None:
    whole = joined([timed(50.0, 0.0, 4.025), timed(50.0, 0.0, 4.025)], ("a", "b"), "r", 25.0)
    assert whole.times[-1] == pytest.approx(4.0) and len(whole.times) == 101
    assert whole.clock.rate_hz == 25.0 and whole.clock.period_s == 1 / 25
    assert whole.absolute and not joined([timed(50.0, 0.0, 4.0, absolute=False)] * 2, ("a", "b"), "r", 25.0).absolute


def test_two_clocks_of_one_rate_are_interpolated_and_not_filtered() -> None:
    """50.9 Hz against 50 Hz is a clock, 51.1 Hz a rate: only this one is filtered, which blurs a step."""
    for rate, sharp in ((50.9, True), (51.1, False)):
        times = np.arange(200) / rate
        step = Timed((times > 2).astype(np.float32)[None], rate, times)
        whole = joined([step, timed(50.0, 0.0, 3.9, absolute=False)], ("a", "b"), "r", 50.0)
        beside = np.abs(whole.times - 2) > 0.05
        assert bool(np.abs(whole.signal[0] - (whole.times > 2))[beside].max() < 1e-6) is sharp


def test_gaps_have_their_length() -> None:
    whole = joined([timed(50.0, 0.0, 8.0), timed(50.0, 0.0, 8.0, without=slice(100, 150))], ("a", "b"), "r", 25.0)
    (place,) = whole.clock.breaks
    assert whole.clock.gaps == (pytest.approx(whole.times[place] - whole.times[place - 1]),)


def test_local_times_of_no_stated_zone_cannot_stand_beside_others() -> None:
    local = replace(timed(50.0, 5.0, 6.0), local=True)
    with pytest.raises(DataError, match=r"r: watch: .* local times of a zone that nobody states.*--time-zone"):
        joined([local, timed(50.0, 5.0, 6.0)], ("watch", "phone"), "r", 50.0)
    assert joined([local, local], ("a", "b"), "r", 50.0).signal.shape[0] == 4


def test_the_clock_of_streams_that_share_one_is_kept() -> None:
    clock = Clock(50.1, (40,), (0.5,), ("1 gap",), 0.02)
    times = 7.0 + np.arange(100) / 50 + np.where(np.arange(100) >= 40, 0.5, 0.0)
    parts = [Timed(np.full((1, 100), k, dtype=np.float32), 50.0, times, True, clock) for k in (1, 2)]
    whole = joined(parts, ("a", "b"), "r", 50.0)
    assert whole.clock == clock and whole.absolute and whole.signal.shape == (2, 100)
    other = joined(parts, ("a", "b"), "r", 25.0)
    assert other.rate_hz == 25 and other.clock.facts == () and other.clock.period_s == 1 / 25


def test_of_streams_with_the_same_times_the_first_ones_clock_counts() -> None:
    times = np.arange(100) / 50
    first, second = (
        Timed(np.full((1, 100), k, np.float32), 50.0, times, clock=Clock(50.0, facts=(f"of {k}",))) for k in (1, 2)
    )
    assert joined([first, second], ("a", "b"), "r", 50.0).clock.facts == ("of 1",)


def test_gaps_are_plain_numbers_of_their_own() -> None:
    """Of one and of two seconds, in this order."""
    times = np.delete(np.arange(500) / 50, [*range(100, 150), *range(300, 400)])
    part = Timed(slow(times).astype(np.float32), 50.0, times, clock=Clock(50.0, (100, 250), (), (), 0.02))
    whole = joined([part, timed(50.0, 0.0, 10.0, absolute=False)], ("a", "b"), "r", 25.0)
    assert whole.clock.gaps == (pytest.approx(1.0, abs=0.09), pytest.approx(2.0, abs=0.09))
    assert [type(gap) for gap in whole.clock.gaps] == [float, float]
