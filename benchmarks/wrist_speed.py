"""How much faster and smaller is the small int8 student than the published one? LiteRT, batch 1, one thread, one run.

    python benchmarks/wrist_speed.py --markdown table.md

The published student of VSKD is ResNet18 in float32 on the Gramian angular field of 224 x 224 pixels (recipe
`vskd-paper`); the small ones are `separable-resnet1d` and its half on the raw window of 128 samples, in int8. "network"
is the model alone; "all" is from a window of three axes to the logits: scaling or field in numpy, the model's own input
and output types, and the model. Times are those of the processor (one thread computes, so that they are those of a
quiet machine's clock), because on a busy machine a long inference waits for its turn and a short one does not. All take
turns in short blocks. Weights are random, with BatchNorm statistics of random windows: neither time nor size depends on
training.
"""

import argparse
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from vskd.bundle.encode_numpy import encode
from vskd.bundle.runtime import LiteRTModel
from vskd.export.convert.integer_form import integer_form
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.int8.quantize import quantize_int8
from vskd.files import write_text
from vskd.models.catalog import build_network, parse_network

AXES, BLOCK, WARMUP = 3, 10, 10
HEAD = (
    "| student | input | parameters | size in MB | network ms min | p50 | all ms min | p50 "
    "| times smaller | network times faster (min) | all times faster (min) |"
)
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Student:
    """A network, and what it sees."""

    network: str
    length: int
    method: str
    scaling: str
    size: int
    int8: bool

    @property
    def title(self) -> str:
        """Name and type."""
        return f"{self.network}, {'int8' if self.int8 else 'float32'}"

    @property
    def seen(self) -> str:
        """Its input."""
        if self.method == "raw":
            return f"raw, {self.length} samples"
        return f"{self.method}, {self.size} x {self.size}"

    def encode(self, window: FloatArray) -> FloatArray:
        """Window -> input of the network."""
        return encode(window, self.method, self.scaling, 4.0, self.size)


STUDENTS = (
    Student("resnet18", 224, "gasf", "minmax", 224, int8=False),
    Student("separable-resnet1d", 128, "raw", "fixed", 0, int8=True),
    Student("separable-resnet1d-050", 128, "raw", "fixed", 0, int8=True),
)
"""The published one first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=27)
    parser.add_argument("--runs", type=int, default=200, help="measured runs of each")
    parser.add_argument("--markdown", type=Path, help="also write the table here")
    options = parser.parse_args()
    made = {student.title: model_of(student, options.classes) for student in STUDENTS}
    models = {title: content for title, (content, _) in made.items()}
    network = in_turns({title: alone(content) for title, content in models.items()}, options.runs)
    whole = in_turns({s.title: road(s, models[s.title]) for s in STUDENTS}, options.runs)
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    first = STUDENTS[0].title
    for student in STUDENTS:
        content, parameters = made[student.title]
        times = [f"{ms:.3f}" for table in (network, whole) for ms in table[student.title]]
        ratios = [
            len(models[first]) / len(content),
            *(table[first][0] / table[student.title][0] for table in (network, whole)),
        ]
        cells = [student.title, student.seen, f"{parameters:,}", f"{len(content) / 1e6:.3f}", *times]
        lines.append("| " + " | ".join([*cells, *(f"{ratio:.0f}" for ratio in ratios)]) + " |")
    lines += ["", f"1 thread, {options.runs} runs, LiteRT {version('ai-edge-litert')}, {platform.machine()}."]
    print("\n".join(lines))
    if options.markdown is not None:
        write_text(options.markdown, "\n".join([*lines, ""]))


def model_of(student: Student, classes: int) -> tuple[bytes, int]:
    """The LiteRT model, and its number of parameters."""
    inputs = [student.encode(window) for window in random_windows(16, student.length)]
    torch.manual_seed(0)
    network = build_network(parse_network(student.network), shape=inputs[0].shape, classes=classes).train()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.momentum = 1.0  # the statistics of the last batch, in place of a slow average from 0 and 1
    with torch.no_grad():
        network(torch.from_numpy(np.stack(inputs)))
    plain = LogitsOnly(integer_form(network.eval()) if student.int8 else network.eval())
    content = convert_float(plain, torch.from_numpy(inputs[0][np.newaxis]))
    content = quantize_int8(content, inputs) if student.int8 else content
    return content, sum(parameter.numel() for parameter in network.parameters())


def alone(content: bytes) -> Callable[[], object]:
    """The model itself, on an input of its own type."""
    model = LiteRTModel(content)
    x = model.to_raw(np.zeros(model.input_shape, np.float32))
    return lambda: model.raw(x)


def road(student: Student, content: bytes) -> Callable[[], object]:
    """From a window to its logits, each time the same one."""
    model, (window,) = LiteRTModel(content), random_windows(1, student.length)
    return lambda: model.predict(student.encode(window)[np.newaxis])


def in_turns(works: Mapping[str, Callable[[], object]], runs: int) -> dict[str, tuple[float, float]]:
    """Minimum and median of the processor's milliseconds for each, in blocks that take turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        for _ in range(WARMUP):
            work()
    for _ in range(0, runs, BLOCK):
        for name, work in works.items():
            for _ in range(BLOCK):
                start = time.process_time()
                work()
                times[name].append(1000 * (time.process_time() - start))
    return {name: (min(values), float(np.median(values))) for name, values in times.items()}


def random_windows(count: int, length: int) -> list[FloatArray]:
    """Motion about gravity in g, (axes, samples)."""
    rng = np.random.default_rng(0)
    swing = np.sin(np.linspace(0, 12, length)) * rng.uniform(0.5, 2, (count, AXES, 1))
    return list((swing + rng.normal(0, 0.2, (count, AXES, length)) + 0.5).astype(np.float32))


if __name__ == "__main__":
    main()
