"""Two units in one set."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import ACC, facts, found, ids_of, measured
from tests.datasets.doctor.ward import Floats, findings, ward
from vskd.datasets.recording import Recording


def test_one_person_in_another_unit(tmp_path: Path) -> None:
    """Of a device that need not show 1 g; that it does not is a finding, too."""

    def other(r: Recording, values: Floats) -> Floats:
        return values * 9.80665 if r.subject == "2" else values

    found, gravity = findings(ward(tmp_path, other, calibrated=False))
    assert (found.check, gravity.check) == ("mixed-units", "uncalibrated")
    assert "subjects 2 rest at about 9.79 g, the others at 1" in found.what
    assert len(found.recordings) == 6 and found.untrustworthy


def test_one_odd_recording_is_no_other_unit(tmp_path: Path) -> None:
    def odd(r: Recording, values: Floats) -> Floats:
        return values * 9.80665 if r.id == "s2_walk_t1" else values

    assert "mixed-units" not in {one.check for one in findings(ward(tmp_path, odd, calibrated=False))}


ONE = facts(rest=1.0)


@pytest.mark.parametrize(("rest", "told"), [(3.0, 0), (3.01, 1), (0.4, 0), (1 / 3, 0), (0.33, 1), (0.0, 0)])
def test_units_are_mixed_where_people_rest_at_three_times_the_usual(rest: float, told: int) -> None:
    """Who never rests says nothing."""
    never = facts(rest=0.0)
    ones = found("mixed-units", measured({"a": [ONE, never], "b": [ONE], "c": [facts(rest=rest), never]}))
    assert ids_of(ones) == [("sc-0", "sc-1")] * told
    assert all(one.weight == pytest.approx(0.9 * 2 / 5) for one in ones)
    assert found("mixed-units", measured({"a": [never]})) == []


def test_several_in_another_unit_are_told_by_their_median_and_the_unit_of_the_first() -> None:
    survey = measured(
        {**{who: [ONE] for who in "abcd"}, "e": [facts(rest=4.0)], "f": [facts(rest=20.0)], "g": [facts(rest=5.0)]}
    )
    other = {"acc": dataclasses.replace(ACC, unit="mg")}
    units = [r if r.id == "se-0" else dataclasses.replace(r, streams=other) for r in survey.index]
    index = dataclasses.replace(survey.index, recordings=tuple(units))
    (one,) = found("mixed-units", dataclasses.replace(survey, index=index))
    assert one.what == "acc: subjects e, f, g rest at about 5 g, the others at 1"
