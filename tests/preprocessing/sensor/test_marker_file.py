"""Tables of points over time: which columns are points, and which tables are none."""

from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.joints import read_joints
from vskd.preprocessing.sensor.marker_file import count_points, read_points


def test_motion_capture_without_a_header(tmp_path: Path) -> None:
    """Two columns behind the points are the frame's number and time."""
    path = tmp_path / "moc_s01_a01_r01.txt"
    path.write_text("1 2 3 4 5 6 0 1300000000.1\n7 8 9 10 11 12 1 1300000000.2\n")
    expected = [[[1, 7], [2, 8], [3, 9]], [[4, 10], [5, 11], [6, 12]]]
    np.testing.assert_array_equal(read_points(path), expected)
    assert count_points(path) == 2


@pytest.mark.parametrize("first", ["time,", "Frame,", ""])
def test_points_with_a_header(tmp_path: Path, first: str) -> None:
    path = tmp_path / "skl_s01_a01_r01_pos.csv"
    cell = "0.5," if first else ""
    path.write_text(f"{first}Hips.x,Hips.y,Hips.z\n{cell}1,2,3\n{cell}4,5,6\n")
    np.testing.assert_array_equal(read_points(path), [[[1, 4], [2, 5], [3, 6]]])


@pytest.mark.parametrize("content", ["1 2 3 4\n5 6 7 8\n", "time,a.x,a.y\n0,1,2\n1,1,2\n"])
def test_tables_that_are_no_points_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "moc_s01_a01_r01.txt"
    path.write_text(content)
    with pytest.raises(DataError, match="columns are not x, y and z of points"):
        read_joints(path)


def test_points_are_counted_by_the_first_lines_alone(tmp_path: Path) -> None:
    path = tmp_path / "moc.txt"
    path.write_text("1 2 3 4 5 6 0 1300000000.1\n" * 5000 + "broken\n")
    assert path.stat().st_size > 65536 and count_points(path) == 2
    with pytest.raises(DataError, match="data row 5001"):
        read_points(path)


@pytest.mark.parametrize(
    ("head", "fine"),
    [("frame,a.x,a.y,a.z", True), ("a.X,a.Y,a.Z", True), ("index,a.x,a.y,a.z", False), ("a.x,a.z,a.y", False)],
)
def test_the_axes_of_a_header_are_x_y_and_z(tmp_path: Path, head: str, fine: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f"{head}\n" + ",".join("7" * (head.count(",") + 1)) + "\n" + ",".join("8888"[: head.count(",") + 1])
    )
    if fine:
        assert (read_points(path).shape, read_points(path).dtype) == ((1, 3, 2), np.float32)
    else:
        with pytest.raises(DataError, match=r"a\.csv: its \d columns are not x, y and z of points"):
            count_points(path)


def test_a_table_of_number_and_time_alone_has_no_points(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("0 1300000000.1\n1 1300000000.2\n")
    with pytest.raises(DataError, match="its 2 columns are not x, y and z of points"):
        read_points(path)
