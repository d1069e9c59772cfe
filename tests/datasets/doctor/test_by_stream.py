"""Remarks about single recordings become one finding for each stream."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import ward
from vskd.datasets.doctor.by_stream import people
from vskd.datasets.doctor.checks.short import Short
from vskd.datasets.doctor.survey import survey_of


def test_one_finding_for_each_stream(tmp_path: Path) -> None:
    index = ward(tmp_path)
    both = tuple(
        dataclasses.replace(
            r, streams={**r.streams, "second": dataclasses.replace(r.streams["accelerometer"], name="second")}
        )
        for r in index
    )
    one, two = Short().find(survey_of(dataclasses.replace(index, recordings=both), window_s=9.0))
    assert one.what.startswith("accelerometer: 36 of 36 recordings are shorter") and two.what.startswith("second: 36")


def test_people_are_named_in_natural_order(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path, subjects=11))
    assert people(survey, [r.id for r in survey.index]) == "1, 2, 3, 4 and 7 more"
