"""Two ranges in one set."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import ACC, facts, found, ids_of, measured
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_some_are_cut_off_at_two_g(tmp_path: Path) -> None:
    def strong(r: Recording, values: Floats) -> Floats:
        if r.label == 1:
            values = values.copy()
            values[60:140] += np.sin(np.arange(80) / 3)[:, None] * (3.0, 1.0, 0.5)
        return np.clip(values, -2, 2) if int(r.subject) <= 3 else values

    found = only(ward(tmp_path, strong), "mixed-ranges")
    assert "6 recordings are cut off at 2 g (subjects 1, 2, 3), and 6 others" in found.what
    assert len(found.recordings) == 6


CUT, WIDE = facts(rail=2.0), facts(largest=3.1)


@pytest.mark.parametrize(
    ("railed", "beyond", "changes", "of_wide", "told"),
    [
        (3, 3, {}, {}, 1),
        (3, 4, {}, {}, 1),  # that most have no rail makes none
        (2, 3, {}, {}, 0),
        (3, 2, {}, {}, 0),
        (3, 3, {"dead": "axis x"}, {}, 0),
        (3, 3, {"still": 0.1}, {}, 0),
        (3, 3, {}, {"largest": 3.0}, 0),  # 1.5 times is not more
        (3, 3, {}, {"glitches": 1}, 0),
    ],
)
def test_ranges_are_mixed_where_three_are_cut_off_and_three_go_on(
    railed: int, beyond: int, changes: dict[str, object], of_wide: dict[str, object], told: int
) -> None:
    wide = facts(**{"largest": 3.1, **of_wide})
    ones = found("mixed-ranges", measured({"1": [facts(rail=2.0, **changes)] * railed, "2": [wide] * beyond}))
    assert ids_of(ones) == [("s1-0", "s1-1", "s1-2")] * told
    for one in ones:
        assert one.what == (
            f"acc: 3 recordings are cut off at 2 g (subjects 1), and {beyond} others go on to more than 1.5 times that"
        )
        assert one.weight == pytest.approx(0.3 * 3 / (3 + beyond))


def test_of_several_rails_the_commonest_is_the_range() -> None:
    (one,) = found(
        "mixed-ranges", measured({"1": [facts(rail=0.5)] * 3 + [CUT] * 4 + [facts(rail=9.0)] * 3, "2": [WIDE] * 3})
    )
    assert one.recordings == ("s1-3", "s1-4", "s1-5", "s1-6") and "at 2 g" in one.what


def test_a_rail_is_read_to_a_hundredth_and_has_the_unit_of_the_first() -> None:
    near = [facts(rail=rail) for rail in (1.996, 2.0, 2.004)]
    survey = measured({"1": near, "2": [WIDE] * 3})
    other = {"acc": dataclasses.replace(ACC, unit="mg")}
    units = [r if r.id == "s1-0" else dataclasses.replace(r, streams=other) for r in survey.index]
    index = dataclasses.replace(survey.index, recordings=tuple(units))
    (one,) = found("mixed-ranges", dataclasses.replace(survey, index=index))
    assert one.recordings == ("s1-0", "s1-1", "s1-2") and "cut off at 2 g (" in one.what


def test_each_sensor_is_looked_at() -> None:
    """The first has one range only."""
    survey = measured({"1": [CUT] * 3, "2": [WIDE] * 3})
    sensors = {"a": {"s1-0": CUT}, **survey.sensors}
    assert len(found("mixed-ranges", dataclasses.replace(survey, sensors=sensors))) == 1
