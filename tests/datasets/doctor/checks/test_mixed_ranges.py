"""Two ranges in one set."""

from pathlib import Path

import numpy as np

from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_some_are_cut_off_at_two_g(tmp_path: Path) -> None:
    def strong(r: Recording, values: Floats) -> Floats:
        if r.label == 1:
            values = values.copy()
            values[60:140] += np.sin(np.arange(80) / 3)[:, None] * (3.0, 1.0, 0.5)
        return np.clip(values, -2, 2) if int(r.subject) <= 3 else values

    found = only(ward(tmp_path, strong), "mixed-ranges")
    assert "6 recordings are cut off at 2 g (subjects 1, 2, 3), and 6 others" in found.what
    assert len(found.recordings) == 6
