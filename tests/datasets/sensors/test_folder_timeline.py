"""Whole files as recordings: their labels over time, from a label column or a table of intervals."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.datasets.sensors.test_sensor_folder import describe, swing
from vskd.datasets.recording import UNLABELLED, Index, Recording
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.sensors.sensor_folder import index
from vskd.datasets.timeline import Timeline
from vskd.errors import DataError

RATE, SECONDS = 50.0, 12
DAY = [(0, 2, ""), (2, 5, "walk"), (5, 6, ""), (6, 9, "run"), (9, 12, "")]
STREAM = "streams:\n  accelerometer: {columns: [%s], %srate_hz: 50, unit: g%s}\n"


def write_day(path: Path, subject: int, *, clock: bool = True, day: list[tuple[int, int, str]] = DAY) -> None:
    """A file of a label column: pauses, walking and running."""
    signal = swing(subject, 1.5, samples=int(SECONDS * RATE))
    labels = [label for start, end, label in day for _ in range(int((end - start) * RATE))]
    head = "t," if clock else ""
    rows = [
        f"{f'{20 * n},' if clock else ''}{x:.5f},{y:.5f},{z:.5f},{label}"
        for n, ((x, y, z), label) in enumerate(zip(signal, labels, strict=True))
    ]
    path.write_text(f"{head}x,y,z,activity\n" + "\n".join(rows) + "\n")


def whole(root: Path, more: str = "", clock: bool = True) -> list[Recording]:
    time = "time: {column: t, unit: ms}, " if clock else ""
    files = ', files: "{subject}.csv"'
    describe(root, f"label_column: activity\nwhole_files: true\n{more}" + STREAM % ("x, y, z", time, files))
    found = index(root)
    assert found.problems == ()
    return list(found)


@pytest.mark.parametrize("clock", [True, False])
def test_a_label_column_makes_one_recording_that_shows_several_classes(tmp_path: Path, clock: bool) -> None:
    for subject in (1, 2):
        write_day(tmp_path / f"{subject}.csv", subject, clock=clock)
    recordings = whole(tmp_path, "null_class: rest\n", clock)
    assert [r.id for r in recordings] == ["s1_1", "s2_2"]
    assert index(tmp_path).labels == ("rest", "run", "walk") and index(tmp_path).null_class == "rest"
    timeline = recordings[0].timeline
    assert timeline is not None and timeline.elsewhere == 0
    np.testing.assert_allclose(timeline.spans, [(2, 5, 2), (6, 9, 1)], atol=1e-9)
    assert recordings[0].classes == {0, 1, 2} and recordings[0].stream("accelerometer").reading is not None
    assert read_stream(recordings[0].stream("accelerometer")).signal.shape == (3, SECONDS * RATE)


def test_without_a_null_class_nobody_knows_the_rest(tmp_path: Path) -> None:
    write_day(tmp_path / "1.csv", 1)
    (recording,) = whole(tmp_path)
    assert recording.timeline is not None and recording.timeline.elsewhere == UNLABELLED
    assert recording.classes == {0, 1} and index(tmp_path).null_class == ""


def test_people_in_one_file_are_recordings_of_their_own(tmp_path: Path) -> None:
    signal = swing(1, 1.5, samples=600)
    people = ["anna"] * 300 + ["ben"] * 300
    labels = ["walk"] * 150 + ["run"] * 250 + ["walk"] * 200
    rows = [f"{x},{y},{z},{p},{a}" for (x, y, z), p, a in zip(signal, people, labels, strict=True)]
    (tmp_path / "all.csv").write_text("x,y,z,who,activity\n" + "\n".join(rows))
    describe(
        tmp_path,
        "label_column: activity\nsubject_column: who\nwhole_files: true\n"
        + STREAM % ("x, y, z", "", ", files: all.csv"),
    )
    anna, ben = index(tmp_path)
    assert (anna.id, ben.id, ben.subject) == ("sanna_all-0001", "sben_all-0002", "ben")
    assert anna.timeline == Timeline(((0.0, 3.0, 1), (3.0, 6.0, 0)))
    assert ben.timeline == Timeline(((0.0, 2.0, 0), (2.0, 6.0, 1)))  # since Ben's own first sample
    read = read_stream(ben.stream("accelerometer"))
    np.testing.assert_allclose(read.signal, signal[300:].T.astype(np.float32), rtol=1e-6)


def write_table(root: Path, rows: str) -> None:
    for name in ("a", "b"):
        np.savetxt(root / f"{name}.csv", swing(1, 1.5, samples=600), delimiter=",")
    (root / "list.csv").write_text("file,subject,label,start,end,first_row,last_row,session\n" + rows)
    describe(
        root, "table: list.csv\nwhole_files: true\nnull_class: none\n" + STREAM % ("0, 1, 2", "", ", header: false")
    )


def test_a_table_of_intervals_makes_one_recording_of_each_file(tmp_path: Path) -> None:
    write_table(
        tmp_path, "b.csv,2,run,,,,,x\na.csv,1,walk,6.0,9.5,,,x\na.csv,1,run,1.0,3.0,,,x\na.csv,1,walk,,,201,250,x\n"
    )
    first, second = index(tmp_path)
    assert (first.id, second.id) == ("s1_session-x_a", "s2_run_session-x_b")
    assert first.timeline == Timeline(((1.0, 3.0, 1), (4.0, 5.0, 2), (6.0, 9.5, 2)), 0)
    assert second.timeline is None and index(tmp_path).labels[second.label] == "run"
    assert first.factors == {"session": "x"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a.csv,1,walk,1,4,,,x\na.csv,1,run,3,5,,,x\n", "line 3: the interval overlaps with that of .*line 2"),
        ("a.csv,1,walk,1,4,,,x\na.csv,2,run,5,6,,,x\n", "line 3: a.csv is of other people or factors than in .*line 2"),
        ("a.csv,1,walk,1,4,,,x\na.csv,1,run,,,,,x\n", "line 3: no start and end, beside other intervals"),
        ("a.csv,1,walk,1,4,,,x\na.csv,1,run,,,590,601,x\n", "line 3: a.csv has 600 data rows"),
    ],
)
def test_intervals_that_contradict_each_other_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    write_table(tmp_path, rows)
    with pytest.raises(DataError, match=message):
        index(tmp_path)


def test_labels_over_time_are_asked_for(tmp_path: Path) -> None:
    describe(tmp_path, "whole_files: true\n" + STREAM % ("0, 1, 2", "", ', files: "{label}.csv"'))
    with pytest.raises(DataError, match="whole_files: give a label_column, or a table"):
        index(tmp_path)


def test_rows_that_were_lost_move_no_label(tmp_path: Path) -> None:
    """Empty cells are gaps in time: what is behind them keeps its label, at the file's beginning too."""
    write_day(tmp_path / "1.csv", 1)
    lines = (tmp_path / "1.csv").read_text().splitlines()
    lost: npt.NDArray[np.int64] = np.r_[1:61, 300:350]
    for k in lost:
        stamp, *_, label = lines[k].split(",")
        lines[k] = f"{stamp},,,,{label}"
    (tmp_path / "1.csv").write_text("\n".join(lines))
    (recording,) = whole(tmp_path, "null_class: rest\n")
    assert recording.timeline is not None
    np.testing.assert_allclose(recording.timeline.spans, [(2, 5, 2), (6, 9, 1)], atol=1e-9)
    timed = read_stream(recording.stream("accelerometer"))
    assert timed.times[0] - timed.first_row_s == pytest.approx(1.2)


@pytest.mark.parametrize("cell", ["", "NaN", "none", "NULL", "na", "Unlabelled", "unlabeled"])
def test_cells_that_name_no_class(tmp_path: Path, cell: str) -> None:
    write_day(tmp_path / "1.csv", 1, day=[(0, 2, cell), (2, 5, "walk"), (5, 12, "run")])
    (recording,) = whole(tmp_path)
    assert recording.timeline is not None and index(tmp_path).labels == ("run", "walk")
    np.testing.assert_allclose(recording.timeline.spans, [(2, 5, 1), (5, 12, 0)], atol=1e-9)


def two_orders(root: Path, more: str) -> Index:
    """Two files of 12 s whose clock has one name, in the first column and in the last; 2 s of each are labelled."""
    table = np.column_stack([np.arange(600) / 50, swing(1, 1.5, samples=600)])
    np.savetxt(root / "a.csv", table, delimiter=",", header="t,x,y,z", comments="")
    np.savetxt(root / "b.csv", np.roll(table, -1, axis=1), delimiter=",", header="x,y,z,t", comments="")
    (root / "list.csv").write_text(
        "file,subject,label,first_row,last_row\na.csv,1,walk,51,150\nb.csv,2,run,101,200\n", encoding="utf-8"
    )
    describe(root, f"table: list.csv\n{more}" + STREAM % ("x, y, z", "time: {column: t, unit: s}, ", ", header: true"))
    return index(root)


def test_a_clock_is_looked_up_by_its_name_in_each_file(tmp_path: Path) -> None:
    one, two = two_orders(tmp_path, "whole_files: true\n")
    for recording, (start, end) in ((one, (1, 3)), (two, (2, 4))):
        assert recording.timeline is not None
        ((first, last, _),) = recording.timeline.spans
        assert (first, last) == (pytest.approx(start), pytest.approx(end))
        assert recording.stream("accelerometer").time_column == (0 if recording is one else 3)


def test_so_it_is_where_the_rest_is_the_null_class(tmp_path: Path) -> None:
    found = two_orders(tmp_path, "null_class: rest\n")
    parts = {r.subject: [] for r in found}  # type: dict[str, list[object]]
    for recording in found:
        reading = recording.stream("accelerometer").reading
        assert reading is not None
        if found.labels[recording.label] == "rest":
            parts[recording.subject].append(reading.rows)
    assert parts == {"1": [(0, 50), (150, 600)], "2": [(0, 100), (200, 600)]}


@pytest.mark.parametrize("table", [True, False])
def test_without_a_clock_rows_are_counted_whatever_the_first_column_holds(tmp_path: Path, table: bool) -> None:
    rows = [f"{'walk' if n < 100 else 'run'},{x},{y},{z}" for n, (x, y, z) in enumerate(swing(1, 1.5, samples=300))]
    (tmp_path / "1.csv").write_text("\n".join(["what,x,y,z", *rows]))
    (tmp_path / "list.csv").write_text("file,label,first_row,last_row\n1.csv,walk,1,100\n1.csv,run,101,300\n")
    said = "table: list.csv\n" if table else "label_column: what\n"
    describe(
        tmp_path, f"{said}whole_files: true\n" + STREAM % ("x, y, z", "", "" if table else ", files: '{subject}.csv'")
    )
    (recording,) = index(tmp_path)
    assert recording.timeline == Timeline(((0.0, 2.0, 1), (2.0, 6.0, 0)))


def test_numbers_of_samples_are_a_clock_too(tmp_path: Path) -> None:
    """They ended in a KeyError."""
    write_day(tmp_path / "1.csv", 1)
    head, *rows = (tmp_path / "1.csv").read_text().splitlines()
    counted = [f"{int(stamp) // 20},{rest}" for stamp, rest in (row.split(",", 1) for row in rows)]
    (tmp_path / "1.csv").write_text("\n".join([head, *counted]) + "\n")
    time, files = "time: {column: t, unit: samples}, ", ', files: "{subject}.csv"'
    describe(tmp_path, "label_column: activity\nwhole_files: true\n" + STREAM % ("x, y, z", time, files))
    (recording,) = index(tmp_path)
    assert recording.timeline is not None
    np.testing.assert_allclose(recording.timeline.spans, [(2, 5, 1), (6, 9, 0)], atol=1e-9)
