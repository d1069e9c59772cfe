"""Nobody wears it."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, changed, findings, only, ward
from vskd.datasets.recording import Recording


def lying(r: Recording, values: Floats) -> Floats:
    noise = np.random.default_rng(0).normal(0, 0.003, values.shape)
    return values.mean(axis=0) / np.linalg.norm(values.mean(axis=0)) + noise if r.id == "s1_rest_t2" else values


def test_a_watch_on_a_table(tmp_path: Path) -> None:
    found = only(ward(tmp_path, lying), "still")
    assert found.recordings == ("s1_rest_t2",) and "nothing moves in 100% of its seconds" in found.what
    assert found.weight == pytest.approx(0.5 * 1 / 36)


def test_the_null_class_may_lie_still(tmp_path: Path) -> None:
    index = ward(tmp_path, lying)
    assert findings(changed(index, null_class="rest")) == []
    assert only(changed(index, null_class="walk"), "still").recordings == ("s1_rest_t2",)


@pytest.mark.parametrize(("share", "told"), [(0.79, ""), (0.8, "nothing moves in 80% of its seconds")])
def test_four_fifths_of_the_seconds_are_told(share: float, told: str) -> None:
    assert said("still", still=share) == told
