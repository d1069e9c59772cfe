"""The bounds of what fits a contract, on both sides of each."""

import numpy as np
import pytest

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle.sensor_checks import (
    check_alive,
    check_length,
    check_once,
    check_plausible,
    check_rate,
    check_whole,
    converted_rate,
    steady_rate,
    without_glitches,
)
from vskd.errors import BundleError, DataError
from vskd.preprocessing.sensor.clock import Clock

CONTRACT = sensor_contract()


def test_a_rate_within_three_percent_is_taken_as_it_is_and_others_are_converted() -> None:
    for rate in (48.6, 51.4):
        assert converted_rate(rate, CONTRACT) == []
    assert converted_rate(51.6, CONTRACT) == ["the recording was resampled from 51.6 to 50 Hz"]
    (said,) = converted_rate(48.4, CONTRACT)
    assert said.endswith("from 48.4 to 50 Hz; it cannot hold what is faster than 24.2 Hz")
    for rate in (25.0, 48.4, 104.0, None):
        check_rate("a", CONTRACT, "it says", rate)
    for rate in (24.9, float("nan"), float("inf"), 0.0):
        with pytest.raises(BundleError, match="asks for 50 Hz, it says"):
            check_rate("a", CONTRACT, "it says", rate)


def test_the_length_is_compared_in_time_where_the_rate_is_converted() -> None:
    check_length("a", CONTRACT, 41, 102.0)
    check_length("a", CONTRACT, 800, 100.0)
    for samples, rate in ((37, 100.0), (803, 100.0), (19, 51.0)):
        with pytest.raises(BundleError, match="asks for 20 to 400 samples"):
            check_length("a", CONTRACT, samples, rate)


def test_lying_still_for_hours_takes_no_time_to_compare() -> None:
    """A day on a table, in steps of the converter: every sample is like the first."""
    values = np.zeros((3, 200_000), dtype=np.float32)
    values[2] = 1
    values[0, 150_000::50_000] = 0.1
    check_once("a", values)
    twice = np.hstack([values, values])
    with pytest.raises(DataError, match="from data row 200001 on"):
        check_once("a", twice)


def test_the_rounding_of_a_clock_is_no_other_rate() -> None:
    assert (steady_rate(50.2, CONTRACT), steady_rate(50.3, CONTRACT)) == (50, 50.3)


def test_gaps_part_sliding_windows_and_stop_whole_recordings() -> None:
    clock = Clock(50.0, (40,), (1.5,))
    with pytest.raises(BundleError, match=r"a gap of 1\.5 s before data row 41"):
        check_whole("a", CONTRACT, clock, 500)
    with pytest.raises(BundleError, match=r"a gap of 0\.5 s before data row 41"):
        check_whole("a", CONTRACT, Clock(50.0, (40,), (0.5,)), 70)  # a quarter of it and more
    assert check_whole("a", CONTRACT, Clock(50.0, (40,), (0.5,)), 80) == (40,), "as in training, it is bridged"
    sliding = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    assert check_whole("a", sliding, clock, 500) == (40,)
    assert check_whole("a", CONTRACT, None, 500) == check_whole("a", CONTRACT, Clock(50.0), 500) == ()


def test_a_recording_that_is_there_twice() -> None:
    values = wrist().T.astype(np.float32)
    check_once("a", values)
    for twice in (np.hstack([values, values]), np.hstack([values, values[:, :40]])):
        with pytest.raises(DataError, match="from data row 151 on the samples are those of the beginning"):
            check_once("a", twice)


def test_lying_still_at_both_ends_is_no_repetition() -> None:
    values = np.round(64 * wrist().T).astype(np.float32)
    values[:, :20] = values[:, -20:] = values[:, :1]
    check_once("a", values)


@pytest.mark.parametrize("size", [15.9, 16.1])
def test_twice_the_range_is_the_bound(size: float) -> None:
    values = wrist().T.astype(np.float32)
    values[1, 70] = -size
    if size < 16:
        check_plausible("a", CONTRACT, values, 50, "g", "the file")
        return
    with pytest.raises(BundleError, match=r"±8 g, the file says g; sample 70 reaches 16\.1 g: a glitch"):
        check_plausible("a", CONTRACT, values, 50, "g", "the file")


def test_the_range_is_compared_in_the_contract_s_unit() -> None:
    values = 9.80665 * wrist().T.astype(np.float32)
    values[0, 70] = 15 * 9.80665
    check_plausible("a", CONTRACT, values, 50, "m/s^2", "the file")


@pytest.mark.parametrize("samples", [20, 400])
def test_the_shortest_and_the_longest_recording(samples: int) -> None:
    check_length("a", CONTRACT, samples)


@pytest.mark.parametrize(("samples", "action"), [(19, "Record the whole"), (401, "Cut out one performance")])
def test_beyond_them_is_another_length(samples: int, action: str) -> None:
    with pytest.raises(BundleError, match=r"asks for 20 to 400 samples \(0\.4 to 8 s at 50 Hz\), .* has") as caught:
        check_length("a", CONTRACT, samples)
    assert f"has {samples}" in caught.value.problem and action in caught.value.action


def test_facts_of_the_clock_are_beside_the_rate() -> None:
    with pytest.raises(BundleError, match=r"it says 20 Hz \(2 gaps, 3 stamps late\)"):
        check_rate("a", CONTRACT, "it says", 20.0, ("2 gaps", "3 stamps late"))


def test_a_dead_axis_is_named_by_the_contract() -> None:
    values = wrist().T.astype(np.float32)
    check_alive("a", CONTRACT, values)
    values[1] = 0.5
    with pytest.raises(BundleError, match=r"^a: axis y is 0\.5 in every sample"):
        check_alive("a", CONTRACT, values)


@pytest.mark.parametrize(("samples", "looked_at"), [(15, False), (16, True)])
def test_a_few_samples_are_no_recording_twice(samples: int, looked_at: bool) -> None:
    half = np.random.default_rng(0).normal(size=(3, samples // 2 + samples % 2)).astype(np.float32)
    values = np.hstack([half, half])[:, :samples]
    if looked_at:
        with pytest.raises(DataError, match=f"from data row {samples // 2 + 1} on"):
            check_once("a", values)
    else:
        check_once("a", values)


def test_a_tail_of_eight_samples_is_a_second_beginning_and_one_of_seven_is_not() -> None:
    values = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)
    check_once("a", np.hstack([values, values[:, :7]]))
    with pytest.raises(DataError, match="from data row 41 on"):
        check_once("a", np.hstack([values, values[:, :8]]))


def still(samples: int = 100, one_g: float = 1.0) -> np.ndarray:
    """A device that lies still."""
    noise = np.random.default_rng(0).normal(0, 0.01, (3, samples))
    return (one_g * (np.array([[0.6], [-0.64], [0.48]]) + noise)).astype(np.float32)


@pytest.mark.parametrize(("count", "glitch"), [(1, True), (2, True), (3, False)])
def test_two_in_a_hundred_samples_are_glitches_and_more_are_another_unit(count: int, glitch: bool) -> None:
    values = still()
    values[0, 10 : 10 + count] = 40.0
    said = "sample 10 reaches 40 g: a glitch" if glitch else f"{count} samples are beyond twice of it, up to 40"
    with pytest.raises(BundleError, match=said):
        check_plausible("a", CONTRACT, values, 50, "g", "")
    short = still(30)
    short[0, 10] = 40.0
    with pytest.raises(BundleError, match="a glitch"):
        check_plausible("a", CONTRACT, short, 50, "g", "")


@pytest.mark.parametrize(("source", "said"), [("", False), ("the file", True), ("the option", True)])
def test_another_unit_is_named_and_how_it_is_stated(source: str, said: bool) -> None:
    with pytest.raises(BundleError, match=r"the samples look like m/s\^2") as caught:
        check_plausible("a", CONTRACT, still(one_g=9.81), 50, "g", source)
    assert (f"{source} says g" in caught.value.problem) == said
    assert ("--unit 'm/s^2'" in caught.value.action) == (not said)


def test_gravity_is_looked_for_where_the_sensor_shows_it() -> None:
    moving = still(one_g=9.81)
    for changes in ({"calibrated": False}, {"stream": "gyroscope"}, {"unit": "deg/s"}):
        check_plausible("a", sensor_contract(range_limit=30.0, **changes), moving, 50, "g", "the file")
    with pytest.raises(BundleError, match="look like"):
        check_plausible("a", sensor_contract(range_limit=30.0), moving, 50, "g", "the file")


@pytest.mark.parametrize(("count", "cut"), [(0, 0), (1, 1), (2, 2), (3, 0)])
@pytest.mark.parametrize(("unit", "factor"), [("g", 1.0), ("m/s^2", 9.80665)])
def test_up_to_two_in_a_hundred_samples_are_taken_for_glitches(count: int, cut: int, unit: str, factor: float) -> None:
    """Beyond twice the range of 8 g, in whatever unit; their neighbours stay, and so does a signal with more."""
    values = still()
    values[1, 40 : 40 + count] = -16.1
    values[0, 70] = 15.9
    found = without_glitches((factor * values).astype(np.float32), CONTRACT, unit)
    kept = np.delete(values, np.arange(40, 40 + cut), axis=1)
    np.testing.assert_allclose(found, factor * kept, rtol=1e-6)


@pytest.mark.parametrize(
    ("rate", "difference"), [(51.5, []), (48.5, []), (51.51, ["said"]), (48.49, ["said"]), (100.0, ["said"])]
)
def test_three_percent_are_the_bound_of_another_rate(rate: float, difference: list[str]) -> None:
    assert len(converted_rate(rate, CONTRACT)) == len(difference)
    assert steady_rate(rate, CONTRACT) == rate
    assert steady_rate(50.25, CONTRACT) == steady_rate(49.75, CONTRACT) == 50.0
    assert steady_rate(50.26, CONTRACT) == 50.26 and steady_rate(49.74, CONTRACT) == 49.74


def test_half_the_rate_is_the_lowest_and_there_is_no_highest() -> None:
    for rate in (25.0, 1e6, None):
        check_rate("a", CONTRACT, "it says", rate)
    with pytest.raises(BundleError, match=r"it says 24\.999 Hz\. Record at 50 Hz"):
        check_rate("a", CONTRACT, "it says", 24.999)


def test_a_clock_without_a_rate_has_the_contract_s_for_the_share_of_its_gaps() -> None:
    for clock, samples in ((Clock(None, (40,), (0.5,)), 80), (Clock(25.0, (40,), (0.5,)), 40)):
        assert check_whole("a", CONTRACT, clock, samples) == (40,)
    with pytest.raises(BundleError, match="a gap of 0\\.5 s"):
        check_whole("a", CONTRACT, Clock(100.0, (40,), (0.5,)), 80)
    twice = Clock(50.0, (20, 40), (0.3, 0.3))
    with pytest.raises(BundleError, match="before data row 21"):
        check_whole("a", CONTRACT, twice, 60)
    assert check_whole("a", CONTRACT, twice, 400) == (20, 40)


@pytest.mark.parametrize(("count", "said"), [(49, "49 samples are beyond twice of it"), (50, "gravity is 1 g")])
def test_where_half_of_the_samples_are_beyond_the_range_gravity_says_more(count: int, said: str) -> None:
    values = still(100)
    values[:, 100 - count :] *= 40
    with pytest.raises(BundleError) as caught:
        check_plausible("a", CONTRACT, values, 50, "g", "the file")
    assert said in str(caught.value)
    silent = sensor_contract(calibrated=False)
    with pytest.raises(BundleError, match=rf"{count} samples are beyond twice of it, up to \d\d\.\d*: they are"):
        check_plausible("a", silent, values, 50, "g", "the file")


def test_a_later_beginning_is_looked_for_in_the_second_half_alone() -> None:
    values = np.random.default_rng(1).normal(size=(3, 60)).astype(np.float32)
    check_once("a", np.hstack([values[:, :20], values[:, :20], values]))  # starts again in the first half
    check_once("a", np.zeros((3, 60), np.float32))
    for twice, row in (([values, values], 61), ([values, values[:, :1], values], 62)):
        with pytest.raises(DataError, match=f"from data row {row} on"):
            check_once("a", np.hstack(twice))


def test_exactly_twice_the_range_can_be_measured_and_units_that_cannot_be_converted_count_as_they_are() -> None:
    values = still()
    values[1, 40] = -16.0
    check_plausible("a", CONTRACT, values, 50, "g", "the file")
    np.testing.assert_array_equal(without_glitches(values, CONTRACT, "g"), values)
    values[1, 40], values[1, 41] = -16.1, 15.9
    turning = sensor_contract(stream="gyroscope", unit="deg/s")
    np.testing.assert_array_equal(without_glitches(values, turning, "g"), np.delete(values, 40, axis=1))
    values[1, 40] = 7.9
    np.testing.assert_array_equal(without_glitches(values, turning, "g"), values)


@pytest.mark.parametrize(("samples", "rate"), [(39, 100.0), (20, 51.4), (400, 48.6), (801, 100.0)])
def test_a_length_is_rounded_and_converted_where_the_rate_is(samples: int, rate: float) -> None:
    check_length("a", CONTRACT, samples, rate)
