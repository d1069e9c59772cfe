"""Emulated processors: what compiler and emulator are asked, and what counts as the answer."""

import os
import subprocess
from pathlib import Path

import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge import cortex
from vskd.firmware_bridge.cortex import BOARDS, Board, missing_tools, run_test

EVERY = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-ffp-contract=off"]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scripts in the tools' place, which note what they are asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    script(folder / cortex.COMPILER, 'echo "$@" > "$(dirname "$0")/built"')
    script(folder / cortex.EMULATOR, 'echo "$@" > "$(dirname "$0")/run"; echo first; echo "  "; echo last; echo " "')
    return folder


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(board: Board = BOARDS[1]) -> str:
    return run_test(board, Path("out"), Path("runtime"), ["vskd_test.c", "m.c"], Path("out/p"))


def test_the_boards() -> None:
    assert [(b.cpu, b.machine) for b in BOARDS] == [
        ("cortex-m3", "mps2-an385"),
        ("cortex-m4", "mps2-an386"),
        ("cortex-m7", "mps2-an500"),
    ]
    assert BOARDS[0].name == "C, cortex-m3 (qemu)"
    assert cortex.LARGEST_PROGRAM == 4 * 1024 * 1024
    link = (Path(cortex.__file__).parent / "runtime" / "cortex" / "link.ld").read_text()
    assert "LENGTH = 4M" in link


def test_it_is_built_runs_and_the_last_line_counts(tools: Path) -> None:
    assert run() == "last"
    assert (tools / "built").read_text().split() == [
        "-mcpu=cortex-m4",
        "-mthumb",
        "-mfloat-abi=soft",
        "--specs=rdimon.specs",
        *EVERY,
        *("-O2", "-I", "out", "out/vskd_test.c", "out/m.c", "runtime/cortex/startup.c"),
        *("-T", "runtime/cortex/link.ld", "-o", "out/p", "-lm"),
    ]
    assert (tools / "run").read_text().split() == [
        *("-M", "mps2-an386", "-cpu", "cortex-m4", "-nographic", "-kernel", "out/p"),
        *("-semihosting-config", "enable=on,target=native"),
    ]


def test_code_that_does_not_build_is_not_run(tools: Path) -> None:
    script(tools / cortex.COMPILER, 'printf "x.c:1:\\n  no %0500d" 7 >&2; exit 1')
    with pytest.raises(BundleError, match=r"^arm-none-eabi-gcc does not build .* code: x\.c:1: no 0+") as caught:
        run()
    assert len(caught.value.problem) == len("arm-none-eabi-gcc does not build the generated code: ") + 400
    assert not (tools / "run").exists()


def test_no_answer_quotes_the_emulator(tools: Path) -> None:
    script(tools / cortex.EMULATOR, 'echo " "; printf "qemu:\\n no board %0300d" 7 >&2')
    said = run()
    assert said.startswith("no answer (qemu: no board 000") and len(said) == len("no answer ()") + 200


def test_a_program_without_end(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tools / cortex.EMULATOR, "exec sleep 20")
    monkeypatch.setattr(cortex, "TIME_LIMIT_S", 0.2)
    with pytest.raises(BundleError, match=r"^C, cortex-m7 \(qemu\) does not end within 0\.2 s"):
        run(BOARDS[2])


def test_a_compiler_without_end(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tools / cortex.COMPILER, "exec sleep 20")
    monkeypatch.setattr(cortex, "TIME_LIMIT_S", 0.1)
    with pytest.raises(subprocess.TimeoutExpired):
        run()


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    present: set[str] = set()
    monkeypatch.setattr(cortex.shutil, "which", lambda tool: tool if tool in present else None)
    compiler = "arm-none-eabi-gcc (Debian: gcc-arm-none-eabi and libnewlib-arm-none-eabi)"
    assert missing_tools() == f"not installed: {compiler}, qemu-system-arm (Debian: qemu-system-arm)"
    present.add(cortex.EMULATOR)
    assert missing_tools() == f"not installed: {compiler}"
    present.add(cortex.COMPILER)
    assert missing_tools() == ""


def test_the_emulator_hears_nothing_of_what_is_typed(tools: Path) -> None:
    script(tools / cortex.EMULATOR, 'read typed; echo "heard: $typed"')
    here, there = os.pipe()
    os.write(there, b"typed\n")
    os.close(there)
    kept = os.dup(0)
    try:
        os.dup2(here, 0)
        assert run() == "heard: "
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(here)
