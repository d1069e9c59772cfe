"""Encodings that devices and spreadsheets write, and those that are refused by name."""

from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.text_file import read_text

TEXT = "t;x (m/s²)\n0;1\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    assert read_text(tmp_path / "a.csv") == (TEXT, encoding)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (TEXT.encode("utf-16-le") * 20, "UTF-16 without its mark"),
        ("время;x\n".encode("cp1251"), "encoding is not"),
        (b"1,2,3\n\x00\x01\x02", "encoding is not"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.csv: not a readable .*{told}.*UTF-8"):
        read_text(tmp_path / "a.csv")


def test_zeros_far_from_the_beginning_do_not_make_it_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1,2\n" * 100 + bytes(60))
    with pytest.raises(DataError, match=r"Windows-1252[.:;]? ?(Save|$|\n)") as caught:
        read_text(tmp_path / "a.csv")
    assert "looks like" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv: no such file"):
        read_text(tmp_path / "a.csv")
