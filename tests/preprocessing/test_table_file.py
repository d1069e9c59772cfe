from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.preprocessing.table_file import read_rows


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_by_column(tmp_path: Path, separator: str) -> None:
    (tmp_path / "t.csv").write_text(
        separator.join(["File ", "Label"]) + "\n" + separator.join([" a.csv", "walk "]) + "\n"
    )
    assert read_rows(tmp_path / "t.csv") == [{"file": "a.csv", "label": "walk"}]


def test_what_is_missing_or_uneven_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n1\n")
    with pytest.raises(DataError, match=r"t\.csv, line 3: more or fewer cells"):
        read_rows(tmp_path / "t.csv")
    with pytest.raises(DataError, match="no such file"):
        read_rows(tmp_path / "u.csv")
    (tmp_path / "e.csv").write_text("")
    assert read_rows(tmp_path / "e.csv") == []


def test_the_separator_is_that_of_the_header(tmp_path: Path) -> None:
    """Decimal commas below do not count; of equally many the comma is taken."""
    (tmp_path / "t.csv").write_text("file;start\n1,5;2,5,7,9\n")
    assert read_rows(tmp_path / "t.csv") == [{"file": "1,5", "start": "2,5,7,9"}]
    (tmp_path / "t.csv").write_text("a,b;c\n1,2;3\n")
    assert read_rows(tmp_path / "t.csv") == [{"a": "1", "b;c": "2;3"}]
    (tmp_path / "t.csv").write_bytes("Name;Größe\nä;1\n".encode("cp1252"))
    assert read_rows(tmp_path / "t.csv") == [{"name": "ä", "größe": "1"}]


def test_rows_with_more_cells_are_refused_and_quotes_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n"1,5", 2 \n')
    assert read_rows(tmp_path / "t.csv") == [{"a": "1,5", "b": "2"}]
    (tmp_path / "t.csv").write_text("a,b\n1,2,3\n")
    with pytest.raises(DataError, match=r"t\.csv, line 2: more or fewer cells"):
        read_rows(tmp_path / "t.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["a|1", "", "b|2"], "line 3: blank"),
        (["a|1", "|", " | "], "line 3, 4: blank"),
        (["", "a|1"], "line 2: blank"),
        (["a|1", "b|2", "a | 1", "b|3", "b|2"], "line 2, 3, 4, 6: the same row more than once"),
        (["a|1"] * 9, "line 2, 3, 4, 5, 6, 7 and 3 more: the same row"),
        (["a|1", "b", "c|2|3"], "line 3, 4: more or fewer cells"),
    ],
)
def test_rows_that_say_nothing_new_or_do_not_fit_are_named_by_line(
    tmp_path: Path, separator: str, rows: list[str], told: str
) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["file|label", *rows, ""]).replace("|", separator))
    with pytest.raises(DataError, match=told):
        read_rows(tmp_path / "t.csv")


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n  \r\n"])
def test_blank_lines_at_the_end_are_nothing(tmp_path: Path, end: str) -> None:
    """Of a tab-separated row the last cell may be empty."""
    (tmp_path / "t.csv").write_bytes(b"a\tb\n1\t2\n3\t" + end.encode())
    assert read_rows(tmp_path / "t.csv") == [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]


@pytest.mark.parametrize("line", ['b,"two\nlines"', 'b,"never closed\nc,3', '"b\nc",2', 'b,"2'])
def test_a_cell_that_goes_on_in_the_next_line_is_refused(tmp_path: Path, line: str) -> None:
    """Its lines were put together to one name, `twolines`, which somebody else may have."""
    (tmp_path / "t.csv").write_text(f"file,label\na,1\n{line}\nd,4\n")
    with pytest.raises(DataError, match=r"t\.csv, line 3: a quotation mark is not closed there"):
        read_rows(tmp_path / "t.csv")
