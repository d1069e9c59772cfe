"""All clocks are off in one direction."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import facts, found, measured
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_a_clock_that_is_two_percent_slow(tmp_path: Path) -> None:
    def long(_: Recording, values: Floats) -> Floats:
        return np.concatenate([values, values[::-1], values])

    found = only(ward(tmp_path, long, clock=lambda _, stamps: stamps / 1.02), "drift")
    assert "36 of 36 long recordings are off by +2.00%" in found.what and "51 Hz" in found.action


@pytest.mark.parametrize(
    ("rates", "seconds", "clocked", "ids"),
    [
        ([50.26] * 5, 20.0, True, 5),
        ([49.74] * 5, 20.0, True, 5),
        ([50.25] * 5, 20.0, True, 0),  # half a percent
        ([50.3] * 4, 20.0, True, 0),  # four say nothing of a device
        ([50.3] * 5, 10.0, True, 5),
        ([50.3] * 5, 9.9, True, 0),
        ([50.3] * 5, 20.0, False, 0),
        ([54.9] * 5, 20.0, True, 5),
        ([55.1] * 5, 20.0, True, 0),  # that is a wrong rate
        ([49.6, 49.6, 49.6, 49.9, 50.6], 20.0, True, 3),  # one barely, one the other way
        ([50.5, 51.0, 51.0, 52.0, 54.0], 20.0, True, 5),
    ],
)
def test_clocks_drift_by_half_a_percent_to_a_tenth(rates: list[float], seconds: float, clocked: bool, ids: int) -> None:
    """One recording more is short, and one has no clock."""
    own = [facts(rate_hz=rate, seconds=seconds, clocked=clocked) for rate in rates]
    others = [facts(rate_hz=53.0, seconds=9.9), facts(rate_hz=53.0, seconds=99.0, clocked=False)]
    told = found("drift", measured({"1": [*own, *others]}))
    assert [len(one.recordings) for one in told] == [ids] * bool(ids)
    for one in told:
        middle = sorted(rates)[len(rates) // 2]
        assert f"{ids} of {len(rates)} long recordings are off by {middle / 50 - 1:+.2%} (median)" in one.what
        assert one.action == f"State the rate as {middle:.4g} Hz"
        assert one.weight == pytest.approx(0.1 * ids / (len(rates) + 2))


def test_the_true_rate_is_of_the_stated_one() -> None:
    (one,) = found("drift", measured({"1": [facts(rate_hz=102.0, stated_hz=100.0, seconds=20.0)] * 5}))
    assert one.action == "State the rate as 102 Hz"
