"""A dead channel."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_an_axis_that_never_changes(tmp_path: Path) -> None:
    def dead(r: Recording, values: Floats) -> Floats:
        return values * (1, 0, 1) + (0, 0.2, 0) if r.id == "s1_rest_t1" else values

    found = only(ward(tmp_path, dead), "dead")
    assert found.recordings == ("s1_rest_t1",) and "axis y is 0.2 in every sample" in found.what
    assert found.weight == pytest.approx(0.9 * 1 / 36)


def test_what_is_dead_is_said() -> None:
    assert said("dead", still=1.0) == "" and said("dead", dead="axis x is 0") == "axis x is 0"
