"""Atomic file writing and content hashes: no half-written file is ever visible under its final name.

Neither a killed process nor a power loss leaves one, and what a killed process left beside it is swept.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from vskd.errors import VskdError

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}\.(tmp(\.[^.]*)?|old)")
"""What `tempfile` makes of the prefixes and suffixes below."""


class WriteError(VskdError):
    """A file could not be written; nothing was left behind."""


def write_error(path: Path, error: OSError) -> WriteError:
    """What the operating system refused, with what to do about it."""
    actions = {
        errno.ENOSPC: "Free some disk space, or choose another output folder",
        errno.EDQUOT: "Free some disk space, or choose another output folder",
        errno.EACCES: "Choose a folder you may write to, or change its permissions",
        errno.EPERM: "Choose a folder you may write to, or change its permissions",
        errno.EROFS: "Choose a folder on a file system that is not read-only",
        errno.ENOTDIR: "Choose an output path none of whose parents is a file",
        errno.EEXIST: "Choose an output path that is not an existing file",
    }
    action = actions.get(error.errno or 0, "Check the output folder")
    return WriteError(
        f"Cannot write {path}: {error.strerror or error}", f"{action}; earlier results were left untouched"
    )


def refuse_existing(out: Path, what: str) -> None:
    """Keep what stands where a result is to go, and could not be made again by the same command.

    Args:
        out: file or folder to make; an empty folder may be there.
        what: begins the sentence: `a recording`.

    Raises:
        WriteError: something is there.
    """
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise WriteError(f"{out} is there already, and {what} replaces nothing", "Choose another name with --out")


@contextlib.contextmanager
def atomic_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it on any failure.

    The temporary name keeps the suffix of `path`, because some writers choose the format by it. The file is locked
    until it is renamed: what a killed process left is not, and the next one that writes into the folder deletes it.

    Args:
        path: of the file.
        durable: after a power loss there is the file as it was before or as it is now, never an empty or cut one. Costs
            two waits for the disk; for many files that are checked before they are used again, say False.

    Raises:
        WriteError: the folder cannot be created or written, or the disk is full.
    """
    with contextlib.ExitStack() as held:
        temporary: Path | None = None
        try:
            _prepare(path.parent)
            temporary = held.enter_context(_temporary_file(path))
            yield temporary
            temporary.chmod(0o644)
            if durable:
                _sync(temporary)
            temporary.replace(path)
            if durable:
                _sync(path.parent)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and error.filename not in (None, str(temporary), str(path.parent)):
                raise  # a missing *input* inside the with-block is not a problem of writing
            raise write_error(path, error) from error
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it replaces `path` on success and is removed on any failure.

    A folder cannot replace another one in one step. A process that is killed between the two leaves the new folder
    complete under its temporary name, and the next one that writes beside it brings it to its place.

    Raises:
        WriteError: the folder cannot be created or written, or the disk is full.
    """
    with contextlib.ExitStack() as held:
        temporary: Path | None = None
        try:
            _prepare(path.parent)
            temporary = held.enter_context(_temporary_folder(path))
            yield temporary
            temporary.chmod(0o755)
            for content in (*temporary.rglob("*"), temporary):
                _sync(content)
            old = _old(temporary)
            if path.exists():
                path.replace(old)
            temporary.replace(path)
            _sync(path.parent)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise write_error(path, error) from error
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    if not path.exists():
                        _old(temporary).replace(path)
                shutil.rmtree(temporary, ignore_errors=True)


def _prepare(folder: Path) -> None:
    """Make the folder, durably, and free it of what dead processes left there."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for part in missing:
        _sync(part.parent)
    _sweep_once(folder.absolute())


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder to write into, and not to look into
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # some file systems cannot sync a folder
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def _temporary_file(path: Path) -> Iterator[Path]:
    """A new locked file beside `path`."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}", dir=path.parent)
        if _locked_at(handle, Path(name)):
            break
        os.close(handle)  # swept in the moment between its creation and the lock
    try:
        yield Path(name)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """A new locked folder beside `path`."""
    while True:
        name = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(name, os.O_RDONLY)
            if _locked_at(handle, Path(name)):
                break
            os.close(handle)
    try:
        yield Path(name)
    finally:
        os.close(handle)


def _locked_at(handle: int, path: Path) -> bool:
    """Lock an open file, and see whether it is still the one at `path`."""
    with contextlib.suppress(OSError):  # some network disks have no locks; there nothing is swept either
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return is_at(handle, path)


def is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one that `path` names now."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _old(temporary: Path) -> Path:
    """Where the earlier folder stands while `temporary` takes its place."""
    return temporary.with_suffix(".old")


@lru_cache(maxsize=4096)
def _sweep_once(folder: Path) -> None:
    """Sweep a folder at the first file that this process writes there."""
    sweep(folder)


def is_temporary(name: str) -> bool:
    """Whether a file or folder of that name is what a write begins with, and a killed process leaves."""
    return _TEMPORARY.fullmatch(name) is not None


def sweep(folder: Path) -> None:
    """Delete the temporary files and folders that killed processes left in `folder`; those of living ones are locked.

    A folder that was complete, and only not in its place yet, is brought there.
    """
    try:
        with os.scandir(folder) as entries:
            left = [entry.name for entry in entries if is_temporary(entry.name)]
    except OSError:  # not there, or not to be read: then nothing can be written there either
        return
    for name in left:
        with contextlib.suppress(OSError):  # another process sweeps too, or it is somebody else's
            _sweep_one(folder / name)


def _sweep_one(path: Path) -> None:
    if path.suffix == ".old":
        if not path.with_suffix(".tmp").exists():  # the new folder is in its place
            shutil.rmtree(path)
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not path.is_dir():
            path.unlink()
            return
        place = path.with_name(_TEMPORARY.sub(r"\g<name>", path.name))
        if _old(path).exists() and not place.exists():
            path.replace(place)
            shutil.rmtree(_old(path))
        else:
            shutil.rmtree(path)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write `content` to `path` atomically; `durable` as for `atomic_path`."""
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 `content` to `path` atomically."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with sorted keys, atomically. NaN is refused: JSON has none."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Indented JSON with sorted keys; NaN is refused."""
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, streamed, as 64 hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_json(content: Any) -> str:
    """SHA-256 of the canonical JSON of `content`: the same for equal content, whatever the key order."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
