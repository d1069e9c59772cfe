"""The sensor's range is too narrow."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_ten_samples_of_a_hundred_at_the_rail(tmp_path: Path) -> None:
    def railed(r: Recording, values: Floats) -> Floats:
        values = values.copy()
        values[90:110, 0] += 9.0 if r.id == "s1_walk_t1" else 0.0
        return np.clip(values, -8, 8)

    found = only(ward(tmp_path, railed, range_limit=8.0), "saturation")
    assert found.recordings == ("s1_walk_t1",) and "10.0% of its samples" in found.what
    assert found.weight == pytest.approx(0.3 * 1 / 36)


@pytest.mark.parametrize(
    ("share", "told"), [(0.02, ""), (0.0201, "2.0% of its samples"), (0.5, "50.0% of its samples")]
)
def test_more_than_a_fiftieth_of_the_samples_is_told(share: float, told: str) -> None:
    assert said("saturation", saturated=share) == told
