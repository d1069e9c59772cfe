"""Width and height of a JPEG or PNG file from its first bytes, and boxes: enough to list a data set without decoding.

Only the standard library is used, and a few hundred bytes of each file are read.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from vskd.errors import DataError
from vskd.preprocessing.folders import require_regular

SUFFIXES = (".jpg", ".jpeg", ".png")
"""Endings of the files that count as images; the formats that `read_image` decodes."""

MIN_SIDE = 8
"""Images smaller than this in either direction show nothing and are refused: what is left of a failed download."""

AGAIN = "Copy or download the file again, or remove it"
_ACCESS = "Check the path and its permissions"
_PNG = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers of JPEG hold the size; 0xC4, 0xC8 and 0xCC lie in their range and are something else.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


Box = tuple[float, float, float, float]
"""Corners x1, y1, x2, y2 in pixels."""


class ImageSize(NamedTuple):
    """Pixels of an image as it is stored, before a camera's rotation mark is applied."""

    width: int
    height: int


def is_image_name(path: Path) -> bool:
    """Whether the name ends like that of an image."""
    return path.suffix.lower() in SUFFIXES


def peek_image(path: Path) -> ImageSize:
    """Size of a JPEG or PNG image; no pixel is decoded.

    Source: ITU-T T.81, annex B (JPEG markers); W3C PNG specification, section 11.2.2 (IHDR).

    Raises:
        DataError: the file cannot be read, is empty, is neither JPEG nor PNG, ends within its header, or is smaller
            than `MIN_SIDE` pixels.
    """
    try:
        require_regular(path)
        with path.open("rb") as handle:
            if os.fstat(handle.fileno()).st_size == 0:
                raise DataError(f"{path} is empty (0 bytes)", AGAIN)
            return refuse_tiny(path, _read_size(handle, path))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}", _ACCESS) from error
    except struct.error as error:
        raise DataError(f"{path} is damaged: it ends within its header", AGAIN) from error


def refuse_tiny(path: Path, size: ImageSize) -> ImageSize:
    """Return `size` if there is something to see.

    Raises:
        DataError: a side is shorter than `MIN_SIDE`.
    """
    if min(size) < MIN_SIDE:
        raise DataError(
            f"{path} is {size.width} x {size.height} pixels; an image has at least {MIN_SIDE} x {MIN_SIDE}", AGAIN
        )
    return size


def clipped_box(box: Box, size: ImageSize, path: Path) -> Box:
    """The part of a box that lies within the image.

    Raises:
        DataError: the box has no area, or lies outside the image altogether; `path` is named.
    """
    x1, y1, x2, y2 = box
    if not (x2 > x1 and y2 > y1):
        raise DataError(f"{path}: the box {_numbers(box)} has no area", "Correct the annotation, or remove it")
    inside = (max(x1, 0.0), max(y1, 0.0), min(x2, float(size.width)), min(y2, float(size.height)))
    if not (inside[2] > inside[0] and inside[3] > inside[1]):
        raise DataError(
            f"{path}: the box {_numbers(box)} lies outside the image of {size.width} x {size.height} pixels",
            "Correct the annotation; boxes are in pixels of this file, not of the size it once had",
        )
    return inside


def _numbers(box: Box) -> str:
    return ", ".join(f"{value:g}" for value in box)


def _read_size(handle: BinaryIO, path: Path) -> ImageSize:
    start = handle.read(24)
    if start.startswith(_PNG):
        if start[12:16] != b"IHDR":
            raise DataError(f"{path} is damaged: a PNG file that does not begin with its header", AGAIN)
        return ImageSize(*struct.unpack_from(">II", start, 16))
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg_size(handle, path)
    raise DataError(f"{path} is neither a JPEG nor a PNG image, whatever its name says", "Convert it, or remove it")


def _jpeg_size(handle: BinaryIO, path: Path) -> ImageSize:
    """Walk the markers up to the start of the frame."""
    position = 2
    while True:
        handle.seek(position)
        fill, marker = struct.unpack(">BB", handle.read(2))
        if fill != 0xFF or marker in (0xD9, 0xDA):
            raise DataError(f"{path} is damaged: a JPEG file without the size of its image", AGAIN)
        if marker == 0xFF:  # a filling byte before the marker
            position += 1
        elif marker in _JPEG_BARE:
            position += 2
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", handle.read(7)[3:])
            return ImageSize(width, height)
        else:
            (length,) = struct.unpack(">H", handle.read(2))
            if length < 2:
                raise DataError(f"{path} is damaged: a JPEG marker of {length} bytes", AGAIN)
            position += 2 + length
