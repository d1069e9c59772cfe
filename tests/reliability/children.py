"""Work in a child process that may crash, hang or be killed: forked, so that it starts in milliseconds."""

import os
import pickle
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TIMEOUT_S = 600.0
"""Long: on a busy machine a command that takes ten seconds may take minutes."""


class Ended(NamedTuple):
    """How a child ended: its answer (None if it was killed), its exit code or minus the signal, and seconds."""

    answer: Any
    code: int
    seconds: float


def in_child(work: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> Ended:
    """Run `work` in a forked child, and give back what it returned. What hangs is killed, with code -14."""
    started = time.monotonic()
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        _work(work, write)
    os.close(write)
    content, hung = _content(read, started + timeout_s), False
    if content is None:
        os.kill(child, signal.SIGKILL)
        hung = True
    os.close(read)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    answer = pickle.loads(content) if content else None  # noqa: S301 - of our own child
    return Ended(answer, -signal.SIGALRM if hung else status, time.monotonic() - started)


def _work(work: Callable[[], Any], write: int) -> None:
    code = 1
    try:
        answer = pickle.dumps(work())
        while answer:
            answer = answer[os.write(write, answer) :]
        code = 0
    finally:
        os._exit(code)  # nothing of the parent's (fixtures, buffers) is undone or written here


def _content(read: int, deadline: float) -> bytes | None:
    """All that the child writes; None where it has not ended in time."""
    content = b""
    while True:
        if not select.select([read], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        block = os.read(read, 1 << 16)
        if not block:
            return content
        content += block


def said(words: list[str], folder: Path) -> tuple[int, str]:
    """Run `vskd WORDS` in a folder, in this process: exit code, and what it wrote to stderr."""
    from vskd.cli.main import run

    os.chdir(folder)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stderr:
        os.dup2(stderr.fileno(), 2)
        os.dup2(stderr.fileno(), 1)
        sys.stderr = sys.stdout = os.fdopen(2, "w", closefd=False)
        code = run(words)
        sys.stderr.flush()
        stderr.seek(0)
        return code, stderr.read()
