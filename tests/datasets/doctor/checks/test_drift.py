"""All clocks are off in one direction."""

from pathlib import Path

import numpy as np

from tests.datasets.doctor.ward import Floats, only, ward
from vskd.datasets.recording import Recording


def test_a_clock_that_is_two_percent_slow(tmp_path: Path) -> None:
    def long(_: Recording, values: Floats) -> Floats:
        return np.concatenate([values, values[::-1], values])

    found = only(ward(tmp_path, long, clock=lambda _, stamps: stamps / 1.02), "drift")
    assert "36 of 36 long recordings are off by +2.00%" in found.what and "51 Hz" in found.action
