"""SHA-256 of data files: read again only where nothing could have changed without showing.

A hash is remembered with the state of its file: device, inode, size, time of last change of the content and of the
inode. The last one (`ctime`) is the kernel's own: whoever edits a file, keeps its size and sets its time back has
changed it. Two edits within one tick of the clock could still look alike, so a file is remembered only once it is older
than `SETTLED_NS`; a younger one is read again each time, as Git does with its index ("racy Git"). What remains hidden
is an edit by other means than the operating system's, e.g. of the bare disk, or on a file system that keeps no change
time (FAT, some network disks): delete the table there.
"""

import contextlib
import errno
import json
import struct
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vskd.files import sha256_file, write_text

SETTLED_NS = 2_000_000_000
"""Coarsest clock of a file system in use: FAT counts in two seconds."""
THREADS = 8
BATCH = 256
"""Files that wait for a thread; each of them is remembered by a record as large as all else that is known of it."""
TRIES = 3
TABLE = "file-hashes.json"
UNREADABLE = ""
DIGEST_BYTES = 32

State = tuple[int, int, int, int, int]
"""Device, inode, size in bytes, mtime and ctime in nanoseconds."""

_ROW = struct.Struct(f"=QQqqq{DIGEST_BYTES}s")
_known: dict[str, bytes] = {}
"""What this process knows, by absolute path: state and hash, packed to a quarter of their size; settled files only."""


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, 64 hex digits.

    Raises:
        OSError: it cannot be read, or changes all the time.
    """
    name = str(path.absolute())
    for _ in range(TRIES):
        began, state = time.time_ns(), _state(name)
        known = _known.get(name)
        if known is not None and _unpacked(known)[0] == state:
            return _unpacked(known)[1]
        digest = sha256_file(path)
        if _state(name) == state:
            if began - max(state[3:]) > SETTLED_NS:
                _known[name] = _packed(state, digest)
            return digest
    raise OSError(errno.EAGAIN, "the file changes while it is read", name)


def file_hashes(paths: Iterable[Path], folder: Path | None = None) -> dict[Path, str]:
    """SHA-256 of each of some files, several at a time.

    Args:
        paths: files; repeats are read once.
        folder: where hashes are kept for the next process, in `TABLE`; they are not kept by default.

    Returns:
        By path; `UNREADABLE` for one that cannot be read, which is for its reader to report.

    Raises:
        WriteError: the table cannot be written.
    """
    different = list(dict.fromkeys(paths))
    table = None if folder is None else folder / TABLE
    before = {} if table is None else _read(table)
    _known.update({name: row for name, row in before.items() if name not in _known})
    found = _remembered(different)
    unknown = [path for path in different if path not in found]
    with ThreadPoolExecutor(THREADS) as pool:  # the library hashes outside the interpreter's lock
        for start in range(0, len(unknown), BATCH):
            batch = unknown[start : start + BATCH]
            found.update(zip(batch, pool.map(_hash_or_nothing, batch), strict=True))
    if table is not None:
        names = (str(path.absolute()) for path in different)
        now = before | {name: _known[name] for name in names if name in _known}
        if now != before:
            _write(table, now)
    return {path: found[path] for path in different}


def _remembered(paths: Iterable[Path]) -> dict[Path, str]:
    """The hashes of those files that are known and did not change."""
    found = {}
    for path in paths:
        name = str(path.absolute())
        if name in _known:
            with contextlib.suppress(OSError):
                state, digest = _unpacked(_known[name])
                if _state(name) == state:
                    found[path] = digest
    return found


def _hash_or_nothing(path: Path) -> str:
    try:
        return file_hash(path)
    except OSError:
        return UNREADABLE


def _state(name: str) -> State:
    stat = Path(name).stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _packed(state: State, digest: str) -> bytes:
    return _ROW.pack(*state, bytes.fromhex(digest))


def _unpacked(row: bytes) -> tuple[State, str]:
    device, inode, size, mtime, ctime, digest = _ROW.unpack(row)
    return (device, inode, size, mtime, ctime), digest.hex()


def _read(table: Path) -> dict[str, bytes]:
    """The rows of a table; none of one that is not there or is damaged, which then is made anew."""
    try:
        content = json.loads(table.read_text(encoding="utf-8"))
        return {str(name): _packed(_as_state(row[:5]), _as_digest(row[5])) for name, row in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, IndexError, struct.error):
        return {}


def _as_state(row: Iterable[object]) -> State:
    device, inode, size, mtime, ctime = (int(str(value)) for value in row)
    return device, inode, size, mtime, ctime


def _as_digest(value: object) -> str:
    if len(bytes.fromhex(str(value))) != DIGEST_BYTES:
        raise ValueError(f"{value} is no SHA-256")
    return str(value)


def _write(table: Path, rows: Mapping[str, bytes]) -> None:
    found = ((name, *_unpacked(row)) for name, row in sorted(rows.items()))
    lines = [f"{json.dumps(name)}: {json.dumps([*state, digest])}" for name, state, digest in found]
    write_text(table, "{\n" + ",\n".join(lines) + "\n}\n")
