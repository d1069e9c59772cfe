"""What a .csv may say about itself."""

from pathlib import Path

import pytest

from vskd.bundle.csv_header import CsvHeader, read_csv_header
from vskd.errors import DataError

AXES = ("x", "y", "z")


def header(tmp_path: Path, text: str, stream: str = "accelerometer", encoding: str = "utf-8") -> CsvHeader:
    path = tmp_path / "recording.csv"
    path.write_text(text, encoding=encoding)
    return read_csv_header(path, AXES, stream)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3\n4,5,6\n", CsvHeader()),
        ("# rate_hz: 50\n# unit: g\n1,2,3\n", CsvHeader(50.0, "g")),
        ("# rate_hz = 25.5\n# a remark\n1,2,3\n", CsvHeader(25.5)),
        ("x,y,z\n1,2,3\n", CsvHeader(columns=(0, 1, 2))),
        ("z,x,y\n1,2,3\n", CsvHeader(columns=(1, 2, 0))),
        ("X [g],Y [g],Z [g]\n1,2,3\n", CsvHeader(None, "g", (0, 1, 2))),
        ("x (m/s^2),y (m/s^2),z (m/s^2)\n1,2,3\n", CsvHeader(None, "m/s^2", (0, 1, 2))),
        ("ax,ay,az,gx,gy,gz\n1,2,3,4,5,6\n", CsvHeader(columns=(0, 1, 2))),
        ("gyro_x,gyro_y,gyro_z,accel_x,accel_y,accel_z\n1,2,3,4,5,6\n", CsvHeader(columns=(3, 4, 5))),
        ("a,b,c\n1,2,3\n", CsvHeader()),
        ("x,x,y,z\n1,2,3,4\n", CsvHeader()),
        ("time_s,x,y,z\n0,1,2,3\n0.02,1,2,3\n0.04,1,2,3\n", CsvHeader(50.0, None, (0, 1, 2))),
        ("# rate_hz: 10\ntime_s,x,y,z\n0,1,2,3\n0.02,1,2,3\n", CsvHeader(10.0, None, (0, 1, 2))),
        ("time,x,y,z\n12:00:01,1,2,3\n12:00:02,1,2,3\n", CsvHeader(None, None, (0, 1, 2))),
        ("timestamp,z,x,y\n0,1,2,3\n20,1,2,3\n40,1,2,3\n", CsvHeader(None, None, (1, 2, 0))),  # milliseconds
        ("x,y,z,time\n1,2,3,0\n1,2,3,0.02\n", CsvHeader(columns=(0, 1, 2))),
        ("", CsvHeader()),
    ],
)
def test_declarations(tmp_path: Path, text: str, expected: CsvHeader):
    found = header(tmp_path, text)
    assert (found.unit, found.columns) == (expected.unit, expected.columns)
    assert found.rate_hz == pytest.approx(expected.rate_hz)


def test_the_same_names_belong_to_the_stream_that_is_asked(tmp_path: Path):
    assert header(tmp_path, "ax,ay,az,gx,gy,gz\n1,2,3,4,5,6\n", stream="gyroscope").columns == (3, 4, 5)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path):
    assert header(tmp_path, "x,y,z\n1,2,3\n", encoding="utf-8-sig").columns == (0, 1, 2)


def test_one_late_sample_does_not_change_the_rate(tmp_path: Path):
    times = [0.02 * n for n in range(50)] + [9.0]
    text = "t,x,y,z\n" + "".join(f"{t},0,0,1\n" for t in times)
    assert header(tmp_path, text).rate_hz == pytest.approx(50.0)


@pytest.mark.parametrize("rate", ["fast", "0", "-50", "nan", "inf"])
def test_a_rate_that_is_no_positive_number_is_refused(tmp_path: Path, rate: str):
    with pytest.raises(DataError, match=r"recording\.csv.*no positive number"):
        header(tmp_path, f"# rate_hz: {rate}\n1,2,3\n")


def test_two_units_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"several units: g, m/s\^2"):
        header(tmp_path, "# unit: m/s^2\nx [g],y [g],z [g]\n1,2,3\n")


def test_unreadable_text_is_one_clear_error(tmp_path: Path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    for name in ("binary.csv", "gone.csv"):
        with pytest.raises(DataError, match=name):
            read_csv_header(tmp_path / name, AXES, "accelerometer")
