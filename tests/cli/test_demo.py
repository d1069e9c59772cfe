"""`vskd demo`."""

from pathlib import Path


def test_demo(vskd, record, tmp_path: Path) -> None:
    import vskd.study.demo as library

    seen = record(library, "run_demo", "the report")
    assert vskd("demo", "--out", tmp_path).out == "the report\n"
    assert seen == [{"out": tmp_path}]
