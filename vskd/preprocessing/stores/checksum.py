"""CRC-32 of what an HDF5 file holds, beside it: every read compares, and takes no damaged sample for a whole one.

HDF5's own Fletcher-32 guards a chunk, but not the tables that say where chunks lie, and finds a chunk of zeros right.
"""

import zlib
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

NAME = "crc32"
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What h5py raises on the inside of a damaged file."""
Sums = npt.NDArray[np.uint32]


def crc32(*arrays: npt.NDArray[Any]) -> int:
    """CRC-32 of the bytes of some arrays, one after another."""
    found = 0
    for array in arrays:
        found = zlib.crc32(np.ascontiguousarray(array).data, found)
    return found


def by_rows(data: h5py.Dataset) -> bool:
    """Whether a dataset is stored, and may be read, row by row."""
    return bool(data.chunks) and data.chunks[0] == 1


def seal(data: h5py.Dataset, content: npt.NDArray[Any] | None = None) -> None:
    """Store the checksum of each row beside a dataset, or of the whole where it is not stored by rows.

    Args:
        data: takes it.
        content: what was read from it; None reads it.
    """
    content = data[()] if content is None else content
    rows = content if by_rows(data) else (content,)
    data.attrs[NAME] = np.array([crc32(row) for row in rows], dtype=np.uint32)


def checked(data: h5py.Dataset) -> npt.NDArray[np.generic]:
    """The whole content of a sealed dataset.

    Raises:
        OSError: it is not what was sealed.
        KeyError: it was not sealed.
    """
    content: npt.NDArray[np.generic] = np.asarray(data[()])
    check(content if by_rows(data) else content[np.newaxis], data.attrs[NAME], data.name)
    return content


def check(rows: npt.NDArray[np.generic], sums: Sums, name: str) -> None:
    """Compare rows with their checksums.

    Raises:
        OSError: some differ, as HDF5 says of its own checksums.
    """
    if len(rows) != len(sums):
        raise OSError(f"{name} has {len(rows)} rows and {len(sums)} checksums")
    wrong = [i for i, row in enumerate(rows) if crc32(row) != sums[i]]
    if wrong:
        raise OSError(f"{name}: the checksum of row {wrong[0]} is wrong")
