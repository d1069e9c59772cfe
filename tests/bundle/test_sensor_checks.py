"""The bounds of what fits a contract, on both sides of each."""

import numpy as np
import pytest

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle.sensor_checks import check_once, check_plausible, check_rate, check_whole, steady_rate
from vskd.errors import BundleError, DataError
from vskd.preprocessing.sensor.clock import Clock

CONTRACT = sensor_contract()


def test_a_rate_within_three_percent() -> None:
    for rate in (48.6, 51.4, None):
        check_rate("a", CONTRACT, "it says", rate)
    for rate in (48.4, 51.6, float("nan"), 0.0):
        with pytest.raises(BundleError, match="asks for 50 Hz, it says"):
            check_rate("a", CONTRACT, "it says", rate)


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
