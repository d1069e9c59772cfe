from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from vskd.datasets.recording import Problem
from vskd.datasets.sensors.folder_description import Description, StreamDescription, TimeColumn, VideoDescription
from vskd.datasets.sensors.folder_files import first_stamp, header_names, list_recordings, positions, read_table
from vskd.errors import DataError
from vskd.preprocessing.sensor.reading import Reading


def described(files: str | None = None, **more: Any) -> Description:
    stream = StreamDescription(files=files, columns=(0, 1, 2), rate_hz=50.0, unit="g")
    return Description(format="sensor-folder 1", streams={"accelerometer": stream}, **more)


def write(path: Path, text: str = "0,0,1\n0,0,1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_files_that_fit_no_pattern_or_fit_twice_are_problems(tmp_path: Path) -> None:
    for name in ("s1/walk.csv", "s01/walk.csv", "s2/run.csv", "stray.csv", "read.me"):
        write(tmp_path / name)
    problems: list[Problem] = []
    found = list_recordings(tmp_path, described("s{subject}/{label}.csv"), problems)
    assert sorted(one.id for one in found) == ["s1_walk", "s2_run"]
    assert sorted((p.kind, Path(p.path).name) for p in problems) == [
        ("duplicate", "walk.csv"),
        ("unknown", "stray.csv"),
    ]
    with pytest.raises(DataError, match="absent is no folder"):
        list_recordings(tmp_path, described("{label}.csv", root="absent"), problems)


def test_a_table_names_files_and_their_parts(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write(tmp_path / name)
    rows = ["File;subject;label;start;end;first_row;last_row", "one.csv;03;walk;0,5;1,5;;", "one.csv;3;run;;;1;20"]
    write(tmp_path / "t.csv", "\n".join([*rows, "two.csv;4;walk;;;;", "three.csv;4;run;;;;"]))
    problems: list[Problem] = []
    found = list_recordings(tmp_path, described(table="t.csv"), problems)
    assert [one.id for one in found] == ["s3_walk_one-0001", "s3_run_one-0002", "s4_walk_two"]
    assert [one.reading for one in found] == [Reading(seconds=(0.5, 1.5)), Reading(rows=(0, 20)), Reading()]
    assert [(p.kind, p.detail) for p in problems] == [
        ("missing", f"{tmp_path / 't.csv'}, line 5: there is no such file")
    ]


@pytest.mark.parametrize(
    ("cells", "message"),
    [("1,", "start and end are '1' and ''"), ("2,1", "are no part of a file"), ("-1,1", "are no part of a file")],
)
def test_a_part_that_is_none_is_refused_by_line(tmp_path: Path, cells: str, message: str) -> None:
    write(tmp_path / "one.csv")
    write(tmp_path / "t.csv", f"file,label,start,end\none.csv,walk,{cells}\n")
    with pytest.raises(DataError, match=rf"t\.csv, line 2: .*{message}"):
        list_recordings(tmp_path, described(table="t.csv"), [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,walk\n", "no column 'file'"),
        ("file,label\na\n", "more or fewer cells"),
        ("", "holds no row below the names"),
        ("file,label\n", "holds no row below the names"),
        ("file,label,file\na,walk,b\n", "several columns are called 'file'"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path / "t.csv", text), {})


def test_columns_of_a_table_may_be_called_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "Path,what,label,from\na.csv,walk,good,1\n")
    assert read_table(path, {"file": "path", "label": "What", "start": "from"}) == [
        {"file": "a.csv", "label": "walk", "start": "1"}  # its own `label` is another column's name now
    ]
    with pytest.raises(DataError, match="has no column 'activity'; its columns are path, what, label, from") as caught:
        read_table(path, {"file": "path", "label": "activity"})
    assert "--table-columns" in caught.value.action and "table_columns:" in caught.value.action


@pytest.mark.parametrize(
    ("null", "labels"),
    [(None, [("walk", (0, 2)), ("walk", (3, 4))]), ("rest", [("walk", (0, 2)), ("rest", (2, 3)), ("walk", (3, 4))])],
)
def test_runs_of_equal_labels_are_recordings(
    tmp_path: Path, null: str | None, labels: list[tuple[str, tuple[int, int]]]
) -> None:
    write(tmp_path / "s1.csv", "0,0,1,walk\n0,0,1,walk\n0,0,1,NaN\n0,0,1,walk\n")
    found = list_recordings(tmp_path, described("s{subject}.csv", label_column=3, null_class=null), [])
    assert [(one.values["label"], one.reading.rows) for one in found] == labels


def test_columns_are_looked_up_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "t,ax,ay,az,ax\n" + "1,2,3,4,5\n" * 5)
    stated = described("{label}.csv").streams["accelerometer"]
    assert header_names(path) == ("t", "ax", "ay", "az", "ax")
    assert positions(path, ["az", 1, "t"], stated) == [3, 1, 0]
    assert positions(path, [4, 9], stated) == [4, 9]  # without names nothing is read
    for column, message in (("ax", "has 2 columns 'ax'"), ("aw", "has no column 'aw'")):
        with pytest.raises(DataError, match=message):
            positions(path, [column], stated)
    with pytest.raises(DataError, match=r"begins with the names t, ax, .* says header: false"):
        positions(path, [1], stated.model_copy(update={"header": False}))
    with pytest.raises(DataError, match=r"is empty \(0 bytes\)"):
        positions(write(tmp_path / "empty.csv", ""), [1], stated)
    with pytest.raises(DataError, match="no such file"):
        positions(tmp_path / "absent.csv", [1], stated)


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        ("0,0.5,,", Reading(seconds=(0.0, 0.5))),
        (",,1,2", Reading(rows=(0, 2))),
        (",,5,9", Reading(rows=(4, 9))),
        (",,0,9", None),
        (",,5,5", None),
        (",,5,", None),
        (",,1.5,3", None),
        ("1,1,,", None),
        ("x,1,,", None),
    ],
)
def test_rows_are_counted_from_one_and_both_ends_are_in(tmp_path: Path, cells: str, reading: Reading | None) -> None:
    write(tmp_path / "one.csv")
    write(tmp_path / "t.csv", f"file,label,start,end,first_row,last_row\none.csv,walk,{cells}\n")
    if reading is None:
        with pytest.raises(DataError, match=r"t\.csv, line 2: "):
            list_recordings(tmp_path, described(table="t.csv"), [])
    else:
        (found,) = list_recordings(tmp_path, described(table="t.csv"), [])
        assert found.reading == reading


def test_a_table_without_labels_is_refused_unless_a_column_holds_them(tmp_path: Path) -> None:
    write(tmp_path / "one.csv", "0,0,1,walk\n0,0,1,walk\n0,0,1,run\n")
    write(tmp_path / "t.csv", "file,subject,label\none.csv,3,\n")
    with pytest.raises(DataError, match=r"t\.csv, line 2: no label"):
        list_recordings(tmp_path, described(table="t.csv"), [])
    found = list_recordings(tmp_path, described(table="t.csv", label_column=3), [])
    assert [one.values["label"] for one in found] == ["walk", "run"]


def test_words_of_a_table_are_factors_and_a_trial_tells_recordings_apart(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "one.csv")
    rows = ["file\tsubject\tlabel\ttrial\tHand", r"deep\one.csv" + "\t2\twalk\t07\tleft"]
    write(tmp_path / "t.csv", "\n".join(rows))
    (found,) = list_recordings(tmp_path, described(table="t.csv"), [])
    assert found.values["hand"] == "left" and found.id == "s2_walk_t7_hand-left"
    assert found.files == {"accelerometer": tmp_path / "deep" / "one.csv"}


def test_runs_are_cut_where_the_subject_changes_too(tmp_path: Path) -> None:
    write(tmp_path / "log.csv", "0,0,1,walk,1\n0,0,1,walk,02\n0,0,1,walk,2\n0,0,1,Unlabelled,2\n0,0,1,run,2\n")
    problems: list[Problem] = []
    found = list_recordings(tmp_path, described("{trial}.csv", label_column=3, subject_column=4), problems)
    assert [(one.values["subject"], one.values["label"], one.reading.rows) for one in found] == [
        ("1", "walk", (0, 1)),
        ("2", "walk", (1, 2)),
        ("2", "walk", (2, 3)),
        ("2", "run", (4, 5)),
    ]
    assert [one.id[-4:] for one in found] == ["0001", "0002", "0003", "0005"]
    write(tmp_path / "bad.csv", "0,0\n0,0\n")
    list_recordings(tmp_path, described("{trial}.csv", label_column=3, subject_column=4), problems)
    assert [(p.kind, Path(p.path).name) for p in problems] == [("corrupt", "bad.csv")]
    assert problems[0].detail == f"{tmp_path / 'bad.csv'}: has 2 columns and no column 4"


def test_a_header_that_is_stated_must_be_there(tmp_path: Path) -> None:
    stated = described("{label}.csv").streams["accelerometer"].model_copy(update={"header": True})
    with pytest.raises(DataError, match=r"has no line of names, and dataset\.yaml says header: true"):
        positions(write(tmp_path / "a.csv"), [0], stated)
    named = write(tmp_path / "b.csv", "x;y\n1;2\n1;2\n")
    assert positions(named, ["y"], stated) == [1]
    assert header_names(named, "semicolon") == ("x", "y")
    assert header_names(tmp_path / "b.npy") == ()


def test_a_pause_of_the_clock_and_other_columns_end_a_run(tmp_path: Path) -> None:
    rows = [f"{20 * n + (9000 if n >= 30 else 0)},0,0,1,walk,{'s1' if n < 10 else 's2'}" for n in range(60)]
    write(tmp_path / "s1.csv", "ms,x,y,z,what,session\n" + "\n".join(rows))
    time = {"time": TimeColumn(column="ms", unit="ms")}
    description = described("s{subject}.csv", label_column="what", factor_columns=("session",))
    stream = description.streams["accelerometer"].model_copy(update=time)
    found = list_recordings(tmp_path, description.model_copy(update={"streams": {"accelerometer": stream}}), [])
    assert [one.reading.rows for one in found] == [(0, 10), (10, 30), (30, 60)]
    assert [one.values["session"] for one in found] == ["s1", "s2", "s2"]


def test_labels_and_people_of_rows_are_read_of_arrays_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(6), who=np.array([1.0, 1, 1, 2, 2, 2]), what=np.array(list("aabbaa")))
    description = described("{trial}.npz", label_column="what", subject_column="who")
    found = list_recordings(tmp_path, description, [])
    runs = [(one.values["subject"], one.values["label"]) for one in found]
    assert runs == [("1", "a"), ("1", "b"), ("2", "b"), ("2", "a")]


def timed(unit: str, **more: Any) -> Description:
    """A table of recordings, whose files have a clock in their first column."""
    description = described(table="t.csv", **more)
    update = {"columns": (1, 2, 3), "time": TimeColumn(column=0, unit=unit)}
    stream = description.streams["accelerometer"].model_copy(update=update)
    return description.model_copy(update={"streams": {"accelerometer": stream}})


@pytest.mark.parametrize(
    ("first", "unit", "start", "end"),
    [
        ("20240301_09:30:00.000", "text", "2024-03-01 09:30:02.5", "2024/03/01 09:30:04"),
        ("2024-03-01T09:30:00Z", "text", "2024-03-01T10:30:02.5+01:00", "1709285404"),
        ("1709285400000", "ms", "1709285402.5", "1709285404"),
    ],
)
def test_intervals_may_be_moments(tmp_path: Path, first: str, unit: str, start: str, end: str) -> None:
    write(tmp_path / "day.csv", f"{first},0,0,1\n" * 3)
    write(tmp_path / "t.csv", f"file,label,start,end\nday.csv,walk,{start},{end}\n")
    (one,) = list_recordings(tmp_path, timed(unit), [])
    assert one.reading.seconds == pytest.approx((2.5, 4.0), abs=1e-5)


@pytest.mark.parametrize(
    ("first", "unit", "start"),
    [
        ("2024-03-01T09:30:00Z", "text", "2024-03-01 09:30:02"),
        ("0", "ms", "2024-03-01 09:30:02"),
        ("5", "s", "1709285402"),
    ],
)
def test_moments_of_another_kind_are_refused(tmp_path: Path, first: str, unit: str, start: str) -> None:
    write(tmp_path / "day.csv", f"{first},0,0,1\n" * 3)
    write(tmp_path / "t.csv", f"file,label,start,end\nday.csv,walk,{start},{start}\n")
    with pytest.raises(DataError, match=rf"line 2: start and end are moments.*begins at '{first}'"):
        list_recordings(tmp_path, timed(unit), [])


def test_what_vskd_wrote_beside_the_files_is_no_stray_file(tmp_path: Path) -> None:
    for name in ("s1_walk.csv", "sync.csv", "films.csv", "deep/films.csv", "dataset.yaml"):
        write(tmp_path / name)
    problems: list[Problem] = []
    videos = {"front": VideoDescription(table="films.csv", rate_hz=25.0)}
    found = list_recordings(tmp_path, described("s{subject}_{label}.csv", videos=videos), problems)
    assert [one.id for one in found] == ["s1_walk"]
    assert [p.path for p in problems] == [str(tmp_path / "deep" / "films.csv")]


def test_names_of_arrays_and_of_one_that_is_chosen(tmp_path: Path) -> None:
    """Other arrays of the file may have another length."""
    table = np.column_stack([1.7e12 + 20.0 * np.arange(6), np.zeros((6, 3))])
    np.savez(tmp_path / "a.npz", imu=table, other=np.zeros(9))
    savemat(tmp_path / "a.mat", {"t": np.arange(6.0), "x": np.arange(6.0)})
    assert header_names(tmp_path / "a.npz", variable="imu") == () == header_names(tmp_path / "a.mat", variable="x")
    assert header_names(tmp_path / "a.mat") == ("t", "x")
    with pytest.raises(DataError, match="its arrays differ in length"):
        header_names(tmp_path / "a.npz")
    stated = timed("ms").streams["accelerometer"].model_copy(update={"variable": "imu"})
    assert float(first_stamp(tmp_path / "a.npz", stated)) == 1.7e12
    with pytest.raises(DataError, match="its arrays differ in length"):
        first_stamp(tmp_path / "a.npz", timed("ms").streams["accelerometer"])


def test_the_first_stamp_is_that_of_the_first_row(tmp_path: Path) -> None:
    stated = timed("s").streams["accelerometer"]
    assert first_stamp(write(tmp_path / "a.csv", "5 ,0,0,1\n6,0,0,1\n7,0,0,1\n"), stated) == "5"
    assert first_stamp(tmp_path / "a.csv", described("{label}.csv").streams["accelerometer"]) == ""
    semicolon = stated.model_copy(update={"separator": "semicolon"})
    assert first_stamp(write(tmp_path / "b.csv", "5,5;0;0;1\n6,5;0;0;1\n"), semicolon) == "5,5"
    for column, stamp in ((3, "1"), (4, "")):
        other = stated.model_copy(update={"time": TimeColumn(column=column, unit="s")})
        assert first_stamp(tmp_path / "a.csv", other) == stamp
    with pytest.raises(DataError, match="has no column 'when'"):
        first_stamp(tmp_path / "a.csv", stated.model_copy(update={"time": TimeColumn(column="when", unit="s")}))


@pytest.mark.parametrize("more", [{"whole_files": True}, {"null_class": "none"}])
def test_a_table_none_of_whose_files_is_there_is_no_recording(tmp_path: Path, more: dict[str, Any]) -> None:
    write(tmp_path / "t.csv", "file,label,start,end\none.csv,walk,0,1\n")
    problems: list[Problem] = []
    if "null_class" in more:
        with pytest.raises(DataError, match="no row of the table has start and end"):
            list_recordings(tmp_path, timed("s", **more), problems)
    else:
        assert list_recordings(tmp_path, timed("s", **more), problems) == []
    assert [p.kind for p in problems] == ["missing"]


def test_a_column_that_is_one_too_many_is_a_problem_by_name(tmp_path: Path) -> None:
    write(tmp_path / "four.csv", "0,0,1,walk\n0,0,1,walk\n")
    write(tmp_path / "five.csv", "0,0,1,walk,2\n0,0,1,walk,2\n")
    problems: list[Problem] = []
    found = list_recordings(tmp_path, described("{trial}.csv", label_column=3, subject_column=4), problems)
    assert [one.values["subject"] for one in found] == ["2"]
    assert [p.detail for p in problems] == [f"{tmp_path / 'four.csv'}: has 4 columns and no column 4"]


def test_parts_of_one_file_are_numbered_each_file_from_one(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        write(tmp_path / name)
    rows = ["a.csv,1,walk,,0,1", "b.csv,1,walk,,0,1", "a.csv,1,run,,1,2", "b.csv,1,run,4,1,2", "c.csv,1,run,04,,"]
    write(tmp_path / "t.csv", "\n".join(["file,subject,label,trial,start,end", *rows]))
    found = list_recordings(tmp_path, described(table="t.csv"), [])
    assert [one.id for one in found] == [
        "s1_walk_a-0001", "s1_walk_b-0001", "s1_run_a-0002", "s1_run_t4_b-0002", "s1_run_t4",
    ]  # fmt: skip


@pytest.mark.parametrize("whole", [False, True])
def test_the_clock_of_rows_may_have_a_name(tmp_path: Path, whole: bool) -> None:
    """In the last column; where the file is a recording, spans are on that clock."""
    rows = [f"0,0,1,{'walk' if n < 20 else 'run'},{40 * n}" for n in range(60)]
    write(tmp_path / "s1.csv", "x,y,z,what,ms\n" + "\n".join(rows))
    description = described("s{subject}.csv", label_column="what", whole_files=whole)
    time = {"time": TimeColumn(column="ms", unit="ms"), "rate_hz": 25.0}
    stream = description.streams["accelerometer"].model_copy(update=time)
    found = list_recordings(tmp_path, description.model_copy(update={"streams": {"accelerometer": stream}}), [])
    if whole:
        ((first, second),) = [one.spans or () for one in found]
        assert first == (0.0, pytest.approx(0.8), "walk") and second[:2] == (pytest.approx(0.8), pytest.approx(2.4))
    else:
        assert [one.reading.rows for one in found] == [(0, 20), (20, 60)]


def test_files_of_one_recording_may_name_their_words_in_another_order(tmp_path: Path) -> None:
    for name in ("acc/s1_walk.csv", "gyro/walk_s01.csv"):
        write(tmp_path / name)
    stream = described("acc/s{subject}_{label}.csv").streams["accelerometer"]
    streams = {"acc": stream, "gyro": stream.model_copy(update={"files": "gyro/{label}_s{subject}.csv"})}
    (one,) = list_recordings(tmp_path, Description(format="sensor-folder 1", streams=streams), [])
    assert one.id == "s1_walk" and set(one.files) == {"acc", "gyro"}
