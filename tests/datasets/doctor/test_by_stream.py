"""Remarks about single recordings become one finding for each stream."""

import dataclasses
from pathlib import Path

import numpy as np

from tests.datasets.doctor.ward import Floats, changed, ward
from vskd.datasets.doctor.by_stream import people
from vskd.datasets.doctor.checks.short import Short
from vskd.datasets.doctor.checks.still import Still
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Recording


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


def test_the_first_is_the_example_and_the_null_class_is_not_counted(tmp_path: Path) -> None:
    def lying(r: Recording, values: Floats) -> Floats:
        noise = np.random.default_rng(0).normal(0, 0.003, values.shape)
        return values.mean(axis=0) + noise if r.id in ("s1_rest_t1", "s2_walk_t1", "s3_walk_t1") else values

    survey = survey_of(changed(ward(tmp_path, lying, subjects=3), null_class="rest"))
    (found,) = Still().find(survey)
    assert found.what == (
        "accelerometer: 2 of 12 recordings are still for most of their time, e.g. s2_walk_t1: "
        "nothing moves in 100% of its seconds"
    )
    assert found.recordings == ("s2_walk_t1", "s3_walk_t1")
