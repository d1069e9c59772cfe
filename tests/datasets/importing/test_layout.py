from pathlib import Path

import pytest

from tests.datasets.importing.folders import intervals, phone, places
from vskd.datasets.importing.layout import SAMPLE, find_layout, layouts_by_stream, read_alike
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError


def test_a_pattern_of_ones_own_or_that_of_the_names(tmp_path: Path) -> None:
    phone(tmp_path)
    guessed = find_layout(tmp_path, Stated())
    assert guessed.pattern == "subject_{subject}/{label}_t{trial}.csv" and len(guessed.files) == 8
    stated = find_layout(tmp_path, Stated(pattern="subject_1/{label}_t{trial}.csv"))
    assert {path.parent.name for path in stated.files} == {"subject_1"} and stated.guess.source == "--pattern"


def test_a_table_in_the_folder_lists_the_files(tmp_path: Path) -> None:
    intervals(tmp_path)
    layout = find_layout(tmp_path, Stated())
    assert layout.table == tmp_path / "recordings.csv" and [p.name for p in layout.files] == ["day1.csv", "day2.csv"]


def test_each_place_is_a_stream_of_its_own_files(tmp_path: Path) -> None:
    places(tmp_path)
    stated = Stated(pattern="s{subject}_{label}_t{trial}_{stream}.csv")
    parts = layouts_by_stream(find_layout(tmp_path, stated), tmp_path, stated)
    assert [(said.stream, said.position, layout.pattern) for layout, said in parts] == [
        ("accelerometer-hip", "hip", "s{subject}_{label}_t{trial}_hip.csv"),
        ("accelerometer-right_wrist", "right wrist", "s{subject}_{label}_t{trial}_right_wrist.csv"),
    ]
    assert all(path.stem.endswith(said.position.replace(" ", "_")) for layout, said in parts for path in layout.files)


def test_files_must_be_alike_and_those_that_are_not_readable_are_named(tmp_path: Path) -> None:
    for n in range(60):
        (tmp_path / f"{n}.csv").write_text("t,x\n" + "1,2\n" * 3)
    (tmp_path / "empty.csv").write_text("")
    samples, odd = read_alike(sorted(tmp_path.glob("*.csv")), Stated())
    assert len(samples) == SAMPLE and odd == [f"cannot be read: {tmp_path / 'empty.csv'}: is empty (0 bytes)"]
    (tmp_path / "other.csv").write_text("t,y\n" + "1,2\n" * 3)
    with pytest.raises(DataError, match=r"different columns.*--pattern"):
        read_alike(sorted(tmp_path.glob("*.csv")), Stated())
