"""Compilers of the host: what they are asked, and what is said where they refuse. A script stands for the compiler."""

import os
import subprocess
from pathlib import Path

import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge import toolchain
from vskd.firmware_bridge.toolchain import HOST_BUILDS, Build, build_program, run_program

ALWAYS = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-ffp-contract=off"]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs are found first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_command(tools: Path, tmp_path: Path) -> None:
    script(tools / "fake-cc", f'for word in "$@"; do echo "$word"; done > {tmp_path}/asked')
    program = build_program(Build("C, fake", "fake-cc"), Path("out"), ["a.c", "b.c"], Path("out/p"))
    assert program == Path("out/p")
    expected = [*ALWAYS, "-O2", "-I", "out", "out/a.c", "out/b.c", "-o", "out/p", "-lm"]
    assert (tmp_path / "asked").read_text().splitlines() == expected


def test_the_builds_of_the_host() -> None:
    assert [(b.name, b.compiler) for b in HOST_BUILDS] == [
        ("C, gcc", "gcc"),
        ("C, clang", "clang"),
        ("C, gcc, ASan and UBSan", "gcc"),
    ]
    assert [b.flags for b in HOST_BUILDS[:2]] == [("-O2",), ("-O2",)]
    assert HOST_BUILDS[2].flags == (
        "-O1",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    )


def test_what_the_compiler_says_is_in_the_message(tools: Path) -> None:
    script(tools / "fake-cc", 'printf "a.c:3:\\n  wrong\\n%0500d" 7 >&2; exit 1')
    with pytest.raises(BundleError, match=r"^fake-cc does not build the generated code: a\.c:3: wrong 0+ *") as caught:
        build_program(Build("C, fake", "fake-cc"), Path("out"), ["a.c"], Path("out/p"))
    assert len(caught.value.problem) == len("fake-cc does not build the generated code: ") + 400
    assert "version of the compiler" in caught.value.action


def test_without_the_compiler_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain.shutil, "which", lambda _: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a program was run"))
    with pytest.raises(BundleError, match=r"^clang is not installed \(Debian package clang\)"):
        build_program(Build("C, clang", "clang"), Path("out"), ["a.c"], Path("out/p"))


def test_a_compiler_that_is_there_is_not_missing(tools: Path) -> None:
    script(tools / "fake-cc", "")
    assert Build("C, fake", "fake-cc").missing == ""


def test_a_program_gets_bytes_and_arguments_and_gives_bytes(tmp_path: Path) -> None:
    program = script(tmp_path / "program", 'cat; printf "|%s|%s" "$1" "$2"; echo noise >&2')
    assert run_program(program, b"\x00\xff\n", "one", "two words") == b"\x00\xff\n|one|two words"


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    program = script(tmp_path / "program", 'echo before; printf "first\\n second \\377 %0500d" 7 >&2; exit 3')
    with pytest.raises(BundleError, match=r"^program ended with 3: first second \ufffd 0+") as caught:
        run_program(program, b"")
    assert len(caught.value.problem) == len("program ended with 3: ") + 400


def test_both_have_a_limit_of_time(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tools / "fake-cc", "exec sleep 20")
    monkeypatch.setattr(toolchain, "TIME_LIMIT_S", 0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        build_program(Build("C, fake", "fake-cc"), tmp_path, ["a.c"], tmp_path / "p")
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(tools / "fake-cc", b"")
