from pathlib import Path

from vskd.datasets.importing.other_files import _ACTIONS, other_files
from vskd.datasets.sensors.folder_files import SENSOR_FILES


def test_what_is_read_or_holds_no_samples_is_not_named() -> None:
    assert other_files([Path(name) for name in ("a.csv", "b.MAT", "README.md", "c.mp4", "d")]) == ("", "")
    assert not SENSOR_FILES & set(_ACTIONS)


def test_the_most_frequent_kind_comes_first_with_what_to_do() -> None:
    counts, action = other_files([Path("a.json"), Path("b.CSV.GZ"), Path("c.gz")])
    assert counts == "2 .gz, 1 .json"
    assert action.startswith(".gz: unpack them; .json: turn them into CSV or Parquet")
