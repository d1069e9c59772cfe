"""The files that a store is built from: one per finished recording, each complete or absent.

HDF5 does not survive a full disk: it raises when a file is closed, and may crash the process afterwards. So a part is
made in memory and written by Python, and the room for the final file is reserved before HDF5 writes it.
"""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.files import write_bytes
from vskd.preprocessing.file_hashes import file_hash
from vskd.preprocessing.stores.checksum import DAMAGE, checked, seal

SOURCE, CONTENT = "source_sha256", "content_sha256"
"""Attributes of a stored recording: SHA-256 of its file, and hash of what was decoded from it (see `array_hash`)."""

_GROWTH_BYTES = 1 << 21
"""By which a part grows in memory. By default it is copied for each 64 KiB that come in addition; and the C library
gives memory that was asked for in pieces of less than this back to the system after each part, to take it again."""


def source_hash(path: Path) -> str:
    """SHA-256 of a source file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return file_hash(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})", "Check the file and its permissions") from error


def array_hash(array: npt.NDArray[Any]) -> str:
    """SHA-256 of an array's type, shape and values: equal for equal samples, however their files were written."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    found = hashlib.sha256(f"{little.dtype.str}{little.shape}".encode())
    found.update(little.reshape(-1).view(np.uint8).data)  # a copy of large arrays takes longer than their hash
    return found.hexdigest()


def keep_content(data: h5py.Dataset, decoded: npt.NDArray[Any]) -> None:
    """Store beside a dataset the hash of what was decoded, where that is not what is stored (see `write_part`)."""
    data.attrs[CONTENT] = np.bytes_(array_hash(decoded))


def write_part(part: Path, source: Path, sha256: str, write: Callable[[h5py.File], npt.NDArray[Any] | None]) -> str:
    """Let `write` fill the dataset `data`, and store it as `part`; return the hash of what was decoded.

    Where `write` does not say that, by the attribute `content_sha256`, it is the hash of what is stored.

    Args:
        part: file to write.
        source: what `write` reads.
        sha256: of the source; empty if there is none.
        write: fills the file; may return all that it stored, which is read from the file otherwise.

    Raises:
        DataError: from `write`, or the source has another hash.
        WriteError: `part` cannot be written; nothing is left of it.
    """
    with h5py.File(
        part.name, "w", driver="core", backing_store=False, libver="latest", block_size=_GROWTH_BYTES
    ) as file:
        written = write(file)
        if sha256 and source_hash(source) != sha256:
            raise DataError(f"{source}: is being changed", "Run the command again when it is complete")
        data = file["data"]
        attributes, stored = data.attrs, data[()] if written is None else written
        found = attributes.get(CONTENT)
        content = array_hash(stored) if found is None else bytes(found).decode()
        attributes[SOURCE], attributes[CONTENT] = np.bytes_(sha256), np.bytes_(content)
        seal(data, stored)
        file.flush()
        image = file.id.get_file_image()
    write_bytes(part, image, durable=False)  # it is checked before it is used
    return content


def content_of_part(part: Path) -> str:
    """Hash of what a finished recording was decoded to; empty if there is none, or it was damaged (by a power loss)."""
    with contextlib.suppress(*DAMAGE), h5py.File(part, "r", locking=False) as file:
        checked(file["data"])
        return bytes(file["data"].attrs[CONTENT]).decode()
    return ""


@contextlib.contextmanager
def writing_hdf5(path: Path, expected_bytes: int) -> Iterator[h5py.File]:
    """Open a new HDF5 file of about `expected_bytes` for writing; every failure to write is an OSError.

    Raises:
        OSError: there is no room for it.
    """
    _check_room(path, expected_bytes)
    # The latest format has checksums in its own tables. HDF5's lock would meet that of `atomic_path`.
    file = h5py.File(path, "w", libver="latest", locking=False)
    try:
        yield file
    finally:
        try:
            file.close()
        except RuntimeError as error:  # what h5py raises when the last bytes cannot be written
            raise OSError(errno.ENOSPC, f"the file cannot be completed ({error})") from error


def _check_room(path: Path, size: int) -> None:
    """Allocate `size` bytes under `path`, and free them again."""
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, max(1, size))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # not every file system can tell
                raise
