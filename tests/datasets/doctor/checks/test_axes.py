"""A watch put on the other way round."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.ward import Floats, findings, replaced, ward
from vskd.datasets.recording import Recording


@pytest.mark.parametrize(
    ("order", "signs", "told"),
    [((0, 1, 2), (-1, -1, -1), "read as -x, -y, -z"), ((1, 2, 0), (1, 1, 1), "read as z, x, y")],
)
def test_axes_of_one_person(tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...], told: str) -> None:
    def turned(r: Recording, values: Floats) -> Floats:
        return values[:, order] * signs if r.subject == "5" else values

    found = [one for one in findings(ward(tmp_path, turned)) if one.check == "axes"]
    assert len(found) == 1 and "subject 5" in found[0].what and told in found[0].what
    assert len(found[0].recordings) == 6
    others = {one.check for one in findings(ward(tmp_path, turned))} - {"axes"}
    assert others <= {"suspicious-labels"}  # a turned walk looks like another class, and is one to a network


def test_each_hand_of_a_person_counts_alone(tmp_path: Path) -> None:
    def mirrored(r: Recording, values: Floats) -> Floats:
        return values * (-1, -1, -1) if r.subject == "5" and r.trial == "2" else values

    def worn(r: Recording) -> Recording:
        return dataclasses.replace(r, factors={"hand": "left" if r.subject == "5" and r.trial == "2" else "right"})

    found = [one for one in findings(replaced(ward(tmp_path, mirrored), worn)) if one.check == "axes"]
    assert [one.recordings for one in found] == [("s5_rest_t2", "s5_walk_t2", "s5_wave_t2")]
    assert "gravity of subject 5, left points elsewhere" in found[0].what
