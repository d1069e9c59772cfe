"""Generated C on Cortex-M processors, emulated by qemu: the golden vectors must come out bit for bit."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vskd.errors import BundleError
from vskd.firmware_bridge.toolchain import EXACT, STRICT, TIME_LIMIT_S

COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
PACKAGES = {COMPILER: "gcc-arm-none-eabi and libnewlib-arm-none-eabi", EMULATOR: "qemu-system-arm"}
LARGEST_PROGRAM = 4 << 20
"""Memory for code and constants on the boards."""


@dataclass(frozen=True)
class Board:
    """A processor and qemu's board with it."""

    cpu: str
    machine: str

    @property
    def name(self) -> str:
        """What tables say."""
        return f"C, {self.cpu} (qemu)"


BOARDS = (Board("cortex-m3", "mps2-an385"), Board("cortex-m4", "mps2-an386"), Board("cortex-m7", "mps2-an500"))


def missing_tools() -> str:
    """What is not installed; empty if all is there."""
    absent = [f"{tool} (Debian: {PACKAGES[tool]})" for tool in PACKAGES if shutil.which(tool) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def run_test(board: Board, folder: Path, runtime: Path, sources: list[str], program: Path) -> str:
    """Build the test of the golden vectors for a board and run it there.

    Args:
        board: where.
        folder: generated firmware.
        runtime: holds `cortex/startup.c` and `cortex/link.ld`.
        sources: names in `folder`.
        program: the file to make.

    Returns:
        What the test said last.

    Raises:
        BundleError: it does not build, or does not end.
    """
    support = runtime / "cortex"
    command = [COMPILER, f"-mcpu={board.cpu}", "-mthumb", "-mfloat-abi=soft", "--specs=rdimon.specs", *STRICT, *EXACT]
    command += ["-O2", "-I", str(folder), *(str(folder / name) for name in sources), str(support / "startup.c")]
    command += ["-T", str(support / "link.ld"), "-o", str(program), "-lm"]
    built = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIME_LIMIT_S, check=False
    )
    if built.returncode != 0:
        said = " ".join(built.stderr.split())[:400]
        raise BundleError(f"{COMPILER} does not build the generated code: {said}", "Report this as a defect of vskd")
    emulate = [EMULATOR, "-M", board.machine, "-cpu", board.cpu, "-nographic", "-kernel", str(program)]
    emulate += ["-semihosting-config", "enable=on,target=native"]
    try:
        done = subprocess.run(
            emulate,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIME_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{board.name} does not end within {TIME_LIMIT_S} s", "Try a smaller model") from error
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return lines[-1] if lines else f"no answer ({' '.join(done.stderr.split())[:200]})"
