"""A signal that is cut: which samples stay, and when they were taken."""

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sync.apply import cut_sensor
from vskd.preprocessing.sync.cut import Cut

TIMED = Timed(np.arange(30, dtype=np.float32).reshape(1, 30), 10.0, 100 + np.arange(30) / 10)


def test_the_samples_of_the_part_stay_on_the_common_clock() -> None:
    found = cut_sensor(TIMED, Cut(0.5, 1.0, offset_s=2.0, scale=1.25), "x")
    assert found.signal.tolist() == [[5, 6, 7, 8, 9]]
    np.testing.assert_allclose(found.times, 2.0 + 1.25 * np.arange(5, 10) / 10)
    assert found.rate_hz == 8.0 and found.absolute


def test_gaps_within_the_part_stay() -> None:
    times = TIMED.times + np.where(np.arange(30) >= 8, 1.0, 0.0) + np.where(np.arange(30) >= 20, 2.0, 0.0)
    clock = Clock(10.0, (8, 20), (1.1, 2.1), (), 0.1)
    found = cut_sensor(Timed(TIMED.signal, 10.0, times, True, clock), Cut(0.5, 2.5), "x")
    assert found.signal[0].tolist() == list(range(5, 15))
    assert found.clock.breaks == (3,) and found.clock.gaps == (1.1,)


def test_a_part_without_samples_is_refused() -> None:
    with pytest.raises(DataError, match=r"x: of its 2.90 s, 5.00 to 6.00 s are to be kept\. Correct or delete sync"):
        cut_sensor(TIMED, Cut(5.0, 6.0), "x")


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [(0.5, 1.0, (5, 10)), (0.5005, 1.0, (5, 10)), (0.502, 1.002, (6, 11)), (0.5, 1.0005, (5, 10)), (-1, 99, (0, 30))],
)
def test_a_hundredth_of_a_sample_s_time_is_rounding(start: float, end: float, kept: tuple[int, int]) -> None:
    assert cut_sensor(TIMED, Cut(start, end), "x").signal[0].tolist() == list(range(*kept))


@pytest.mark.parametrize(("end", "count"), [(0.6, 1), (0.7, 2)])
def test_two_samples_are_a_part(end: float, count: int) -> None:
    if count == 2:
        assert cut_sensor(TIMED, Cut(0.5, end), "x").signal.tolist() == [[5, 6]]
    else:
        with pytest.raises(DataError, match=r"0\.50 to 0\.60 s are to be kept"):
            cut_sensor(TIMED, Cut(0.5, end), "x")


def test_a_gap_at_either_end_of_the_part_is_none() -> None:
    """Before its first sample, and behind its last one."""
    clock = Clock(10.0, (5, 8, 10), (0.3, 0.4, 0.5), ("3 gaps",), 0.1)
    found = cut_sensor(Timed(TIMED.signal, 10.0, TIMED.times, clock=clock), Cut(0.5, 1.0), "x")
    assert (found.clock.breaks, found.clock.gaps, found.clock.facts) == ((3,), (0.4,), ("3 gaps",))
