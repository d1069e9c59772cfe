"""Metres per second squared that are called g."""

from pathlib import Path

from tests.datasets.doctor.gathered import facts, measured, said
from tests.datasets.doctor.ward import Floats, findings, ward
from vskd.datasets.doctor.checks.gravity import Gravity
from vskd.datasets.recording import Recording


def test_another_unit_in_all_files(tmp_path: Path) -> None:
    found = findings(ward(tmp_path, lambda _, values: values * 9.80665))
    assert [one.check for one in found] == ["gravity"] and found[0].weight == 0.8 and found[0].untrustworthy
    assert "look like m/s^2" in found[0].what


def test_one_odd_recording_spoils_no_figure(tmp_path: Path) -> None:
    def odd(r: Recording, values: Floats) -> Floats:
        return values * 9.80665 if r.id == "s1_walk_t1" else values

    (found,) = [one for one in findings(ward(tmp_path, odd)) if one.check == "gravity"]
    assert found.recordings == ("s1_walk_t1",) and not found.untrustworthy


def test_a_sensor_that_need_not_show_it_is_spoken_of_elsewhere() -> None:
    assert said("gravity", rest=2.0) == said("gravity", gravity="no 1 g", calibrated=False) == ""
    assert said("gravity", gravity="no 1 g") == "no 1 g"


def test_a_figure_is_spoilt_from_a_twentieth_of_the_recordings_on() -> None:
    check, survey = Gravity(), measured({"1": [facts()] * 40})
    spoilt = [check.finding(survey, "", [f"s1-{n}" for n in range(count)], "").untrustworthy for count in (1, 2, 3)]
    assert spoilt == [False, True, True]
