"""How fast are Gramian angular fields? Against pyts, and against just writing the output.

    python benchmarks/gaf.py
    python benchmarks/gaf.py --pyts-python /path/to/python-with-pyts

Three axes of 128 samples become images of 64x64 and of 128x128, float32, in batches, each written into the same large
array ("into"), or each into new memory as in training ("new"). "Write limit" is numpy.copyto of a constant into that
array, batch by batch: no encoding can be faster. Each figure is the best of several rounds, in which all of them take
turns, so that other work on the machine meets all alike. pyts runs in a process of its own (importing it compiles for
half a minute), one call for all series, best of its rounds.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from vskd.preprocessing.sensor.gaf import GramianAngularField

AXES, SAMPLES = 3, 128
SIZES = (64, 128)
TARGETS = {64: (7.0, 4.0), 128: (20.0, 2.0)}
"""Image size -> (at least so many times pyts, at most so many times the write limit)."""

PYTS_PROGRAM = """
import json, sys, time
import numpy as np
try:
    from pyts.image import GramianAngularField
except ImportError:
    print(json.dumps(None)); sys.exit()
windows, rounds, *sizes = map(int, sys.argv[1:])
series = np.random.default_rng(0).normal(size=(windows * 3, 128))
seconds = {}
for size in sizes:
    gaf = GramianAngularField(image_size=size)
    gaf.transform(series[:10])
    for _ in range(rounds):
        start = time.perf_counter()
        gaf.transform(series)
        seconds[size] = min(seconds.get(size, 1e9), time.perf_counter() - start)
print(json.dumps(seconds))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=10_000, help="windows of 3x128 to encode")
    parser.add_argument("--batch", type=int, default=400, help="windows at a time")
    parser.add_argument("--rounds", type=int, default=15, help="rounds, of which the best counts")
    parser.add_argument("--scaling", choices=["minmax", "fixed"], default="minmax")
    parser.add_argument("--pyts-python", type=Path, default=Path(sys.executable), help="interpreter that has pyts")
    options = parser.parse_args()
    pyts = time_pyts(options.pyts_python, options.windows)
    if not pyts:
        print(f"note: {options.pyts_python} cannot import pyts; its column is left out")
    threads = torch.get_num_threads()
    print(f"{options.windows} windows of {AXES}x{SAMPLES}, batches of {options.batch}, {threads} threads")
    rows = []
    for size in SIZES:
        seconds = time_ours(size, options.windows, options.batch, options.rounds, options.scaling)
        rows.append(make_row(size, seconds, pyts.get(size)))
    print_table(rows)


def time_pyts(python: Path, windows: int) -> dict[int, float]:
    """Seconds of pyts by image size; empty if it cannot be imported."""
    words = [str(python), "-c", PYTS_PROGRAM, str(windows), "4", *map(str, SIZES)]
    answer = subprocess.run(words, capture_output=True, encoding="utf-8", check=True)
    return {int(size): value for size, value in (json.loads(answer.stdout) or {}).items()}


def time_ours(size: int, windows: int, batch: int, rounds: int, scaling: str) -> dict[str, float]:
    """Best seconds of each way of filling (windows, 3, size, size)."""
    signal = torch.randn(windows, AXES, SAMPLES, generator=torch.Generator().manual_seed(0))
    images = torch.zeros(windows, AXES, size, size)  # touched once: its pages are there
    gaf = GramianAngularField("gasf", scaling, image_size=size)
    parts = list(zip(signal.split(batch), images.split(batch), strict=True))

    def write() -> None:
        for _, image in parts:
            np.copyto(image.numpy(), 1.0)

    def encode_into() -> None:
        for window, image in parts:
            gaf(window, out=image)

    def encode_new() -> None:
        for window, _ in parts:
            gaf(window)

    ways: dict[str, Callable[[], None]] = {"write": write, "into": encode_into, "new": encode_new}
    best = dict.fromkeys(ways, float("inf"))
    with torch.inference_mode():
        for _ in range(rounds):
            for name, work in ways.items():
                start = time.perf_counter()
                work()
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def make_row(size: int, seconds: dict[str, float], pyts: float | None) -> list[str]:
    times_pyts, times_write = TARGETS[size]
    into, limit = seconds["into"], seconds["write"] * times_write
    row = [f"{size}x{size}", f"{seconds['write']:.3f}", f"{into:.3f}", f"{seconds['new']:.3f}"]
    row += [f"{into / seconds['write']:.2f}x", f"<= {times_write:g}x {'met' if into <= limit else 'MISSED'}"]
    if pyts is None:
        return [*row, "-", "-", "-"]
    met = "met" if pyts / into >= times_pyts else "MISSED"
    return [*row, f"{pyts:.2f}", f"{pyts / into:.1f}x", f">= {times_pyts:g}x {met}"]


def print_table(rows: list[list[str]]) -> None:
    heads = ["image", "write s", "into s", "new s", "into/write", "target", "pyts s", "pyts/into", "target"]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    for row in [heads, *rows]:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
