"""Read what a file's first bytes say about it: enough to list a data set without decoding it.

At most a few hundred bytes of each file are read, or the index of an .mp4, so that listing a thousand recordings takes
about a second even where a recording is tens of megabytes. Only the standard library is used, but for the frame rate of
videos other than .avi and .mp4.
"""

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.folders import require_regular
from vskd.preprocessing.video.container import check_boxes, check_riff, refuse_truncated, states_its_end
from vskd.preprocessing.video.stated_rate import stated_rate

_MI_COMPRESSED, _MI_MATRIX = 15, 14
_NUMERIC_CLASSES = {6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4, 14: 8, 15: 8}  # mxDOUBLE..mxUINT64 -> bytes
_WITH_HEADER = (".avi", ".mp4")
"""Videos whose names say their container, so that another one is refused."""
_AGAIN = "Copy or download the file again, or remove it"
_ACCESS = "Check the path and its permissions"


@dataclass(frozen=True)
class MatArray:
    """What a .mat file says about one of its arrays, before any sample is decoded."""

    shape: tuple[int, ...]
    numeric: bool


def peek_mat(path: Path) -> dict[str, MatArray]:
    """Names, shapes and kinds of the arrays in a MATLAB 5 file (`save -v6` or `-v7`), from its headers alone.

    Source: "MAT-File Format", The MathWorks (level 5 MAT-files).

    Raises:
        DataError: the file cannot be read, is no MATLAB 5 file, is truncated, or is damaged.
    """
    try:
        require_regular(path)
        with path.open("rb") as handle:
            return _read_mat(handle, path, os.fstat(handle.fileno()).st_size)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}", _ACCESS) from error
    except (struct.error, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged: its array headers make no sense ({error})", _AGAIN) from error


def _read_mat(handle: BinaryIO, path: Path, size: int) -> dict[str, MatArray]:
    header = handle.read(128)
    if header.startswith(b"MATLAB 7.3") or header.startswith(b"\x89HDF"):
        raise DataError(f"{path} is a MATLAB 7.3 file", "Save it again in MATLAB with the option -v7")
    if not header:
        raise DataError(f"{path} is empty (0 bytes)", _AGAIN)
    if len(header) < 128 or header[126:128] not in (b"IM", b"MI"):
        raise DataError(f"{path} is no MATLAB 5 file, or is cut off within its first 128 bytes", _AGAIN)
    order = "<" if header[126:128] == b"IM" else ">"
    arrays: dict[str, MatArray] = {}
    position = 128
    while position < size:
        handle.seek(position)
        kind, length = struct.unpack(f"{order}II", handle.read(8))
        end = position + 8 + length
        if end > size:
            refuse_truncated(path, size, end)
        start = handle.read(min(length, 2048))
        if kind == _MI_COMPRESSED:
            start = zlib.decompressobj().decompress(start, 2048)
            (kind,), start = struct.unpack_from(f"{order}I", start), start[8:]
        if kind == _MI_MATRIX:
            name, array = _array_header(start, order)
            arrays[name] = array
        position = end
    return arrays


def _array_header(content: bytes, order: str) -> tuple[str, MatArray]:
    """Parse flags, dimensions and name, the first three parts of a matrix element."""
    flags, position = _element(content, 0, order)
    dimensions, position = _element(content, position, order)
    name, _ = _element(content, position, order)
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    (kind,) = struct.unpack_from(f"{order}I", flags)
    return name.decode("ascii"), MatArray(shape, kind & 0xFF in _NUMERIC_CLASSES)


def _element(content: bytes, position: int, order: str) -> tuple[bytes, int]:
    """Payload of the data element at `position`, and where the next one starts (elements are padded to 8 bytes)."""
    kind, length = struct.unpack_from(f"{order}II", content, position)
    if kind >> 16:  # small data element: its length sits in the upper half of the type word, its payload in the tag
        length = kind >> 16
        return content[position + 4 : position + 4 + length], position + 8
    return content[position + 8 : position + 8 + length], position + 8 + (length + 7) // 8 * 8


def check_mat_array(path: Path, variable: str, shape: tuple[int | None, ...]) -> None:
    """Check that a .mat file holds the numeric array `variable` of the given shape; `None` is any length above 0.

    Raises:
        DataError: the file is unreadable, lacks the array, or the array has another shape or no samples.
    """
    arrays = peek_mat(path)
    if variable not in arrays:
        have = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(f"{path} has no array '{variable}' (it has: {have})", f"Put the samples into '{variable}'")
    array = arrays[variable]
    wanted = " x ".join("T" if n is None else str(n) for n in shape)
    got = " x ".join(map(str, array.shape))
    if not array.numeric:
        raise DataError(f"{path}: '{variable}' is not numeric", f"Store it as a {wanted} array of numbers")
    if 0 in array.shape:
        raise DataError(f"{path}: '{variable}' holds no samples ({got})", "Remove the recording, or record it again")
    if len(array.shape) != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape, strict=True)):
        raise DataError(f"{path}: '{variable}' is {got} and should be {wanted}", f"Store it as a {wanted} array")


def check_video(path: Path) -> float | None:
    """Check the container of an .mp4 or .avi file from its headers; no frame is decoded.

    Returns:
        Frames per second where the header holds it, else None.

    Raises:
        DataError: the file cannot be read, is empty, truncated, or of another format than its name says.
    """
    try:
        require_regular(path)
        with path.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            if size == 0:
                raise DataError(f"{path} is empty (0 bytes)", _AGAIN)
            check = _check_avi if path.suffix.lower() == ".avi" else _check_mp4
            check(handle, path, size)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}", _ACCESS) from error
    return stated_rate(path)


def look_at_video(path: Path) -> float:
    """Check the container of a video of any format from its header, and read its rate; no frame is decoded.

    Returns:
        Frames per second as the file says; 0.0 where it does not. What only a decoder can tell is left to it: of
        formats other than .avi and .mp4, the rate is 0.0 where PyAV is not installed or cannot read the file.

    Raises:
        DataError: as `check_video`.
    """
    if path.suffix.lower() not in _WITH_HEADER:
        _check_other(path)
    elif rate := check_video(path):
        return rate
    from vskd.preprocessing.video.probe import probe_video  # numpy, which listing data sets can do without

    try:
        return probe_video(path).rate_hz
    except (MissingExtraError, DataError):
        return 0.0


def _check_other(path: Path) -> None:
    try:
        require_regular(path)
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}", _ACCESS) from error
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes)", _AGAIN)
    states_its_end(path)


def _check_mp4(handle: BinaryIO, path: Path, size: int) -> None:
    if size >= 8 and handle.read(8)[4:] not in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        raise DataError(f"{path} is no MP4 video", _AGAIN)
    check_boxes(handle, path, size)


def _check_avi(handle: BinaryIO, path: Path, size: int) -> None:
    header = handle.read(12)
    if header[:4] != b"RIFF" or header[8:12] != b"AVI ":
        raise DataError(f"{path} is no AVI video", _AGAIN)
    check_riff(handle, path, size)
