"""What Arm's compiler Vela estimates for an Ethos-U NPU; the optional extra `npu`."""

import csv
import importlib.util
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vskd.errors import BundleError, MissingExtraError

ACCELERATOR = "ethos-u55-128"
"""With the system and memory that Vela takes where none is named."""
TIME_LIMIT_S = 300
_COLUMNS = ("inference_time", "sram_memory_used", "off_chip_flash_memory_used", "nn_macs", "cycles_npu")


@dataclass(frozen=True)
class VelaEstimate:
    """An estimate, no measurement.

    Attributes:
        accelerator: the NPU.
        system: clock and memories that Vela assumes.
        inference_ms: of one answer.
        sram_bytes, flash_bytes: memory of the compiled model.
        macs: multiply-accumulates on the NPU, with what its blocks are padded to.
        npu_cycles: of the NPU alone.
    """

    accelerator: str
    system: str
    inference_ms: float
    sram_bytes: int
    flash_bytes: int
    macs: int
    npu_cycles: int


def vela_estimate(content: bytes) -> VelaEstimate:
    """Compile a model for the NPU, in a process of its own, and read the estimate.

    Args:
        content: an int8 .tflite file.

    Raises:
        MissingExtraError: ethos-u-vela is not installed.
        BundleError: Vela refuses the model.
    """
    if importlib.util.find_spec("ethosu") is None:
        raise MissingExtraError("ethos-u-vela", "npu")
    with tempfile.TemporaryDirectory(prefix="vskd-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(content)
        command = [sys.executable, "-m", "ethosu.vela", "model.tflite", "--accelerator-config", ACCELERATOR]
        try:
            done = subprocess.run(
                [*command, "--output-dir", "."],
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=TIME_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BundleError(f"Vela does not end within {TIME_LIMIT_S} s", "Use a smaller model") from error
        table = next(folder.glob("model_summary_*.csv"), None)
        if done.returncode != 0 or table is None:
            said = " ".join((done.stderr or done.stdout).split())[-300:]
            raise BundleError(f"Vela gives no estimate: {said}", "Use a model whose ends are int8")
        return read_summary(table.read_text(encoding="utf-8"))


def read_summary(text: str) -> VelaEstimate:
    """The table that Vela writes: memory in kibibytes, time in seconds.

    Raises:
        BundleError: a column is missing, as of another version of Vela.
    """
    row = next(csv.DictReader(text.splitlines()), {})
    try:
        seconds, sram, flash, macs, cycles = (float(row[column]) for column in _COLUMNS)
        system = f"{row['system_config']}, {row['memory_mode']}, {float(row['core_clock']) / 1e6:.0f} MHz"
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(
            f"Vela's table of figures is not as expected: {error}", "Install the version in constraints.txt"
        ) from error
    return VelaEstimate(
        ACCELERATOR, system, 1000 * seconds, round(1024 * sram), round(1024 * flash), round(macs), round(cycles)
    )
