"""Ctrl-C on real processes, at random times: one line, exit code 130, soon."""

import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from tests.conftest import REPOSITORY
from vskd.cli import entry

SOON_S = 4.0
"""The promise is two seconds, on a machine that has nothing else to do."""
HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A suite that runs in the background of a shell, as some CI does, hands an ignored SIGINT down to its children."""
READY = HEARING + "import sys; from vskd.cli import entry; entry.install(); print('ready', flush=True); entry.main()"


def interrupted(words: list[str], after_s: float) -> tuple[int, str, float]:
    """Exit code, stderr, and how long it took to end after SIGINT."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", READY, *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, err = process.communicate(timeout=60)
    return process.returncode, err.decode("utf-8"), time.monotonic() - started


@pytest.fixture(scope="module")
def windows(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from vskd.cli.main import run

    store = tmp_path_factory.mktemp("windows") / "windows.h5"
    assert run(["preprocess", "windows", "synthetic", "--data", str(synthetic_root), "--out", str(store)]) == 0
    return store


@pytest.mark.parametrize("command", ["gaf", "frames", "teach", "index"])
def test_ctrl_c_at_a_random_time(windows: Path, synthetic_root: Path, tmp_path: Path, command: str) -> None:
    data, out = ["--data", str(synthetic_root)], ["--out", str(tmp_path / "out")]
    words = {
        "gaf": ["preprocess", "gaf", str(windows), "--engine", "torch", *out],
        "frames": ["preprocess", "frames", "synthetic", "--stream", "rgb", *data, *out],
        "teach": ["teach", "--recipe", "demo", *data, *out],
        "index": ["datasets", "index", "synthetic", *data],
    }[command]
    generator = random.Random(command)
    for longest in (0.3, 2.5):
        code, err, seconds = interrupted(words, generator.uniform(0, longest))
        if code == 0:
            continue
        said = [line for line in err.splitlines() if line]  # click may end the line in which a terminal shows ^C
        assert (code, said) == (entry.EXIT_INTERRUPTED, [entry.STOPPED])
        assert seconds < SOON_S


STUBBORN = """
import time
from vskd.cli import entry
entry.install()
print("ready", flush=True)
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
SWALLOWING = """
import time
from vskd.cli import entry
entry.install()
print("ready", flush=True)
class Slow:
    def __del__(self):
        time.sleep(60)
Slow()
time.sleep(60)
"""


@pytest.mark.parametrize("program", [STUBBORN, SWALLOWING])
def test_code_that_does_not_listen_is_ended(program: str) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HEARING + program]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, err = process.communicate(timeout=60)
    assert process.returncode == entry.EXIT_INTERRUPTED
    assert err.decode("utf-8").splitlines() == [entry.STOPPED]
    assert entry.PATIENCE_S * 0.9 < time.monotonic() - started < entry.PATIENCE_S + SOON_S


def test_an_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asks.py").write_text("import sys\nFRAME = sys._getframe()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import asks  # type: ignore[import-not-found]

    frame: FrameType = asks.FRAME
    assert entry.is_importing(frame)


def test_what_is_no_import_is_not_taken_for_one() -> None:
    code = "import sys; from vskd.cli.entry import is_importing; print(is_importing(sys._getframe()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=REPOSITORY)
    assert done.stdout == b"False\n"


def test_ctrl_c_that_the_caller_has_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        entry.install()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("code", "left"), [(entry.EXIT_INTERRUPTED, [True]), (0, []), (2, [])])
def test_a_command_that_was_stopped_leaves_at_once_and_others_by_their_code(
    monkeypatch: pytest.MonkeyPatch, code: int, left: list[bool]
) -> None:
    """Where the exception passed through `eval`, Python would end itself by the signal, not with 130."""
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    found: list[bool] = []
    monkeypatch.setattr("vskd.cli.main.run", lambda: code)
    monkeypatch.setattr(entry, "_leave", lambda said=False: found.append(said))
    try:
        with pytest.raises(SystemExit) as caught:
            entry.main()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # the work is done
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook
    assert (caught.value.code, found) == (code, left)


@pytest.mark.parametrize(("error", "passed"), [(KeyboardInterrupt, 0), (ValueError, 1)])
def test_only_ctrl_c_in_code_that_cannot_pass_it_on_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], passed: int
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "__unraisablehook__", told.append)
    entry._unraisable(SimpleNamespace(exc_type=error))  # type: ignore[arg-type]
    assert len(told) == passed


def test_ctrl_c_within_an_import_ends_at_once_and_elsewhere_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a timer that ends what does not listen; a second Ctrl-C does not wait for it."""
    left: list[str] = []
    timers: list[tuple[float, bool, object]] = []

    class Timer:
        daemon = False

        def __init__(self, seconds: float, function: object) -> None:
            self.told = seconds, function

        def start(self) -> None:
            timers.append((self.told[0], self.daemon, self.told[1]))

    def leave() -> None:
        left.append("left")
        raise SystemExit

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(entry, "_leave", leave)
    monkeypatch.setattr(entry.threading, "Timer", Timer)
    try:
        monkeypatch.setattr(entry, "is_importing", lambda frame: True)
        with pytest.raises(SystemExit):
            entry._interrupted(signal.SIGINT, None)
        assert (left, timers) == (["left"], [])
        monkeypatch.setattr(entry, "is_importing", lambda frame: False)
        with pytest.raises(KeyboardInterrupt):
            entry._interrupted(signal.SIGINT, None)
        assert timers == [(entry.PATIENCE_S, True, leave)] and left == ["left"]
        again = signal.getsignal(signal.SIGINT)
        assert callable(again)
        with pytest.raises(SystemExit):
            again(signal.SIGINT, None)
        assert left == ["left", "left"]
    finally:
        signal.signal(signal.SIGINT, before)


def test_signs_that_a_terminal_lacks_do_not_end_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr("vskd.cli.main.run", lambda: [print("zwölf"), print("zwölf", file=sys.stderr), 0][-1])
    try:
        with pytest.raises(SystemExit):
            entry.main()
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook
    for stream in (out, err):
        stream.flush()
        assert stream.buffer.getvalue() == b"zw\\xf6lf\n"  # type: ignore[attr-defined]


def test_the_handler_is_set_where_nobody_has_another() -> None:
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        entry.install()
        assert signal.getsignal(signal.SIGINT) is entry._interrupted and sys.unraisablehook is entry._unraisable
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook
