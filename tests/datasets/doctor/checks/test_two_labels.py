"""The same samples as walking and as waving."""

from pathlib import Path

import numpy as np

from tests.datasets.doctor.ward import findings, movement, ward


def test_one_content_in_two_classes(tmp_path: Path) -> None:
    index = ward(tmp_path)
    np.save(tmp_path / "s1_wave_t1.npy", movement(index.by_id()["s1_walk_t1"]))
    found, other = findings(index)
    assert (found.check, other.check) == ("two-labels", "suspicious-labels")  # what is wrong looks wrong, too
    assert found.recordings == ("s1_walk_t1", "s1_wave_t1") and "the classes walk and wave" in found.what
    assert found.untrustworthy
