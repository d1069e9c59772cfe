"""Walking that is called waving."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import findings, only, replaced, ward
from vskd.datasets.doctor.checks.suspicious_labels import NEIGHBOURS, SuspiciousLabels, _contradicted
from vskd.datasets.doctor.survey import Survey, survey_of


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


@pytest.mark.parametrize(
    ("votes", "own", "known", "told"),
    [
        ([1] * 7 + [2] * 2, 0, {0, 1}, True),
        ([2] * 2 + [1] * 7, 0, {0, 1}, True),
        ([1] * 6 + [2] * 3, 0, {0, 1}, False),
        ([1] * 8 + [0], 0, {0, 1}, False),
        ([1] * 9, 0, {0, 2}, False),
        ([], 0, {0}, False),
    ],
)
def test_a_label_is_doubted_where_seven_of_nine_agree_on_another(
    votes: list[int], own: int, known: set[int], told: bool
) -> None:
    assert _contradicted(votes, own, known) == told
    assert NEIGHBOURS == 9


def placed(places: list[tuple[int, float]]) -> Survey:
    """Recordings, of one person each, with a class and a place on a line."""
    index = indexed({str(n): [label] for n, (label, _) in enumerate(places)})
    sketches = {r.id: np.array([place, 0.0], np.float32) for r, (_, place) in zip(index, places, strict=True)}
    return surveyed(index, sketches={**sketches, "stranger": np.zeros(2, np.float32)})


@pytest.mark.parametrize(("walks", "told"), [(8, 1), (7, 0)])
def test_eighteen_recordings_are_enough(walks: int, told: int) -> None:
    """The first lies among nine at rest, and is called walking."""
    seen = placed([(1, 0.0), *[(0, n / 100) for n in range(9)], *[(1, 50 + n / 100) for n in range(walks)]])
    assert ids_of(found("suspicious-labels", seen)) == [("s0-0",)] * told


@pytest.mark.parametrize(("waves", "told"), [(5, 0), (6, 1)])
def test_a_class_is_recognised_by_five_of_nine_neighbours(waves: int, told: int) -> None:
    """One waving lies among those at rest; each of the others sees all the others, and people at rest."""
    places = [*[(0, n / 100) for n in range(20)], (2, 0.055), *[(2, 50 + n / 100) for n in range(waves)]]
    ones = found("suspicious-labels", placed(places))
    assert ids_of(ones) == [("s20-0",)] * told
    assert all(one.weight == pytest.approx(0.5 / (21 + waves)) for one in ones)


@pytest.mark.parametrize(("wrong", "told"), [(6, True), (7, False)])
def test_half_of_a_class_must_be_recognised(wrong: int, told: bool) -> None:
    """Six wavings lie together, each of the others alone among nine at rest or walking."""
    places = [(2, 5000 + n / 100) for n in range(6)]
    for k in range(wrong):
        places += [(2, 100.0 * k), *[(k % 2, 100.0 * k + 1 + n / 100) for n in range(10)]]
    (one,) = found("suspicious-labels", placed(places)) or [None]
    assert (one is not None) == told
    if one is not None:
        assert len(one.recordings) == wrong
        assert one.what.startswith(f"{wrong} recordings look") and one.what.endswith("e.g. s6-0 (wave) like rest")
