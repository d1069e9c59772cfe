"""Encodings that devices and spreadsheets write, and those that are refused by name."""

from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.preprocessing.text_file import TEXT as SUFFIXES
from vskd.preprocessing.text_file import read_text

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


LINES = "".join(f"{n:02d},2\n" for n in range(40))  # five bytes each


@pytest.mark.parametrize(("most", "lines"), [(0, 40), (1, 40), (4, 40), (5, 1), (9, 1), (10, 2), (200, 40), (201, 40)])
def test_the_whole_lines_of_a_beginning(tmp_path: Path, most: int, lines: int) -> None:
    """Less than one line is read as a whole file, which may be one line."""
    (tmp_path / "a.csv").write_bytes(LINES.encode())
    assert read_text(tmp_path / "a.csv", most) == (LINES[: 5 * lines], "utf-8")


def test_files_of_utf_16_are_read_as_a_whole(tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        mark = "\ufeff".encode(encoding)
        (tmp_path / "a.csv").write_bytes(mark + LINES.encode(encoding))
        assert read_text(tmp_path / "a.csv", 60) == (LINES, "utf-16")


@pytest.mark.parametrize(("signs", "known"), [("²³°µ·±⁻–—äöüÄÖÜßéèàçñ"[:6], True), ("þ", False), ("\x7f", True)])
def test_of_windows_encoding_a_few_signs_are_known(tmp_path: Path, signs: str, known: bool) -> None:
    (tmp_path / "a.csv").write_bytes(f"x {signs}\n1\n".encode("cp1252"))
    if known:
        assert read_text(tmp_path / "a.csv")[0] == f"x {signs}\n1\n"
    else:
        with pytest.raises(DataError, match="encoding is not"):
            read_text(tmp_path / "a.csv")


@pytest.mark.parametrize(("zeros", "said"), [(40, False), (41, True)])
def test_more_than_forty_zeros_look_like_utf_16(tmp_path: Path, zeros: int, said: bool) -> None:
    (tmp_path / "a.csv").write_bytes(b"1\n" + bytes(zeros))
    with pytest.raises(DataError, match="encoding is not") as caught:
        read_text(tmp_path / "a.csv")
    assert ("looks like UTF-16" in caught.value.problem) is said


def test_white_space_is_text_and_other_control_characters_are_not(tmp_path: Path) -> None:
    for sign in "\t\r\n\f\v":
        (tmp_path / "a.csv").write_bytes(f"1{sign}2\n".encode())
        assert read_text(tmp_path / "a.csv") == (f"1{sign}2\n", "utf-8")
    for number in (*range(9), *range(14, 32)):
        (tmp_path / "a.csv").write_bytes(b"1" + bytes([number]) + b"2\n")
        with pytest.raises(DataError, match="encoding is not"):
            read_text(tmp_path / "a.csv")


def test_how_names_of_text_files_end() -> None:
    assert {".csv", ".txt", ".tsv", ".dat"} == SUFFIXES


@pytest.mark.parametrize(
    ("mark", "told"), [(b"PK\x03\x04", "an Excel workbook or another ZIP archive"), (b"\x1f\x8b\x08", "packed by gzip")]
)
def test_what_is_packed_is_no_text_whatever_its_name(tmp_path: Path, mark: bytes, told: str) -> None:
    (tmp_path / "a.csv").write_bytes(mark + bytes(range(256)))
    with pytest.raises(DataError, match=rf"a\.csv: not a text file, whatever its name: it is {told}") as caught:
        read_text(tmp_path / "a.csv", 100)
    assert "Unpack it" in caught.value.action
