"""Delimited text of every usual kind: one table; and what cannot be told is refused by name."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.delimited import Table, parse_delimited, read_delimited

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


def test_a_column_without_a_name_is_not_named(tmp_path: Path) -> None:
    found = table(tmp_path, lines(","))
    assert not found.names
    bad = replace(found, rows=(*found.rows[:3], ("0", "x", "0", "0")))
    with pytest.raises(DataError, match=r"data row 4 is not all numbers \('x'\)"):
        bad.numbers(1)


def test_empty_cells_are_nan_where_they_may_be(tmp_path: Path) -> None:
    found = table(tmp_path, "x;y\n1;2\n;3\n5;6\n")
    np.testing.assert_array_equal(found.numbers(0, empty=True), [1, np.nan, 5])
    assert found.numbers(1, empty=True).tolist() == [2, 3, 6]
    with pytest.raises(DataError, match=r"data row 2 is not all numbers \('', column 'x'\)"):
        found.numbers(0)


def test_width_cells_and_what_a_table_was_read_from(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("x (m/s²);y\n 1 ;2\n3;4\n".encode("cp1252"))
    found = read_delimited(path)
    assert (found.path, found.width, found.separator, found.encoding) == (path, 2, "semicolon", "cp1252")
    assert found.cells(0) == ["1", "3"] and found.units == ("m/s²", "")
    assert Table(path, (), ("a", "b", "c")).width == 3


@pytest.mark.parametrize(("separator", "width"), [("", 2), ("semicolon", 2), ("comma", 3), ("tab", 1)])
def test_the_separator_that_is_told_is_taken(tmp_path: Path, separator: str, width: int) -> None:
    path = written(tmp_path, "1,5;2,5\n3,5;4,5\n")
    if separator == "tab":
        with pytest.raises(DataError, match="holds no row of numbers"):
            read_delimited(path, separator)
    else:
        assert read_delimited(path, separator).width == width


@pytest.mark.parametrize(("lines", "header"), [(1, True), (2, True), (3, True), (4, False)])
def test_up_to_three_lines_of_names_and_units(tmp_path: Path, lines: int, header: bool) -> None:
    head = ("x,y", "g,g", "left,right", "up,down")[:lines]
    found = table(tmp_path, "\n".join(head) + "\n" + "1,2\n3,4\n" * 6)
    assert found.names == ("x", "y") and found.units == (("g", "g") if lines > 1 else ("", ""))
    assert len(found.rows) == (12 if header else 13)


def test_units_below_the_names_are_those_of_their_columns(tmp_path: Path) -> None:
    found = table(tmp_path, "t,x,y\ns,(g),[deg/s]\n0,1,2\n1,3,4\n")
    assert found.units == ("", "g", "deg/s") and found.names == ("t", "x", "y")
    assert table(tmp_path, "x [g],y\nmg,mg\n1,2\n3,4\n").units == ("g", "mg")


@pytest.mark.parametrize(
    ("remarks", "names"),
    [
        ("# columns: x, y, z\n# made by hand\n", ("x", "y", "z")),
        ("# made by hand\n# x;y;z\n", ("x", "y", "z")),
        ("# x,y,z\n", ("x", "y", "z")),
        ("# x;y;z\n# made by hand\n", ()),
        ("# x;y\n", ()),
        ("# x;y;3\n", ()),
    ],
)
def test_names_that_stand_in_a_remark(tmp_path: Path, remarks: str, names: tuple[str, ...]) -> None:
    assert table(tmp_path, remarks + "1;2;3\n4;5;6\n").names == names
    assert table(tmp_path, remarks + "a;b;c\n1;2;3\n4;5;6\n").names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("rate", "rate_hz"),
        ("sampling_frequency", "rate_hz"),
        ("Sample rate (Hz)", "rate_hz"),
        ("freq", "rate_hz"),
        ("fs", "rate_hz"),
        ("ODR", "rate_hz"),
        ("units", "unit"),
        ("accelerometer unit", "unit"),
        ("gyro_unit", "unit"),
        ("stream", "sensor"),
        ("Signal type", "sensor"),
        ("axes", "columns"),
        ("header", "columns"),
        ("heart rate", None),
        ("temperature unit", None),
    ],
)
def test_what_remarks_are_about(tmp_path: Path, key: str, known: str | None) -> None:
    assert table(tmp_path, f"# {key} = 7 8\n1,2\n3,4\n").declared == ({known: "7 8"} if known else {})
    twice = f"# {key}: 50\n# {key}: 50\n1,2\n3,4\n"
    assert table(tmp_path, twice).declared == ({known: "50"} if known else {})


def test_of_equally_many_rows_the_longer_ones_are_the_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data row 3 has 2 cells, expected 3 \(separated by comma\)"):
        table(tmp_path, "1,2,3\n4,5,6\n7,8\n9,10\n")


def test_the_separator_is_found_by_the_last_lines(tmp_path: Path) -> None:
    """The first 300 lines of a log are of another kind, and are no rows of it."""
    with pytest.raises(DataError, match="data row 1 has 1 cells, expected 2"):
        table(tmp_path, "7\n" * 300 + "1;2\n" * 400)
    found = table(tmp_path, "a|b|c\n" * 300 + "x;y\n" + "1;2\n" * 400)
    assert (found.separator, found.names, len(found.rows)) == ("semicolon", ("x", "y"), 400)


def test_a_line_of_names_that_is_repeated_is_left_out_with_its_units(tmp_path: Path) -> None:
    text = "x,y\ng,g\n" + "1,2\n" * 5
    found = table(tmp_path, text + text)
    assert (found.names, found.units, len(found.rows)) == (("x", "y"), ("g", "g"), 10)


def test_a_name_for_each_column_is_asked_for_with_a_hint_where_commas_separate(tmp_path: Path) -> None:
    for mark, hint in ((",", True), (";", False)):
        text = f"x{mark}y{mark}z\n" + f"1{mark}2\n" * 9
        with pytest.raises(DataError, match=r"the line of names has 3 cells \(x, y, z\)") as caught:
            table(tmp_path, text)
        assert ("decimal comma" in caught.value.action) == hint


WRISTBAND = "1583020800.00, 1583020800.00, 1583020800.00\n32.000000, 32.000000, 32.000000\n"


@pytest.mark.parametrize("names", ["", "x,y,z\n"])
def test_start_and_rate_of_a_wristband_are_no_samples(tmp_path: Path, names: str) -> None:
    table = parse_delimited(tmp_path / "ACC.csv", f"{names}{WRISTBAND}-2,11,63\n-3,12,62\n")
    assert table.declared == {"start": "1583020800.00", "rate_hz": "32", "unit": "1/64 g"}
    assert table.wristband_rows == 2 and table.numbers(0).tolist() == [-2.0, -3.0]


def test_a_wristband_s_other_sensors_have_no_unit_of_acceleration(tmp_path: Path) -> None:
    table = parse_delimited(tmp_path / "TEMP.csv", "1583020800.00\n4.000000\n31.5\n31.6\n")
    assert table.declared == {"start": "1583020800.00", "rate_hz": "4"}
    assert table.numbers(0).tolist() == [31.5, 31.6]


@pytest.mark.parametrize(
    "rows",
    [
        "1583020800,1583020800,1583020801\n32,32,32\n",  # a clock, and no start
        "1583020800,1583020800,1583020800\n32,32,31\n",
        "15830,15830,15830\n32,32,32\n",
        "1583020800,1583020800,1583020800\n1583020801,1583020801,1583020801\n",
        "1583020800,1583020800,1583020800\n0,0,0\n",
    ],
)
def test_other_first_rows_are_samples(tmp_path: Path, rows: str) -> None:
    table = parse_delimited(tmp_path / "a.csv", f"{rows}1,2,3\n")
    assert table.declared == {} and table.wristband_rows == 0 and len(table.rows) == 3
