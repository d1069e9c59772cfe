"""One recording under two names."""

import shutil
from pathlib import Path

from tests.datasets.doctor.ward import only, ward


def test_copies_in_one_class(tmp_path: Path) -> None:
    index = ward(tmp_path)
    shutil.copyfile(tmp_path / "s1_walk_t1.npy", tmp_path / "s1_walk_t2.npy")
    found = only(index, "duplicates")
    assert found.recordings == ("s1_walk_t1", "s1_walk_t2") and not found.untrustworthy
    assert "2 recordings of 1 contents" in found.what
