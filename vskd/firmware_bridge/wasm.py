"""Generated C as a WebAssembly module, run by node."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from vskd.errors import BundleError
from vskd.firmware_bridge.toolchain import EXACT, STRICT, TIME_LIMIT_S

PACKAGES = {"clang": "clang", "wasm-ld": "lld", "node": "nodejs"}
FLAGS = ("--target=wasm32", "-O2", "-ffreestanding", "-nostdlib", "-mbulk-memory", "-msimd128", "-Wl,--no-entry")
MODEL_EXPORTS = ("weights", "weight_bytes", "input", "input_bytes", "output", "classes", "run")
STREAM_EXPORTS = ("samples", "times", "reset", "push", "poll", "window", "logits", "encode")


def missing_tools(needed: Iterable[str] = tuple(PACKAGES)) -> str:
    """What of these is not installed; empty if all is there."""
    absent = [f"{tool} (Debian: {PACKAGES[tool]})" for tool in needed if shutil.which(tool) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def build_module(folder: Path, runtime: Path, sources: list[str], module: Path, *, stream: bool) -> Path:
    """Compile the firmware to a module without imports.

    Raises:
        BundleError: clang refuses it.
    """
    support = runtime / "wasm"
    exports = MODEL_EXPORTS + (STREAM_EXPORTS if stream else ())
    command = ["clang", *FLAGS, *STRICT, *EXACT, "-isystem", str(support), "-I", str(folder)]
    command += [f"-Wl,--export=vskd_wasm_{name}" for name in exports]
    command += [str(folder / name) for name in sources] + [str(support / "vskd_wasm.c"), "-o", str(module)]
    built = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIME_LIMIT_S, check=False
    )
    if built.returncode != 0:
        said = " ".join(built.stderr.split())[:400]
        raise BundleError(f"clang does not build the module: {said}", "Report this as a defect of vskd")
    return module


def run_module(module: Path, runtime: Path, kind: str, given: bytes, weights: Path | None, device_axes: int) -> bytes:
    """What the module writes, given inputs (`kind` is model) or records of a stream (`stream`).

    Raises:
        BundleError: node fails.
    """
    command = [
        "node",
        str(runtime / "wasm" / "run.mjs"),
        kind,
        str(module),
        *([] if weights is None else [str(weights)]),
    ]
    environment = {"VSKD_DEVICE_AXES": str(device_axes), "PATH": str(Path(shutil.which("node") or "node").parent)}
    done = subprocess.run(command, input=given, capture_output=True, timeout=TIME_LIMIT_S, check=False, env=environment)
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", errors="replace").split())[:400]
        raise BundleError(f"The module fails in node: {said}", "Report this as a defect of vskd")
    return done.stdout
