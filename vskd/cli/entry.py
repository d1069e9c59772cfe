"""The console script `vskd`: Ctrl-C and TERM are one line and exit code 130 or 143, whatever it does at that moment.

Python turns Ctrl-C into an exception, which is not safe everywhere: within an import it leaves half-made modules, and
native code may swallow it or abort. So the handler stands before anything heavy is imported. Within an import it ends
the process at once, for nothing is at stake there that a kill would not endanger too; elsewhere it raises
KeyboardInterrupt, so that half-written files are removed, and ends a process that has not done so in time.
"""

import contextlib
import io
import os
import signal
import sys
import threading
from functools import lru_cache
from types import FrameType
from typing import NoReturn

from vskd.cli.exits import INTERRUPTED, TERMINATED, Stop, Terminated

PATIENCE_S = 1.5
"""From the signal to the end of the process."""


def main() -> None:
    """Run one command of the command line."""
    install()
    from vskd.cli.main import run

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A sign that the terminal's encoding lacks, or a file name in another one, must not end the command.
            stream.reconfigure(errors="backslashreplace")
    code = run()
    for stop in (INTERRUPTED, TERMINATED):
        if code == stop.code:  # Python would kill itself by the signal where the exception passed through `eval`
            _leave(stop, said=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(code)


def install() -> None:
    """Set the handlers of Ctrl-C and TERM, unless the caller had them ignored."""
    _terminal()
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is usual:
            signal.signal(number, _stopped)
            sys.unraisablehook = _unraisable


def _stopped(number: int, frame: FrameType | None) -> None:
    stop, error = (TERMINATED, Terminated) if number == signal.SIGTERM else (INTERRUPTED, KeyboardInterrupt)
    signal.signal(number, lambda *_: _leave(stop))  # who asks again is in a hurry
    if is_importing(frame):
        _leave(stop)
    last = threading.Timer(PATIENCE_S, _leave, [stop])
    last.daemon = True
    last.start()
    raise error


def is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported where `frame` stands."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@lru_cache
def _terminal() -> int:
    """Standard error as it was at the beginning: while a model is converted, that of the process goes elsewhere."""
    try:
        return os.dup(2)
    except OSError:  # closed
        return 2


def _leave(stop: Stop, said: bool = False) -> NoReturn:
    """End the process at once."""
    if not said:
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(_terminal(), f"{stop.text}\n".encode())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, RuntimeError):  # nobody listens any more, or it was being written to
            continue
    os._exit(stop.code)


def _unraisable(problem: "sys.UnraisableHookArgs") -> None:
    """Say nothing of a Ctrl-C that met code which cannot pass it on: the time that is left to it runs."""
    if not issubclass(problem.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(problem)
