"""Ctrl-C and TERM on real processes, at random times: one line, exit code 130 or 143, soon."""

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from tests.conftest import REPOSITORY
from vskd.cli import entry
from vskd.cli.exits import INTERRUPTED, TERMINATED, Stop, Terminated

STOPS = [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)]
SOON_S = 4.0
"""The promise is two seconds, on a machine that has nothing else to do."""
HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A suite that runs in the background of a shell, as some CI does, hands an ignored SIGINT down to its children."""
READY = HEARING + "import sys; from vskd.cli import entry; entry.install(); print('ready', flush=True); entry.main()"


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Those of this process, put back."""
    before, hook = {number: signal.getsignal(number) for number, _ in STOPS}, sys.unraisablehook
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    sys.unraisablehook = hook


def stopped(words: list[str], after_s: float, number: signal.Signals) -> tuple[int, str, float]:
    """Exit code, stderr, and how long it took to end after the signal."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", READY, *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after_s)
        process.send_signal(number)
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
def test_stopped_at_a_random_time(windows: Path, synthetic_root: Path, tmp_path: Path, command: str) -> None:
    data, out = ["--data", str(synthetic_root)], ["--out", str(tmp_path / "out")]
    words = {
        "gaf": ["preprocess", "gaf", str(windows), "--engine", "torch", *out],
        "frames": ["preprocess", "frames", "synthetic", "--stream", "rgb", *data, *out],
        "teach": ["teach", "--recipe", "demo", *data, *out],
        "index": ["datasets", "index", "synthetic", *data],
    }[command]
    generator = random.Random(command)
    for longest, (number, stop) in zip((0.3, 2.5), generator.sample(STOPS, 2), strict=True):
        code, err, seconds = stopped(words, generator.uniform(0, longest), number)
        if code == 0:
            continue
        said = [line for line in err.splitlines() if line]  # click may end the line in which a terminal shows ^C
        assert (code, said) == (stop.code, [stop.text])
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


QUIET = """
import time
from vskd.cli import entry
entry.install()
from vskd.bundle.native_output import quiet_native_output
with quiet_native_output():
    print("ready", flush=True)
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
"""
"""A model that is being converted."""


@pytest.mark.parametrize(
    ("program", "number", "stop"),
    [(STUBBORN, *STOPS[0]), (SWALLOWING, *STOPS[1]), (QUIET, *STOPS[0]), (QUIET, *STOPS[1])],
)
def test_code_that_does_not_listen_is_ended(program: str, number: signal.Signals, stop: Stop) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HEARING + program]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(number)
        started = time.monotonic()
        _, err = process.communicate(timeout=60)
    assert process.returncode == stop.code
    assert err.decode("utf-8").splitlines() == [stop.text]
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


@pytest.mark.parametrize("number", [number for number, _ in STOPS])
def test_what_the_caller_has_ignored_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    entry.install()
    assert signal.getsignal(number) is signal.SIG_IGN


@pytest.mark.parametrize(
    ("code", "left"), [(130, [(INTERRUPTED, True)]), (143, [(TERMINATED, True)]), (0, []), (2, [])]
)
def test_a_command_that_was_stopped_leaves_at_once_and_others_by_their_code(
    monkeypatch: pytest.MonkeyPatch, code: int, left: list[tuple[Stop, bool]]
) -> None:
    """Where the exception passed through `eval`, Python would end itself by the signal, not with 130."""
    found: list[tuple[Stop, bool]] = []
    monkeypatch.setattr("vskd.cli.main.run", lambda: code)
    monkeypatch.setattr(entry, "_leave", lambda stop, said=False: found.append((stop, said)))
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert all(signal.getsignal(number) is signal.SIG_IGN for number, _ in STOPS)  # the work is done
    assert (caught.value.code, found) == (code, left)


@pytest.mark.parametrize(("error", "passed"), [(KeyboardInterrupt, 0), (ValueError, 1)])
def test_only_ctrl_c_in_code_that_cannot_pass_it_on_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], passed: int
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "__unraisablehook__", told.append)
    entry._unraisable(SimpleNamespace(exc_type=error))  # type: ignore[arg-type]
    assert len(told) == passed


@pytest.mark.parametrize(("number", "stop"), STOPS)
def test_within_an_import_it_ends_at_once_and_elsewhere_raises(
    number: signal.Signals, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a timer that ends what does not listen; a second signal does not wait for it."""
    left: list[Stop] = []
    timers: list[tuple[object, ...]] = []

    class Timer:
        daemon = False

        def __init__(self, *told: object) -> None:
            self.told = told

        def start(self) -> None:
            timers.append((self.daemon, *self.told))

    def leave(by: Stop) -> None:
        left.append(by)
        raise SystemExit

    monkeypatch.setattr(entry, "_leave", leave)
    monkeypatch.setattr(entry.threading, "Timer", Timer)
    monkeypatch.setattr(entry, "is_importing", lambda frame: True)
    with pytest.raises(SystemExit):
        entry._stopped(number, None)
    assert (left, timers) == ([stop], [])
    monkeypatch.setattr(entry, "is_importing", lambda frame: False)
    with pytest.raises(KeyboardInterrupt) as caught:
        entry._stopped(number, None)
    assert isinstance(caught.value, Terminated) == (stop is TERMINATED)
    assert timers == [(True, entry.PATIENCE_S, leave, [stop])] and left == [stop]
    again = signal.getsignal(number)
    assert callable(again)
    with pytest.raises(SystemExit):
        again(number, None)
    assert left == [stop, stop]


def test_signs_that_a_terminal_lacks_do_not_end_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr("vskd.cli.main.run", lambda: [print("zwölf"), print("zwölf", file=sys.stderr), 0][-1])
    with pytest.raises(SystemExit):
        entry.main()
    for stream in (out, err):
        stream.flush()
        assert stream.buffer.getvalue() == b"zw\\xf6lf\n"  # type: ignore[attr-defined]


def test_the_handlers_are_set_where_nobody_has_others() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    entry.install()
    assert all(signal.getsignal(number) is entry._stopped for number, _ in STOPS)
    assert sys.unraisablehook is entry._unraisable


@pytest.mark.parametrize(("number", "stop"), STOPS)
def test_a_command_to_whom_nobody_listens_is_ended_too(number: signal.Signals, stop: Stop) -> None:
    """The terminal is gone: what it wrote to is closed."""
    command = [sys.executable, "-c", HEARING + STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.stderr.close()
        process.send_signal(number)
        try:
            assert process.wait(timeout=30) == stop.code
        finally:
            process.kill()
