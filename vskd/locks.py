"""One process at a time writes a run folder, a store or a world: a lock that says who holds it and dies with him."""

import contextlib
import datetime
import fcntl
import json
import logging
import multiprocessing
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vskd.errors import VskdError
from vskd.files import is_at, write_error

logger = logging.getLogger(__name__)

LOCK = ".lock"
"""Name of a folder's lock."""


class LockedError(VskdError):
    """Another process writes there now."""


def lock_of(path: Path) -> Path:
    """The lock of a file that is to be made: it lies beside it."""
    return path.with_name(f".{path.name}{LOCK}")


@contextlib.contextmanager
def only_writer(lock: Path, what: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock. The operating system frees it when the process ends, in whatever way: a dead one never blocks.

    Args:
        lock: a file, made here and deleted at the end, as is its folder where that was made here and stays empty.
        what: is locked, for messages.
        wait: until the other process has ended, rather than to refuse.

    Raises:
        LockedError: another process holds it; says which one, where, and since when.
        WriteError: the folder cannot be written.
    """
    made = not lock.parent.exists()
    handle = _hold(lock, what, wait=wait)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()  # while it is held: who opened it meanwhile sees that it is no longer at its place
        os.close(handle)
        if made:
            with contextlib.suppress(OSError):
                lock.parent.rmdir()


def _hold(lock: Path, what: Path, *, wait: bool) -> int:
    while True:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:  # who held it before has just removed the folder
            continue
        except OSError as error:
            raise write_error(what, error) from error
        try:
            _take(handle, lock, what, wait=wait)
            if is_at(handle, lock):
                _sign(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _take(handle: int, lock: Path, what: Path, *, wait: bool) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        signature = _signature(lock)
        holder = _holder(signature)
        if not wait:
            raise LockedError(
                f"{what} is being written by {holder}", "Wait until that has ended, or choose another folder with --out"
            ) from error
        level = logging.INFO if _of_one_command(signature) else logging.WARNING
        logger.log(level, "waiting for %s, which is writing %s", holder, what)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        logger.warning("%s cannot be locked (%s): let no second process write there", what, error.strerror)


def _sign(handle: int) -> None:
    since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    mine = {"pid": os.getpid(), "parent": os.getppid(), "host": socket.gethostname(), "since": since}
    content = json.dumps(mine)
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a signature
        os.ftruncate(handle, 0)
        os.pwrite(handle, content.encode(), 0)


def _signature(lock: Path) -> dict[str, Any]:
    """Who signed a lock; nothing where he has not signed yet, or is gone."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(lock.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _holder(signature: Mapping[str, Any]) -> str:
    """Who it is, in words."""
    try:
        return f"process {signature['pid']} on {signature['host']}, since {signature['since']}"
    except KeyError:
        return "another process"


def _of_one_command(signature: Mapping[str, Any]) -> bool:
    """Whether this process and the one that signed are workers of one command: then that one waits is expected."""
    caller = multiprocessing.parent_process()
    return caller is not None and (signature.get("parent"), signature.get("host")) == (caller.pid, socket.gethostname())
