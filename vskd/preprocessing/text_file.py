"""A text file of any usual encoding."""

import codecs
from pathlib import Path

from vskd.errors import DataError

TEXT = frozenset({".csv", ".txt", ".tsv", ".dat"})
"""How names of text files of samples end, in small letters."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PACKED = ((b"PK\x03\x04", "an Excel workbook or another ZIP archive"), (b"\x1f\x8b", "packed by gzip"))
_SIGNS = frozenset("²³°µ·±⁻–—äöüÄÖÜßéèàçñ")
"""What may stand in a header in Windows' western encoding; anything else there is another encoding, or no text."""


def read_text(path: Path, most: int = 0) -> tuple[str, str]:
    """The content of a text file, and its encoding: UTF-8, UTF-16 with its mark, or Windows-1252.

    Args:
        path: the file.
        most: bytes to read, cut at the end of a line; 0: all. Files of UTF-16, and of one line, are read as a whole.

    Raises:
        DataError: the file is missing, or is in another encoding or no text.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the path")
    try:
        content = _head(path, most) if most else path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: not a readable text file ({error.strerror or error})", "Check the path") from error
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    for encoding in [marked] if marked else ["utf-8", "cp1252"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_text(text) and (encoding != "cp1252" or {c for c in text if ord(c) > 127} <= _SIGNS):
            return text, encoding
    packed = next((kind for mark, kind in _PACKED if content.startswith(mark)), "")
    if packed:
        raise DataError(
            f"{path}: not a text file, whatever its name: it is {packed}", "Unpack it, or save it as CSV text"
        )
    hint = "; it looks like UTF-16 without its mark" if content[:400].count(0) > 40 else ""
    raise DataError(
        f"{path}: not a readable text file: its encoding is not UTF-8, UTF-16 or Windows-1252{hint}",
        "Save it as UTF-8 text",
    )


def _head(path: Path, most: int) -> bytes:
    """The whole lines within the first `most` bytes."""
    with path.open("rb") as file:
        start = file.read(most)
        lines = start[: start.rfind(b"\n") + 1]
        if len(start) < most or (lines and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))):
            return start if len(start) < most else lines
        return start + file.read()


def _is_text(text: str) -> bool:
    """No control characters but white space."""
    return all(c >= " " or c in "\t\r\n\f\v" for c in text[:100_000])
