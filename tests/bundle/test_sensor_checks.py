"""The bounds of what fits a contract, on both sides of each."""

import numpy as np
import pytest

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle.sensor_checks import (
    check_length,
    check_once,
    check_plausible,
    check_rate,
    check_whole,
    converted_rate,
    steady_rate,
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
