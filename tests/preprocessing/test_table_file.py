from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.preprocessing.table_file import Row, read_rows, read_table

Reader = Callable[[Path], object]
both = pytest.mark.parametrize("read", [read_rows, read_table])


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


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_of_a_table_keep_their_lines(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Path| Label\n"a, b.png"|cat\n\nc.png| dog \nc.png| dog \n'.replace("|", separator))
    assert read_table(path, ("path",)) == [
        Row(2, {"path": "a, b.png", "label": "cat"}),
        Row(4, {"path": "c.png", "label": "dog"}),
        Row(5, {"path": "c.png", "label": "dog"}),
    ]


def test_a_table_lacks_a_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffPath,Label\na.png,cat\n", encoding="utf-8")
    assert read_table(path, ("path", "label"))[0].values == {"path": "a.png", "label": "cat"}
    with pytest.raises(DataError, match=r"a\.csv has no column box, who \(it has: path, label\)") as caught:
        read_table(path, ("path", "box", "who"))
    assert "names of its columns: path, box, who" in caught.value.action
    path.write_text("")
    with pytest.raises(DataError, match=r"has no column path \(it has: nothing\)"):
        read_table(path, ("path",))
    assert read_table(path) == []


@both
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,label\nb.png,dog\na.png\n", "line 3: more or fewer cells"),
        ("path,label\nb.png,dog\na.png,cat,3\n", "line 3: more or fewer cells"),
        ("path,Path,label,label \na,b,c,d\n", "several columns are called 'path', 'label'"),
        ('path,label\na.png,"cat', "line 2: a quotation mark is not closed there"),
        # put together, the lines would be one name, which somebody else may have
        ('path,label\na.png,cat\nb.png,"two\nlines"\n', "line 3: a quotation mark is not closed there"),
        ('path,label\n"b\n.png",cat\n', "line 2: a quotation mark is not closed there"),
        ('path,label\na.png,"cat\n' + "b.png,dog\n" * 20_000, "line 2: a quotation mark is not closed there"),
        ("path\n\xff\x81\n", "its encoding is not UTF-8, UTF-16 or Windows-1252"),
    ],
)
def test_what_may_mean_something_else_is_refused(tmp_path: Path, read: Reader, text: str, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=rf"a\.csv.*{told}"):
        read(path)


@both
def test_a_table_that_is_not_there(tmp_path: Path, read: Reader) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "nowhere.csv")


@both
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_are_read_as_programs_save_them(tmp_path: Path, read: Reader, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("path,driver\nGr\u00f6\u00dfe.png,J\u00f6rg\n".encode(encoding))
    cells = {"path": "Gr\u00f6\u00dfe.png", "driver": "J\u00f6rg"}
    assert read(tmp_path / "a.csv") in ([cells], [Row(2, cells)])
