"""A watch put on the other way round."""

from pathlib import Path

import pytest

from tests.datasets.doctor.ward import Floats, findings, ward
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
