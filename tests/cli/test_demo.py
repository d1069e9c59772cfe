"""`vskd demo`."""

from pathlib import Path


def test_demo(vskd, record, tmp_path: Path) -> None:
    import vskd.study.demo as library

    seen = record(library, "run_demo", "the report")
    assert vskd("demo", "--out", tmp_path).out == "the report\n"
    assert vskd("demo", "--out", tmp_path, "--data", tmp_path / "UTD").code == 0
    assert seen == [{"out": tmp_path, "data": None}, {"out": tmp_path, "data": tmp_path / "UTD"}]
