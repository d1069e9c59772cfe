"""`sync.csv`: what is written is read again, and what is wrong is named with its line."""

from pathlib import Path

import pytest

from vskd.datasets.sync.table import SyncRow, read_sync, write_sync
from vskd.errors import DataError

ROWS = (
    SyncRow("a", "accelerometer", "rgb", 0.5, 0.0, 2.5, 4.0, 3.0),
    SyncRow("b", "accelerometer", "rgb", -0.25, 500_000.0, 3.0, 4.0, 3.0, "median of 5 of subject 1"),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_sync(tmp_path / "sync.csv", ROWS)
    assert read_sync(tmp_path / "sync.csv") == ROWS


def test_what_both_cover_in_seconds_of_the_video() -> None:
    assert ROWS[0].covered == (0.0, 3.0)  # the sensor began earlier and ends 0.5 s later
    assert ROWS[1].covered == pytest.approx((0.25 / 1.5, 4.25 / 1.5))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a,accelerometer,rgb,x,0,2,4,3,own", "line 2, offset_s: 'x' is no number"),
        ("a,accelerometer,rgb,nan,0,2,4,3,own", "line 2, offset_s: 'nan' is not finite"),
        ("a,accelerometer,rgb,0,0,2,4,,", "line 2: video_s, by is missing"),
        ("a,accelerometer,rgb,0,0,2,4", "line 2: more or fewer cells than its header has"),
        ("a,accelerometer,rgb,0,0,2,4,3,own,more", "line 2: more or fewer cells than its header has"),
        ("\na,accelerometer,rgb,x,0,2,4,3,own", "line 2: blank"),
        ("a,accelerometer,rgb,9,0,2,4,3,own", "line 2: by these figures sensor and video have no moment in common"),
        ("a,accelerometer,rgb,0,-2000000,2,4,3,own", "line 2: by these figures"),
        ("a,s,v,0,0,2,4,3,own\na,s,v,1,0,2,4,3,own", "line 3: a and s stand there twice"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "sync.csv"
    path.write_text(f"recording,sensor,video,offset_s,drift_ppm,confidence,sensor_s,video_s,by\n{line}\n")
    with pytest.raises(DataError, match=told):
        read_sync(path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "sync.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match=r"sync\.csv: not a readable text file"):
        read_sync(tmp_path / "sync.csv")


def test_a_scale_of_nothing_and_a_moment_of_no_length_are_refused(tmp_path: Path) -> None:
    """Limits: -1,000,000 ppm, and a video that begins in the moment in which the sensor ends."""
    head = "recording,sensor,video,offset_s,drift_ppm,confidence,sensor_s,video_s,by\n"
    for offset, ppm, fits in ((0, -999_999, True), (0, -1_000_000, False), (3.99, 0, True), (4, 0, False)):
        (tmp_path / "sync.csv").write_text(f"{head}a,s,v,{offset},{ppm},2,4,3,own\n")
        if fits:
            assert read_sync(tmp_path / "sync.csv")[0].offset_s == offset
        else:
            with pytest.raises(DataError, match="no moment in common"):
                read_sync(tmp_path / "sync.csv")


def test_how_it_is_written_and_what_else_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sync.csv"
    write_sync(path, [SyncRow("a", "s", "v", 1.23456, 12.345, 2.345, 4.00004, 3.12345)])
    head = "recording,sensor,video,offset_s,drift_ppm,confidence,sensor_s,video_s,by\n"
    assert path.read_bytes().decode() == f"{head}a,s,v,1.2346,12.3,2.35,4.0000,3.1235,own\n"
    path.write_text(f"\ufeff{head}a, s ,v,1,0,2,4,3, own\nb,s,v,1,0,2,4,3,own\na,t,v,1,0,2,4,3,own\n", encoding="utf-8")
    assert [(row.recording, row.sensor, row.by) for row in read_sync(path)] == [
        ("a", "s", "own"), ("b", "s", "own"), ("a", "t", "own"),
    ]  # fmt: skip
    for separator, encoding in ((";", "cp1252"), ("\t", "utf-16")):  # as spreadsheets of other languages save it
        path.write_text(f"{head}ü,s,v,1,0,2,4,3,own\n".replace(",", separator), encoding=encoding)
        assert [(row.recording, row.offset_s) for row in read_sync(path)] == [("ü", 1.0)]
    path.write_text(head)
    assert read_sync(path) == ()
    with pytest.raises(DataError, match=r"absent\.csv: no such file"):
        read_sync(tmp_path / "absent.csv")


def test_a_cell_that_goes_on_in_the_next_line_is_refused(tmp_path: Path) -> None:
    head = "recording,sensor,video,offset_s,drift_ppm,confidence,sensor_s,video_s,by\n"
    (tmp_path / "sync.csv").write_text(f'{head}"a\nb",s,v,0,0,2,4,3,own\n')
    with pytest.raises(DataError, match=r"sync\.csv, line 2: a quotation mark is not closed there"):
        read_sync(tmp_path / "sync.csv")
