"""Instructions of one answer of the generated C on a Cortex-M4, counted by qemu, and the fit that estimates use.

    python benchmarks/instructions.py BUNDLE...

qemu's `-icount shift=0` lets one nanosecond pass for each instruction, and SysTick of the board counts 40 of them as
one. Needs arm-none-eabi-gcc and qemu-system-arm.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from vskd.bundle.bundle import load_bundle
from vskd.firmware_bridge.cortex import BOARDS, COMPILER, EMULATOR
from vskd.firmware_bridge.footprint import INSTRUCTIONS_PER_MAC, INSTRUCTIONS_PER_VALUE
from vskd.firmware_bridge.generate import RUNTIME, read_firmware, write_firmware

PER_TICK = 40
PROGRAM = """#include <stdint.h>
#include <stdio.h>
#include "vskd_model.h"
#define REGISTER(address) (*(volatile uint32_t *)(address))
static int8_t arena[VSKD_MODEL_ARENA_BYTES];
int main(void)
{
    uint32_t before;
    REGISTER(0xE000E014) = 0xFFFFFF;
    REGISTER(0xE000E018) = 0;
    REGISTER(0xE000E010) = 5;
    before = REGISTER(0xE000E018);
    vskd_model_run(vskd_weights, arena);
    printf("%lu\\n", (unsigned long)((before - REGISTER(0xE000E018)) & 0xFFFFFF));
    return 0;
}
"""


def count(path: Path) -> tuple[int, int, int]:
    """Multiply-accumulates, values that operators write, and instructions."""
    firmware, board, support = read_firmware(load_bundle(path), None, "array"), BOARDS[1], RUNTIME / "cortex"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_firmware(firmware, folder)
        (folder / "count.c").write_text(PROGRAM, encoding="utf-8")
        sources = [str(folder / f"{n}.c") for n in ("count", "vskd_model", "vskd_kernels", "vskd_weights")]
        build = [COMPILER, f"-mcpu={board.cpu}", "-mthumb", "-mfloat-abi=soft", "--specs=rdimon.specs", "-O2"]
        build += ["-I", str(folder), *sources, str(support / "startup.c"), "-T", str(support / "link.ld")]
        subprocess.run([*build, "-o", str(folder / "program")], check=True)
        run = [EMULATOR, "-M", board.machine, "-cpu", board.cpu, "-nographic", "-icount", "shift=0", "-kernel"]
        run += [str(folder / "program"), "-semihosting-config", "enable=on,target=native"]
        done = subprocess.run(run, capture_output=True, encoding="utf-8", check=True, stdin=subprocess.DEVNULL)
    values = sum(op.output.size for op in firmware.graph.operators if op.name != "RESHAPE")
    return firmware.source.macs, values, PER_TICK * int(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path)
    counted = np.array([count(path) for path in parser.parse_args().bundles], dtype=np.float64)
    print("| MACs | values | instructions | estimate |\n|---|---|---|---|")
    for macs, values, instructions in counted:
        estimate = (INSTRUCTIONS_PER_MAC * macs + INSTRUCTIONS_PER_VALUE * values) / instructions
        print(f"| {macs:,.0f} | {values:,.0f} | {instructions:,.0f} | {estimate:.3f} |")
    fit, *_ = np.linalg.lstsq(counted[:, :2] / counted[:, 2:], np.ones(len(counted)), rcond=None)
    print(f"least squares of the relative error: {fit[0]:.2f} a MAC, {fit[1]:.1f} a value")


if __name__ == "__main__":
    main()
