"""The child process in which a bundle's model is run for the first time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.bundle import contained
from vskd.bundle.bundle import verify_bundle
from vskd.errors import BundleError

Interpreter = Callable[[str], None]


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Interpreter:
    """Let a shell script stand in the place of the child's Python."""

    def replace(script: str) -> None:
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setattr(contained.sys, "executable", str(program))

    return replace


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -SEGV $$", "crashed the interpreter (SIGSEGV)"),
        ("kill -ABRT $$", "crashed the interpreter (SIGABRT)"),
        ("kill -KILL $$", "crashed the interpreter (SIGKILL)"),
        ("exec sleep 60", "does not end within 0.5 s"),
        ("echo 'ImportError: x' >&2; exit 1", "stopped the interpreter (ImportError: x)"),
        ("printf 'caf\\351' >&2; exit 1", "stopped the interpreter (caf\ufffd)"),
        ("exit 0", "stopped the interpreter (exit code 0)"),
        ("echo '[1]'", "stopped the interpreter"),
    ],
)
def test_however_the_child_ends_it_is_one_refusal(instead: Interpreter, tmp_path: Path, script: str, said: str) -> None:
    instead(script)
    with pytest.raises(BundleError) as caught:
        contained.replay_contained(tmp_path / "bundle", "0" * 64, time_limit_s=0.5)
    assert f"{tmp_path / 'bundle' / 'model.tflite'}: it {said}" in str(caught.value)
    assert "Do not use this bundle" in str(caught.value)


def test_ctrl_c_in_the_child_is_one_here(instead: Interpreter, tmp_path: Path) -> None:
    instead("kill -INT $$")
    # A suite in the background of a shell ignores SIGINT, and so would its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            contained.replay_contained(tmp_path, "0" * 64)
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_the_child_refuses_is_refused(bundle_copy: Path) -> None:
    with pytest.raises(BundleError, match="changed while it was being verified"):
        contained.replay_contained(bundle_copy, "0" * 64)


def test_nothing_is_imported_from_the_present_folder(
    bundle_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who verifies a bundle within its own folder must not run what lies there."""
    (tmp_path / "numpy.py").write_text("raise SystemExit('hostile')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert verify_bundle(bundle_copy).golden_vectors > 0


def test_the_child_has_limits() -> None:
    """In a process of its own, which they stay with."""
    program = (
        "import json, resource; from vskd.bundle.contained import limit; limit(120.0);"
        "print(json.dumps([resource.getrlimit(w)[0] for w in (resource.RLIMIT_AS, resource.RLIMIT_CPU)]))"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, env=contained._environment(), capture_output=True, check=True).stdout
    memory, seconds = json.loads(said)
    assert 0 < memory <= contained.MEMORY_LIMIT and seconds == 121


def limits_under(hard: str) -> list[int]:
    """The four limits that the child sets itself, in a process whose own hard limits are `hard`."""
    program = (
        f"import json, resource; from vskd.bundle.contained import limit\n{hard}\nlimit(120.5)\n"
        "which = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)\n"
        "print(json.dumps([list(resource.getrlimit(w)) for w in which]))"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, env=contained._environment(), capture_output=True, check=True).stdout
    pairs = json.loads(said)
    assert all(soft == hard for soft, hard in pairs)  # nobody in the child raises them again
    return [soft for soft, _ in pairs]


def test_each_limit_is_as_strict_as_the_stricter_of_two() -> None:
    memory, seconds, file, core = limits_under("")
    assert (seconds, file, core) == (121, 1 << 20, 0)
    assert (contained.MEMORY_LIMIT, contained.TIME_LIMIT_S) == (4 << 30, 120.0)
    strict = "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); resource.setrlimit(resource.RLIMIT_CPU, (9, 9))"
    assert limits_under(strict)[1:] == [9, 4096, 0]
    assert memory <= 4 << 30


def test_the_answer_of_the_child(instead: Interpreter, tmp_path: Path) -> None:
    instead("""echo '{"problem": "", "action": ""}'""")
    contained.replay_contained(tmp_path / "bundle", "0" * 64)
    instead("""echo '{"problem": "vector a differs", "action": "Look"}'""")
    with pytest.raises(BundleError, match=r"^.*bundle/model\.tflite: vector a differs") as caught:
        contained.replay_contained(tmp_path / "bundle", "0" * 64)
    assert caught.value.action == "Look"
    instead(f"""echo '{{"problem": "{tmp_path}/bundle/golden.json: odd", "action": "Look"}}'""")
    with pytest.raises(BundleError) as caught:
        contained.replay_contained(tmp_path / "bundle", "0" * 64)
    assert caught.value.problem == f"{tmp_path}/bundle/golden.json: odd"


def test_what_the_child_is_asked(instead: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/known")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    instead(
        f'echo "$@" "$OMP_NUM_THREADS" "$PYTHONPATH" > {tmp_path}/asked; '
        """read -r line && exit 1; echo '{"problem": "", "action": ""}'"""
    )
    given, put = os.pipe()
    os.write(put, b"a line\n")
    os.close(put)
    own = os.dup(0)
    try:
        os.dup2(given, 0)  # what the caller is given is not for the child
        contained.replay_contained(tmp_path / "bundle", "abc")
    finally:
        os.dup2(own, 0)
        os.close(own)
        os.close(given)
    root = Path(contained.__file__).resolve().parents[2]
    expected = f"-P -m vskd.bundle.replay_child {tmp_path}/bundle abc 1 {root}:/known\n"
    assert (tmp_path / "asked").read_text() == expected
    monkeypatch.delenv("PYTHONPATH")
    assert contained._environment()["PYTHONPATH"] == str(root)
