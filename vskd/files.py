"""Atomic file writing and content hashes: no half-written file is ever visible under its final name."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vskd.errors import VskdError


class WriteError(VskdError):
    """A file could not be written; nothing was left behind."""


def _write_error(path: Path, error: OSError) -> WriteError:
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


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it on any failure.

    The temporary name keeps the suffix of `path`, because some writers choose the format by it.

    Raises:
        WriteError: the folder cannot be created or written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and error.filename not in (None, str(temporary), str(path.parent)):
            raise  # a missing *input* inside the with-block is not a problem of writing
        raise _write_error(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it replaces `path` on success and is removed on any failure.

    Raises:
        WriteError: the folder cannot be created or written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        yield temporary
        temporary.chmod(0o755)
        old = path.with_name(f".{path.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            path.replace(old)
        temporary.replace(path)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 `content` to `path` atomically."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with sorted keys, atomically. NaN is refused: JSON has none."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, streamed, as 64 hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_json(content: Any) -> str:
    """SHA-256 of the canonical JSON of `content`: the same for equal content, whatever the key order."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
