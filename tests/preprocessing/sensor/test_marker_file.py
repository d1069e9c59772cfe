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
