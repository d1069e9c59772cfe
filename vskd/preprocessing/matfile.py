"""Reading one numeric array of a MATLAB 5 file; whatever is broken in such a file is one error.

Source: "MAT-File Format", The MathWorks (level 5 MAT-files). Not read by scipy, whose compiled reader can crash the
whole process on a damaged file.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError

_MI_MATRIX, _MI_COMPRESSED = 14, 15
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Type of a data element -> numpy's name of it. MATLAB stores numbers in the smallest type that holds them."""
_NUMERIC_CLASSES = range(6, 16)
"""mxDOUBLE_CLASS to mxUINT64_CLASS."""
_OTHER_CLASSES = {
    1: "a cell array",
    2: "a struct",
    3: "an object",
    4: "text",
    5: "a sparse matrix",
    16: "a function handle",
    17: "an object (a table or string, for instance)",
}
_COMPLEX = 0x0800
_HEADER_BYTES = 2048
"""Enough for flags, dimensions and name of an array."""
_COPY_AGAIN = "The file is truncated or damaged; copy it again from the original data set"


@dataclass(frozen=True)
class _Array:
    """One array of a file: its header, what it is if no real numbers, and where its numbers begin in `content`."""

    name: str
    shape: tuple[int, ...]
    problem: str
    content: bytes
    position: int
    order: str


class _DamageError(Exception):
    """The file contradicts itself."""


def mat_shape(path: Path, variable: str = "") -> tuple[int, ...]:
    """Shape of the array `variable` (or of the only array) of a .mat file, from its header alone.

    Raises:
        DataError: the file is missing, damaged, or has no such variable.
    """
    return _find(path, variable, header_only=True).shape


def read_mat(path: Path, variable: str = "") -> NDArray[Any]:
    """The numeric array `variable` (or the only array) of a .mat file, in the shape and type it is stored in.

    MATLAB stores whole numbers in the smallest type that holds them: depth in mm arrives as uint16.

    Raises:
        DataError: the file is missing, damaged, has no such variable, or the variable is not real numbers.
    """
    array = _find(path, variable, header_only=False)
    if array.problem:
        raise DataError(
            f"{path}: variable '{array.name}' is {array.problem}, not a numeric array",
            "Name the variable that holds the numbers, or save them as a matrix of their own",
        )
    try:
        return _numbers(array)
    except (_DamageError, struct.error, MemoryError) as error:
        raise DataError(f"{path}: not a readable .mat file ({error})", _COPY_AGAIN) from error


def read_mat_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of real numbers of a .mat file by name; text, structs and other things beside them are left out.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        return {name: _numbers(array) for name, array in _all(path, header_only=False).items() if not array.problem}
    except (_DamageError, struct.error, MemoryError) as error:
        raise DataError(f"{path}: not a readable .mat file ({error})", _COPY_AGAIN) from error


def _all(path: Path, *, header_only: bool) -> dict[str, _Array]:
    """The arrays of a file by name."""
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the data folder, or complete the download")
    try:
        return {array.name: array for array in _arrays(path, header_only)}
    except (_DamageError, struct.error, zlib.error, UnicodeDecodeError, OSError, MemoryError) as error:
        raise DataError(f"{path}: not a readable .mat file ({error})", _COPY_AGAIN) from error


def _find(path: Path, variable: str, *, header_only: bool) -> _Array:
    arrays = _all(path, header_only=header_only)
    if variable in arrays:
        return arrays[variable]
    if not variable and len(arrays) == 1:
        return next(iter(arrays.values()))
    have = ", ".join(arrays) or "no variables"
    if not variable:
        raise DataError(f"{path}: holds several arrays ({have})", "Name the variable to read")
    raise DataError(
        f"{path}: has no variable '{variable}' (it has: {have})",
        "Check that this is the right kind of file, or name the variable that holds the stream",
    )


def _arrays(path: Path, header_only: bool) -> Iterator[_Array]:
    """The arrays of a file, one after the other; compressed ones are unpacked."""
    content = path.read_bytes()
    if content.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise DataError(
            f"{path}: a MATLAB v7.3 file (HDF5), which is not supported", "Save it again in MATLAB with the option -v7"
        )
    if _is_version_4(content):
        raise DataError(
            f"{path}: a MATLAB v4 file, which is not supported", "Save it again in MATLAB with the option -v7"
        )
    if len(content) < 128 or content[126:128] not in (b"IM", b"MI"):
        raise _DamageError("no MATLAB 5 file, or cut off in its first 128 bytes")
    order = "<" if content[126:128] == b"IM" else ">"
    position = 128
    while position < len(content):
        kind, length = struct.unpack_from(f"{order}II", content, position)
        end = position + 8 + length
        if end > len(content):
            raise _DamageError(f"truncated: it has {len(content)} bytes and says it needs {end}")
        element = content[position + 8 : end]
        if kind == _MI_COMPRESSED:
            element = _unpacked(element, header_only)
            kind, length = struct.unpack_from(f"{order}II", element)
            element = element[8:]
        if kind == _MI_MATRIX:
            yield _parse_header(element, order)
        position = end


def _is_version_4(content: bytes) -> bool:
    """Whether the file begins as a level 4 MAT-file: type MOPT, rows, columns, 0 or 1, length of the name."""
    for order in "<>":
        if len(content) >= 20:
            kind, rows, columns, imaginary, name = struct.unpack_from(f"{order}5i", content)
            digits = kind // 1000 in (0, 1) and kind // 100 % 10 == 0 and kind // 10 % 10 <= 5 and kind % 10 <= 2
            if digits and kind >= 0 and min(rows, columns) >= 0 and imaginary in (0, 1) and 1 < name <= 64:
                return content[20 : 20 + name].rstrip(b"\0").isalnum() or b"_" in content[20 : 20 + name]
    return False


def _unpacked(element: bytes, header_only: bool) -> bytes:
    unpacker = zlib.decompressobj()
    if header_only:
        return unpacker.decompress(element, _HEADER_BYTES)
    result = unpacker.decompress(element)
    if not unpacker.eof:
        raise _DamageError("a compressed array breaks off")
    return result


def _parse_header(content: bytes, order: str) -> _Array:
    _, flags, position = _element(content, 0, order)
    _, dimensions, position = _element(content, position, order)
    _, name, position = _element(content, position, order)
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    word = struct.unpack_from(f"{order}I", flags)[0]
    kind = word & 0xFF
    problem = "" if kind in _NUMERIC_CLASSES else _OTHER_CLASSES.get(kind, f"of unknown class {kind}")
    if not problem and word & _COMPLEX:
        problem = "of complex numbers"
    if len(shape) < 2 or min(shape) < 0:
        raise _DamageError(f"an array of shape {shape}")
    return _Array(name.decode("ascii"), shape, problem, content, position, order)


def _element(content: bytes, position: int, order: str) -> tuple[int, bytes, int]:
    """Type and payload of the data element at `position`, and where the next one begins; they are padded to 8 bytes."""
    kind, length = struct.unpack_from(f"{order}II", content, position)
    if kind >> 16:  # a small one: its length is the upper half of the type's word, its payload the second word
        kind, length, start, after = kind & 0xFFFF, kind >> 16, position + 4, position + 8
        if length > 4:
            raise _DamageError(f"a small element of {length} bytes")
    else:
        start, after = position + 8, position + 8 + (length + 7) // 8 * 8
    payload = content[start : start + length]
    if len(payload) < length:
        raise _DamageError(f"an element of {length} bytes, of which {len(payload)} are there")
    return kind, payload, after


def _numbers(array: _Array) -> NDArray[Any]:
    if math.prod(array.shape) == 0:
        return np.zeros(array.shape)
    kind, payload, _ = _element(array.content, array.position, array.order)
    if kind not in _STORED:
        raise _DamageError(f"numbers of unknown type {kind}")
    stored = np.dtype(array.order + _STORED[kind])
    if len(payload) != math.prod(array.shape) * stored.itemsize:
        raise _DamageError(f"{len(payload)} bytes for an array of shape {array.shape}")
    values = np.frombuffer(payload, dtype=stored).reshape(array.shape, order="F")
    return values.astype(stored.newbyteorder("="))
