"""Delimited text of every usual kind: one table; and what cannot be told is refused by name."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.delimited import Table, read_delimited

VALUES = np.round(np.random.default_rng(0).normal(size=(12, 4)), 3)
NAMES = ("time", "x", "y", "z")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return path


def table(tmp_path: Path, text: str) -> Table:
    return read_delimited(written(tmp_path, text))


def lines(separator: str, comma: bool = False, values: np.ndarray = VALUES) -> str:
    rows = [separator.join(f"{v:.3f}" for v in row) for row in values]
    text = "\n".join(rows) + "\n"
    return text.replace(".", ",") if comma else text


@pytest.mark.parametrize(
    ("separator", "comma", "header", "end"),
    [
        case
        for case in itertools.product(
            [",", ";", "\t", "|", " ", ", ", "; "], [False, True], [False, True], ["\n", "\r\n"]
        )
        if not (case[1] and "," in case[0])
    ],
)
def test_separators_and_decimal_commas(tmp_path: Path, separator: str, comma: bool, header: bool, end: str) -> None:
    text = (separator.join(NAMES) + "\n" if header else "") + lines(separator, comma)
    found = table(tmp_path, text.replace("\n", end))
    assert found.names == (NAMES if header else ())
    np.testing.assert_array_equal(np.column_stack([found.numbers(c) for c in range(4)]), VALUES)


def test_commas_that_are_both_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"4 cells \(time, x, y, z\).*8, separated by comma.*decimal comma"):
        table(tmp_path, ",".join(NAMES) + "\n" + lines(",", comma=True))


def test_quoted_decimal_commas(tmp_path: Path) -> None:
    assert table(tmp_path, 'x,y\n"0,5","-1,25"\n"1,5","2"\n').numbers(1).tolist() == [-1.25, 2.0]


def test_a_point_and_a_comma_in_one_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="decimal comma"):
        table(tmp_path, "x;y\n0,5;1\n0.5;1\n").numbers(0)


@pytest.mark.parametrize("cell", ["1_000", "1.234,5", "0x10", "1e", "--1", ""])
def test_what_is_no_number_names_row_and_column(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=rf"data row 2 is not all numbers \('{cell}', column 'y'\)"):
        table(tmp_path, f"x;y;z\n1;2;3\n1;{cell};3\n1;2;3\n").numbers(1)


def test_text_in_another_column_does_no_harm(tmp_path: Path) -> None:
    found = table(tmp_path, 'label,x\nwalking,1\n"sitting, then up",2\n,3\n')
    assert found.numbers(1).tolist() == [1, 2, 3]
    assert found.is_numeric(1) and not found.is_numeric(0)


@pytest.mark.parametrize(
    "header",
    [
        "x [g],y [g]\n",
        "x (g),y (g)\n",
        "x,y\ng,g\n",
        "x,y\n(g),(g)\n",
        "x_g,y_g\n",
        "# x (g),y (g)\n",
        "sep=,\nx [g],y [g]\n",
    ],
)
def test_names_and_units(tmp_path: Path, header: str) -> None:
    found = table(tmp_path, header + "1,2\n3,4\n")
    assert (found.names, found.units) == (("x", "y"), ("g", "g"))
    assert found.numbers(1).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("remark", "declared"),
    [
        ("# rate_hz: 100 Hz", {"rate_hz": "100 Hz"}),
        ("#rate_hz=50", {"rate_hz": "50"}),
        ("% Sampling rate: 50.0", {"rate_hz": "50.0"}),
        ("// sample_rate = 25 Hz", {"rate_hz": "25 Hz"}),
        ("# unit: m/s^2 (SI)", {"unit": "m/s^2 (SI)"}),
        ("# sensor: gyroscope", {"sensor": "gyroscope"}),
        ("# heart rate: 72", {}),
        ("# a remark", {}),
    ],
)
def test_remarks(tmp_path: Path, remark: str, declared: dict[str, str]) -> None:
    assert table(tmp_path, f"{remark}\n1,2,3\n4,5,6\n").declared == declared


def test_two_remarks_that_disagree_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="declares rate_hz twice: 50 and 100"):
        table(tmp_path, "# rate_hz: 50\n# rate_hz: 100\n1,2\n")


def test_lines_before_the_header_are_left_out(tmp_path: Path) -> None:
    head = "------ Data File Created By ActiGraph ------\nSerial Number: TAS1\nStart Time 10:00:00\n"
    found = table(tmp_path, head + "Timestamp,Accelerometer X,Accelerometer Y\n0,1,2\n0.02,3,4\n")
    assert found.names == ("Timestamp", "Accelerometer X", "Accelerometer Y")
    assert found.numbers(1).tolist() == [1, 3]


def test_a_separator_at_the_end_of_each_line_makes_no_column(tmp_path: Path) -> None:
    assert table(tmp_path, "x,y,\n1,2,\n3,4,\n").names == ("x", "y")
    assert table(tmp_path, "1,2,\n3,4,\n").width == 2


def test_numbers_of_pandas_columns_are_names(tmp_path: Path) -> None:
    found = table(tmp_path, ",0,1,2\n0,5,6,7\n1,8,9,10\n")
    assert found.names == ("", "0", "1", "2")
    assert found.numbers(1).tolist() == [5, 8]


@pytest.mark.parametrize("text", ["", "\n\n", "# remark\n", "x,y,z\n", "a b c\nd e f\n"])
def test_without_numbers(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"a\.csv"):
        table(tmp_path, text)


def test_more_names_than_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line of names has 3 cells"):
        table(tmp_path, "x,y,z\n1,2\n3,4\n5,6\n")


def test_a_row_that_breaks_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data row 3 has 1 cells, expected 2 \(separated by comma\)"):
        table(tmp_path, "x,y\n1,2\n3,4\n5\n")


def test_a_header_that_comes_again_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,x,y\n" + "0,1.5,2\n" * 9 + "t,x,y\n" + "1,2.5,3\n" * 9)
    table = read_delimited(path)
    assert table.names == ("t", "x", "y") and len(table.rows) == 18
    assert table.numbers(1).tolist() == [1.5] * 9 + [2.5] * 9


def test_a_semicolon_that_ends_each_line_of_commas_is_no_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("33,Jogging,49105962326000,-0.7,12.6,0.5;\n" * 9)
    table = read_delimited(path)
    assert table.separator == "comma" and table.width == 6 and table.is_numeric(5)
