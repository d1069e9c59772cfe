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
