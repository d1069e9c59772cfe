"""Walking that is called waving."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.ward import findings, only, replaced, ward
from vskd.datasets.doctor.checks.suspicious_labels import SuspiciousLabels
from vskd.datasets.doctor.survey import survey_of


def test_a_swapped_label(tmp_path: Path) -> None:
    index = ward(tmp_path)
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, label=2) if r.id == "s3_walk_t1" else r), "suspicious-labels"
    )
    assert found.recordings == ("s3_walk_t1",) and "(wave) like walk" in found.what


def test_nothing_is_said_where_other_people_cannot_be_read(tmp_path: Path) -> None:
    index = ward(tmp_path)
    for recording in index:
        if recording.subject != "1":
            recording.streams["accelerometer"].path.write_bytes(b"x")
    assert {one.check for one in findings(index)} == {"unreadable"}


def test_one_person_s_sketches_are_no_neighbours(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path))
    alone = replaced(survey.index, lambda r: dataclasses.replace(r, subject="1" if r.id != "s2_rest_t1" else "2"))
    only_one = {i: s for i, s in survey.sketches.items() if i != "s2_rest_t1"}
    assert not list(SuspiciousLabels().find(dataclasses.replace(survey, index=alone, sketches=only_one)))


CALLED_WAVING = ("s1_walk_t1", "s2_walk_t1", "s3_walk_t1", "s4_walk_t1")


@pytest.mark.parametrize(("apart", "known"), [(7, False), (11, True)])
def test_only_classes_of_which_half_are_recognised_are_spoken_of(tmp_path: Path, apart: int, known: bool) -> None:
    """Walking lies at 0, rest at 10; of 16 wavings `apart` lie at 20, one lies among those at rest."""
    survey = survey_of(ward(tmp_path))
    index = replaced(survey.index, lambda r: dataclasses.replace(r, label=2) if r.id in CALLED_WAVING else r)
    wavings = [f"s{s}_wave_t{t}" for s in range(1, 7) for t in (1, 2)]
    places = {i: 0.0 if "walk" in i else 10.0 for i in survey.sketches}
    places |= {i: 20.0 if k < apart else 10.5 for k, i in enumerate(wavings)} | {"s6_wave_t2": 9.0}
    sketches = {i: np.array([place]) for i, place in places.items()}
    found = list(SuspiciousLabels().find(dataclasses.replace(survey, index=index, sketches=sketches)))
    assert ("s6_wave_t2" in [i for one in found for i in one.recordings]) == known
