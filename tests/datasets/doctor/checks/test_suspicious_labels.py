"""Walking that is called waving."""

import dataclasses
from pathlib import Path

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
