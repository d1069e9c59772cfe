"""The null class of a table of intervals, by examples that can be followed by hand and by a count of every sample."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.sensors.test_sensor_folder import describe, swing
from vskd.datasets.recording import Index
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.sensors.sensor_folder import index
from vskd.datasets.splits.contents import overlapping_parts
from vskd.errors import DataError

SIGNAL = swing(1, 1.5, samples=600)  # 12 s at 50 Hz
STREAM = "streams:\n  accelerometer: {columns: %s, %srate_hz: 50, unit: g, header: %s}\n"
ROWS = ["a.csv,1,walk,1,3,,,", "a.csv,1,run,3.5,5,,,", "a.csv,1,walk,8,12,,,", "b.csv,2,run,,,,,"]


def made(root: Path, rows: list[str], *, pause_s: float = 0.0) -> Index:
    """A data set of two files, with a clock where there is a pause in the middle of them."""
    clock = np.arange(600) / 50 + pause_s * (np.arange(600) >= 300)
    table = np.column_stack([clock, SIGNAL]) if pause_s else SIGNAL
    for name in ("a", "b"):
        head = "t,x,y,z" if pause_s else ""
        np.savetxt(root / f"{name}.csv", table, delimiter=",", header=head, comments="")
    (root / "list.csv").write_text("\n".join(["file,subject,label,start,end,first_row,last_row,session", *rows]) + "\n")
    time = "time: {column: t, unit: s}, " if pause_s else ""
    stream = STREAM % ("[x, y, z]" if pause_s else "[0, 1, 2]", time, "true" if pause_s else "false")
    describe(root, "table: list.csv\nnull_class: none\n" + stream)
    return index(root)


def nulls(found: Index) -> list[tuple[str, object]]:
    return [(r.id, r.stream("accelerometer").reading.part[0]) for r in found if found.labels[r.label] == "none"]  # type: ignore[union-attr]


def test_what_no_interval_holds_is_the_null_class(tmp_path: Path) -> None:
    found = made(tmp_path, ROWS)
    assert found.labels == ("none", "run", "walk") and found.null_class == "none" and found.problems == ()
    assert nulls(found) == [("s1_none_ta-0001_a-0001", (0.0, 1.0)), ("s1_none_ta-0002_a-0002", (5.0, 8.0))]
    of_a = [r for r in found if r.subject == "1"]  # all but the half second between walking and running
    assert sum(read_stream(r.stream("accelerometer")).signal.shape[1] for r in of_a) == 600 - 25
    (rest,) = (r for r in found if r.id == "s1_none_ta-0002_a-0002")
    np.testing.assert_allclose(read_stream(rest.stream("accelerometer")).signal, SIGNAL[250:400].T, rtol=1e-6)


def test_without_one_the_recordings_are_the_same_but_for_it(tmp_path: Path) -> None:
    with_it = made(tmp_path, ROWS)
    text = (tmp_path / "dataset.yaml").read_text()
    (tmp_path / "dataset.yaml").write_text(text.replace("null_class: none\n", ""))
    without = index(tmp_path)
    assert [r.id for r in without] == [r.id for r in with_it if "none" not in r.id]
    assert without.labels == ("run", "walk") and len(without) == 4


def test_parts_in_rows_stay_parts_in_rows(tmp_path: Path) -> None:
    found = made(tmp_path, ["a.csv,1,walk,,,51,150,", "a.csv,1,run,,,301,600,", "b.csv,2,run,,,1,600,"])
    assert [part for _, part in nulls(found)] == [(0, 50), (150, 300)]
    streams = {r.id: r.stream("accelerometer") for r in found if r.subject == "1"}
    assert overlapping_parts(streams) == []


def test_an_interval_called_so_is_part_of_what_is_around_it(tmp_path: Path) -> None:
    found = made(tmp_path, ["a.csv,1,walk,0,2,,,", "a.csv,1,none,3,4,,,", "a.csv,1,run,6,12,,,", "b.csv,2,none,2,3,,,"])
    assert nulls(found) == [("s1_none_ta-0001_a-0001", (2.0, 6.0)), ("s2_none_tb_b-0001", (0.0, 12.0))]


def test_a_pause_of_the_clock_ends_a_recording(tmp_path: Path) -> None:
    found = made(tmp_path, ["a.csv,1,walk,0,2,,,", "a.csv,1,run,16,18,,,", "b.csv,2,run,,,,,"], pause_s=10.0)
    parts = [part for _, part in nulls(found)]
    np.testing.assert_allclose(parts, [(2, 6), (18, 22)], atol=1e-6)
    signals = [read_stream(r.stream("accelerometer")).signal for r in found if found.labels[r.label] == "none"]
    assert [s.shape[1] for s in signals] == [200, 200]


def test_between_two_people_it_is_nobodys_and_named(tmp_path: Path) -> None:
    rows = ["a.csv,1,walk,1,3,,,x", "a.csv,2,run,5,9,,,x", "a.csv,2,run,10,12,,,y", "b.csv,2,run,,,,,x"]
    found = made(tmp_path, rows)
    assert [part for _, part in nulls(found)] == [(0.0, 1.0)]
    assert [p.detail for p in found.problems] == [
        f"{a} s are nobody's: no label between {tmp_path / 'list.csv'}, line {n} and {tmp_path / 'list.csv'}, "
        f"line {n + 1}, of other people or factors"
        for a, n in (("3 to 5", 2), ("9 to 10", 3))
    ]


def test_trials_stay_with_what_is_before(tmp_path: Path) -> None:
    (tmp_path / "list.csv").touch()
    found = made(tmp_path, ["a.csv,1,walk,1,3,,,", "a.csv,1,run,5,9,,,", "b.csv,1,run,3,12,,,"])
    trials = {r.id: r.trial for r in found if "none" in r.id}
    assert trials == {
        "s1_none_ta-0001_a-0001": "a-0001", "s1_none_ta-0001_a-0002": "a-0001", "s1_none_ta-0002_a-0003": "a-0002",
        "s1_none_tb_b-0001": "b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a.csv,1,walk,,,,,", "b.csv,1,run,,,,,"], "null_class does nothing: no row of the table has start and end"),
        (["a.csv,1,walk,1,4,,,", "a.csv,1,run,3,5,,,"], "line 3: the interval overlaps with that of .*line 2"),
        (["a.csv,1,walk,1,4,,,", "a.csv,1,run,,,,,"], "line 3: no start and end, beside other intervals"),
    ],
)
def test_what_leaves_nothing_to_it_or_contradicts_is_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        made(tmp_path, rows)
