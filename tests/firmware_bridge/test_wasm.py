"""The WebAssembly module: what clang and node are asked, and what is said where they fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge import wasm
from vskd.firmware_bridge.wasm import build_module, missing_tools, run_module

EVERY = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-ffp-contract=off"]
MODEL = ["weights", "weight_bytes", "input", "input_bytes", "output", "classes", "run"]
STREAM = ["samples", "times", "reset", "push", "poll", "window", "logits", "encode"]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scripts in the tools' place, which note what they are asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "sleep"):
        (folder / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    script(folder / "clang", f'echo "$@" > {folder}/built')
    script(folder / "node", f'echo "$@" "$VSKD_DEVICE_AXES" "$PATH" "$SECRET" > {folder}/run; cat; echo noise >&2')
    return folder


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("stream", "exported"), [(False, MODEL), (True, MODEL + STREAM)])
def test_the_module_is_built_with_its_exports(tools: Path, stream: bool, exported: list[str]) -> None:
    built = build_module(Path("out"), Path("runtime"), ["a.c", "b.c"], Path("out/m.wasm"), stream=stream)
    assert built == Path("out/m.wasm")
    assert (tools / "built").read_text().split() == [
        *("--target=wasm32", "-O2", "-ffreestanding", "-nostdlib", "-mbulk-memory", "-msimd128", "-Wl,--no-entry"),
        *EVERY,
        *("-isystem", "runtime/wasm", "-I", "out"),
        *(f"-Wl,--export=vskd_wasm_{name}" for name in exported),
        *("out/a.c", "out/b.c", "runtime/wasm/vskd_wasm.c", "-o", "out/m.wasm"),
    ]


def test_code_that_does_not_build_is_quoted(tools: Path) -> None:
    script(tools / "clang", 'printf "x.c:1:\\n  no %0500d" 7 >&2; exit 1')
    with pytest.raises(BundleError, match=r"^clang does not build the module: x\.c:1: no 0+") as caught:
        build_module(Path("out"), Path("runtime"), ["a.c"], Path("out/m.wasm"), stream=False)
    assert len(caught.value.problem) == len("clang does not build the module: ") + 400


def test_node_gets_the_bytes_and_nothing_of_this_environment(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "key")
    module, runtime = Path("out/m.wasm"), Path("runtime")
    assert run_module(module, runtime, "stream", b"\x00\xff", Path("out/model.tflite"), 6) == b"\x00\xff"
    asked = f"runtime/wasm/run.mjs stream out/m.wasm out/model.tflite 6 {tools} \n"
    assert (tools / "run").read_text() == asked
    run_module(module, runtime, "model", b"", None, 0)
    assert (tools / "run").read_text() == f"runtime/wasm/run.mjs model out/m.wasm 0 {tools} \n"


def test_a_module_that_fails_is_quoted(tools: Path) -> None:
    script(tools / "node", 'printf "trap:\\n  \\377 unreachable %0500d" 7 >&2; exit 1')
    with pytest.raises(BundleError, match=r"^The module fails in node: trap: \ufffd unreachable 0+") as caught:
        run_module(Path("m.wasm"), Path("runtime"), "model", b"", None, 0)
    assert len(caught.value.problem) == len("The module fails in node: ") + 400


def test_both_have_a_limit_of_time(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("clang", "node"):
        script(tools / name, "exec sleep 20")
    monkeypatch.setattr(wasm, "TIME_LIMIT_S", 0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        build_module(Path("out"), Path("runtime"), ["a.c"], Path("out/m.wasm"), stream=False)
    with pytest.raises(subprocess.TimeoutExpired):
        run_module(Path("m.wasm"), Path("runtime"), "model", b"", None, 0)


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    present = {"clang"}
    monkeypatch.setattr(wasm.shutil, "which", lambda tool: tool if tool in present else None)
    assert missing_tools() == "not installed: wasm-ld (Debian: lld), node (Debian: nodejs)"
    assert missing_tools(("clang", "wasm-ld")) == "not installed: wasm-ld (Debian: lld)"
    present |= {"wasm-ld", "node"}
    assert missing_tools() == ""


def test_without_node_nothing_else_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="node"):
        run_module(Path("m.wasm"), Path("runtime"), "model", b"", None, 0)
