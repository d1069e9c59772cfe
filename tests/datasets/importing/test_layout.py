from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        ("t,x (g)", "t,x (m/s^2)", "x: .*1.csv says g; .*9.csv says m/s"),
        ("t,x (deg/s)", "t,x (rad/s)", "x: .*1.csv says deg/s; .*9.csv says rad/s"),
        ("t (s),x", "t (ms),x", "t: .*1.csv says s; .*9.csv says ms"),
        ("# unit: g\nt,x", "# unit: mg\nt,x", "t: .*1.csv says g; .*9.csv says mg"),
        ("t,x (m/s2)", "t,x (m/s^2)", ""),
        ("t,x (g)", "t,x", ""),
    ],
)
def test_files_of_several_units_are_refused_also_where_one_of_many_differs(
    tmp_path: Path, one: str, other: str, refused: str
) -> None:
    """Of the last of a hundred files, too: the unit of the first is written down for all of them."""
    files = [tmp_path / f"{n}.csv" for n in (*range(1, 9), *range(10, 100), 9)]
    for path in files:
        path.write_text(f"{other if path.stem == '9' else one}\n" + "1,2\n" * 3)
    if not refused:
        read_alike(files, Stated())
        return
    with pytest.raises(DataError, match=f"say different units of {refused}.*--pattern or --table"):
        read_alike(files, Stated())


def test_what_is_no_folder_holds_nothing_or_fits_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        find_layout(tmp_path / "none", Stated())
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(DataError, match=r"holds no sensor file \(.*\.csv"):
        find_layout(tmp_path, Stated())
    (tmp_path / "notes.md").unlink()
    with pytest.raises(DataError, match=r"holds no sensor file .*; it is empty"):
        find_layout(tmp_path, Stated())
    for name in ("a.xlsx", "b.csv.gz", "c.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=r"holds no sensor file .*; it holds 2 \.xlsx, 1 \.gz") as caught:
        find_layout(tmp_path, Stated())
    assert caught.value.action == ".xlsx: save them as CSV with the program that wrote them; .gz: unpack them"
    phone(tmp_path)
    for stated in (Stated(), Stated(pattern="subject_{subject}/{label}_t{trial}.csv")):
        (note,) = find_layout(tmp_path, stated).notes
        assert note.startswith("files that vskd does not read are left out: 2 .xlsx, 1 .gz")
    with pytest.raises(DataError, match=r"No file fits --pattern 'x\{label\}\.csv', e\.g\. subject_1/"):
        find_layout(tmp_path, Stated(pattern="x{label}.csv"))


@pytest.mark.parametrize("head", ["file,label", "Label;FILE", '"subject"\t"label"\t"file"'])
def test_a_table_is_known_by_two_of_its_columns(head: str, tmp_path: Path) -> None:
    phone(tmp_path)
    mark = next(m for m in ",;\t" if m in head)
    cells = ["subject_1/walk_t1.csv" if "file" in word.lower() else "walk" for word in head.split(mark)]
    (tmp_path / "list.csv").write_text(f"{head}\n{mark.join(cells)}\n", encoding="utf-8")
    assert find_layout(tmp_path, Stated()).table == tmp_path / "list.csv"


def test_of_several_tables_one_is_asked_for_and_one_below_is_none(tmp_path: Path) -> None:
    phone(tmp_path)
    rows = ("subject_1/walk_t1.csv,walk,0,1", "nowhere.csv,walk,0,1", "subject_1/walk_t1.csv,walk,1,2")
    text = "\n".join(("file,label,start,end", *rows, ""))
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=r"Several tables list files: a\.csv, b\.csv\. Say --table"):
        find_layout(tmp_path, Stated())
    said = find_layout(tmp_path, Stated(table="b.csv"))
    assert [p.name for p in said.files] == ["walk_t1.csv"] and said.guess.value == "3 rows of b.csv, 1 files"
    (tmp_path / "b.csv").write_text("file,label\nnowhere.csv,walk\n")
    with pytest.raises(DataError, match="none of its 1 files is there"):
        find_layout(tmp_path, Stated(table="b.csv"))
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).unlink()
    (tmp_path / "subject_1" / "list.csv").write_text(text)
    assert find_layout(tmp_path, Stated(pattern="subject_{subject}/{label}_t{trial}.csv")).table is None


def test_most_files_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,x\n" + "1,2\n" * 3)
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(DataError, match=r"1 of the files cannot be read: .*b\.csv: is empty"):
        read_alike(sorted(tmp_path.glob("*.csv")), Stated())
    (tmp_path / "c.csv").write_text("t,x\n" + "1,2\n" * 3)
    assert len(read_alike(sorted(tmp_path.glob("*.csv")), Stated())[0]) == 2


def test_files_without_names_must_have_as_many_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n" * 3)
    (tmp_path / "b.csv").write_text("1,2,3\n" * 3)
    with pytest.raises(DataError, match=r"different numbers of columns: .*a\.csv has 2; .*b\.csv has 3"):
        read_alike(sorted(tmp_path.glob("*.csv")), Stated())


def test_files_are_read_evenly_with_the_first_and_the_last(tmp_path: Path) -> None:
    for n in range(95):
        (tmp_path / f"{n:02}.csv").write_text("t,x\n" + "1,2\n" * 3)
    files = sorted(tmp_path.glob("*.csv"))
    samples, odd = read_alike(files, Stated())
    assert list(samples) == files[::2] and odd == []


def test_what_is_stated_of_files_is_used(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("t,x;y\n" + "1,2;3\n" * 30)
        np.savez(tmp_path / f"{name}.npz", one=np.ones((5, 2)), two=np.zeros((5, 3)))
    (text, _), (commas, _) = (
        read_alike(sorted(tmp_path.glob("*.csv")), Stated(separator=s)) for s in ("semicolon", "comma")
    )
    assert {s.names for s in text.values()} == {("t,x", "y")} and {s.names for s in commas.values()} == {("t", "x;y")}
    arrays, _ = read_alike(sorted(tmp_path.glob("*.npz")), Stated(variable="two"))
    assert {s.width for s in arrays.values()} == {3}


def test_a_file_that_breaks_off_is_odd_and_says_what_to_do(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n}.csv").write_text("t,x\n" + "1,2\n" * 3)
    (tmp_path / "0.csv").write_text("t,x\n1,2\n1,2\n1\n")
    samples, odd = read_alike(sorted(tmp_path.glob("*.csv")), Stated())
    assert [p.name for p in samples] == ["1.csv", "2.csv"] and len(odd) == 1 and "0.csv" in odd[0]
    with pytest.raises(DataError, match="Remove it"):
        (tmp_path / "1.csv").write_text("")
        (tmp_path / "2.csv").write_text("")
        read_alike(sorted(tmp_path.glob("[12].csv")), Stated())


def test_endings_in_capitals_the_pairs_of_videos_and_names_as_windows_writes_them(tmp_path: Path) -> None:
    for name in ("s1_run.CSV", "s2_sit.CSV"):
        (tmp_path / name).write_text("1,2\n" * 3)
    (tmp_path / "pairs.csv").write_text("recording,video\n")
    layout = find_layout(tmp_path, Stated(video_table="pairs.csv"))
    assert layout.pattern == "s{subject}_{label}.CSV"
    said = "s{subject}_{label}.CSV: 2 (subject 1, 2; label run, sit)"
    assert (layout.guess.what, layout.guess.value, layout.guess.source) == ("files", said, "their names")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.csv").write_text("1,2\n")
    (tmp_path / "list.tsv").write_text("file\tlabel\nsub\\a.csv\trun\n")
    listed = find_layout(tmp_path, Stated())
    assert listed.files == (tmp_path / "sub" / "a.csv",) and listed.pattern is None
    assert listed.guess.value == "1 rows of list.tsv, 1 files"


def test_files_that_fit_a_pattern_are_counted(tmp_path: Path) -> None:
    for name in ("s1_run.csv", "s2_sit.csv", "notes.csv"):
        (tmp_path / name).write_text("1,2\n" * 3)
    layout = find_layout(tmp_path, Stated(pattern="s{subject}_{label}.csv"))
    assert [p.name for p in layout.files] == ["s1_run.csv", "s2_sit.csv"]
    assert layout.guess.value == "s{subject}_{label}.csv: 2 of 3"
    assert layouts_by_stream(layout, tmp_path, Stated()) == [(layout, Stated())]


def test_a_place_in_capitals_names_a_stream_in_small_letters(tmp_path: Path) -> None:
    for name in ("s1_Left-Wrist.csv", "s2_Left-Wrist.csv", "s1_Hip.csv"):
        (tmp_path / name).write_text("1,2\n" * 3)
    stated = Stated(pattern="s{subject}_{stream}.csv", stream="gyroscope")
    parts = layouts_by_stream(find_layout(tmp_path, stated), tmp_path, stated)
    assert {(said.stream, said.position, len(layout.files), layout.pattern) for layout, said in parts} == {
        ("gyroscope-left-wrist", "Left Wrist", 2, "s{subject}_Left-Wrist.csv"),
        ("gyroscope-hip", "Hip", 1, "s{subject}_Hip.csv"),
    }


def test_where_a_column_holds_labels_names_need_none(tmp_path: Path) -> None:
    for name in ("s1.csv", "s2.csv"):
        (tmp_path / name).write_text("1,2\n" * 3)
    assert find_layout(tmp_path, Stated(label_column="1")).pattern == "s{subject}.csv"
    with pytest.raises(DataError, match="no word in them differs"):
        find_layout(tmp_path, Stated())


def test_files_are_looked_for_by_the_names_that_a_pattern_must_not_read_in_two_ways(tmp_path: Path) -> None:
    for name in ("p1_a_b.csv", "p2_a_c.csv"):
        (tmp_path / name).write_text("1,2\n" * 3)
    with pytest.raises(DataError, match="in several ways"):
        find_layout(tmp_path, Stated(pattern="{subject}_{label}.csv"))
