"""The files that a store is built from: one per finished recording, each complete or absent.

HDF5 does not survive a full disk: it raises when a file is closed, and may crash the process afterwards. So a part is
made in memory and written by Python, and the room for the final file is reserved before HDF5 writes it.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from vskd.errors import DataError
from vskd.files import sha256_file, write_bytes
from vskd.preprocessing.stores.checksum import DAMAGE, checked, seal


def source_hash(path: Path) -> str:
    """SHA-256 of a source file.

    Raises:
        DataError: it cannot be read.
    """
    stat = path.stat()
    return _hash_of_version(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)  # all images of a GAF store come from one file
def _hash_of_version(path: Path, size: int, mtime_ns: int) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})", "Check the file and its permissions") from error


def write_part(part: Path, source: Path, write: Callable[[h5py.File], None]) -> str:
    """Let `write` fill the dataset `data`, and store it as `part`; return the hash of the source.

    Raises:
        DataError: from `write`, or the source cannot be read.
        WriteError: `part` cannot be written; nothing is left of it.
    """
    sha256 = source_hash(source) if source.is_file() else ""
    with h5py.File(part.name, "w", driver="core", backing_store=False, libver="latest") as file:
        write(file)
        file["data"].attrs["source_sha256"] = np.bytes_(sha256)
        seal(file["data"])
        file.flush()
        content = file.id.get_file_image()
    write_bytes(part, content, durable=False)  # it is checked before it is used
    return sha256


def hash_of_part(part: Path) -> str:
    """Hash of the source of a finished recording; empty if there is none, or it was damaged (e.g. by a power loss)."""
    with contextlib.suppress(*DAMAGE), h5py.File(part, "r", locking=False) as file:
        checked(file["data"])
        return bytes(file["data"].attrs["source_sha256"]).decode()
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
