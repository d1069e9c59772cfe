"""The rate is not what is stated."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import facts, measured, said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.doctor.checks.wrong_rate import WrongRate
from vskd.datasets.recording import Recording


def test_a_device_at_forty_hertz(tmp_path: Path) -> None:
    def slow(r: Recording, stamps: Floats) -> Floats:
        return stamps * 1.25 if r.subject == "3" else stamps

    found = only(ward(tmp_path, clock=slow), "wrong-rate")
    assert len(found.recordings) == 6 and "40 Hz by its time stamps, 50 Hz by the description" in found.what
    assert found.weight == pytest.approx(0.7 * 6 / 36)
    assert found.untrustworthy


def test_one_odd_file_spoils_no_figure(tmp_path: Path) -> None:
    def slow(r: Recording, stamps: Floats) -> Floats:
        return stamps * 1.25 if r.id == "s3_walk_t1" else stamps

    assert not only(ward(tmp_path, clock=slow), "wrong-rate").untrustworthy


@pytest.mark.parametrize(
    ("rate_hz", "told"),
    [(54.9, ""), (55.1, "55.1 Hz by its time stamps, 50 Hz by the description"), (45.1, ""), (44.9, "44.9 Hz by its")],
)
def test_a_tenth_is_another_rate(rate_hz: float, told: str) -> None:
    text = said("wrong-rate", rate_hz=rate_hz)
    assert text.startswith(told) and bool(text) == bool(told)
    assert said("wrong-rate", rate_hz=rate_hz, clocked=False) == ""


def test_the_rate_is_compared_with_the_one_that_is_stated() -> None:
    assert said("wrong-rate", rate_hz=100.0, stated_hz=100.0) == ""
    assert said("wrong-rate", rate_hz=50.0, stated_hz=20.0).endswith("20 Hz by the description")


def test_a_figure_is_spoilt_from_a_twentieth_of_the_recordings_on() -> None:
    check, survey = WrongRate(), measured({"1": [facts()] * 40})
    spoilt = [check.finding(survey, "", [f"s1-{n}" for n in range(count)], "").untrustworthy for count in (1, 2, 3)]
    assert spoilt == [False, True, True]
