"""What cannot be read is lost."""

from pathlib import Path

from tests.datasets.doctor.ward import changed, only, ward
from vskd.datasets.recording import Problem


def test_damaged_files(tmp_path: Path) -> None:
    index = ward(tmp_path)
    (tmp_path / "s1_walk_t1.npy").write_bytes(b"no numbers")
    lost = Problem("corrupt", "s9_walk_t1", "s9_walk_t1.npy", "is empty (0 bytes)")
    found = only(changed(index, problems=(lost,)), "unreadable")
    assert set(found.recordings) == {"s1_walk_t1", "s9_walk_t1"} and "2 files" in found.what
    assert found.share == 2 / 37  # the one that the index has no recording of counts, too
