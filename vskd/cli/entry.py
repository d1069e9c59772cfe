"""The console script `vskd`: Ctrl-C is one line and exit code 130, whatever the program does at that moment.

Python turns Ctrl-C into an exception, which is not safe everywhere: within an import it leaves half-made modules, and
native code may swallow it or abort. So the handler stands before anything heavy is imported. Within an import it ends
the process at once, for nothing is at stake there that a kill would not endanger too; elsewhere it raises
KeyboardInterrupt, so that half-written files are removed, and ends a process that has not done so in time.
"""

import io
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from vskd.cli.exits import EXIT_INTERRUPTED, STOPPED

PATIENCE_S = 1.5
"""From Ctrl-C to the end of the process."""


def main() -> None:
    """Run one command of the command line."""
    install()
    from vskd.cli.main import run

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A sign that the terminal's encoding lacks, or a file name in another one, must not end the command.
            stream.reconfigure(errors="backslashreplace")
    code = run()
    if code == EXIT_INTERRUPTED:  # Python would kill itself by the signal where the exception passed through `eval`
        _leave(said=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done
    sys.exit(code)


def install() -> None:
    """Set the handler of Ctrl-C, unless the caller had it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
        sys.unraisablehook = _unraisable


def _interrupted(_: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, lambda *_: _leave())  # who presses it again is in a hurry
    if is_importing(frame):
        _leave()
    last = threading.Timer(PATIENCE_S, _leave)
    last.daemon = True
    last.start()
    raise KeyboardInterrupt


def is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported where `frame` stands."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _leave(said: bool = False) -> NoReturn:
    """End the process at once."""
    if not said:
        os.write(2, f"{STOPPED}\n".encode())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, RuntimeError):  # nobody listens any more, or it was being written to
            continue
    os._exit(EXIT_INTERRUPTED)


def _unraisable(problem: "sys.UnraisableHookArgs") -> None:
    """Say nothing of a Ctrl-C that met code which cannot pass it on: the time that is left to it runs."""
    if not issubclass(problem.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(problem)
