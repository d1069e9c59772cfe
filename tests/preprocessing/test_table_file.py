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
    with pytest.raises(DataError, match=r"t\.csv: has rows with more or fewer cells"):
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
    with pytest.raises(DataError, match=r"t\.csv: has rows with more or fewer cells"):
        read_rows(tmp_path / "t.csv")
