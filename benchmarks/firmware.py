"""Generated C against TFLite Micro and LiteRT: bits, memory and milliseconds, on recordings or images of a data set.

    python benchmarks/firmware.py BUNDLE --recordings 'UTD-MHAD/Inertial/*_s[2468]_*.mat'
    python benchmarks/firmware.py BUNDLE --images FOLDER

Prints one row of a Markdown table per bundle. One thread, one window or image at a time; C by gcc -O2. Milliseconds are
those of the processor, so that other work on the machine counts less.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import MODEL, Bundle, load_bundle
from vskd.bundle.contract import ImageContract, SensorContract
from vskd.bundle.encoding import model_input
from vskd.bundle.image_input import read_pictures
from vskd.bundle.predict import contract_windows
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.sensor_file import read_recording
from vskd.firmware_bridge.generate import library_sources, read_firmware, write_firmware
from vskd.firmware_bridge.toolchain import Build, build_program, run_program

MOST = 1000
HEAD = (
    "| bundle | inputs | C = REF | TFLM = REF | XNNPACK: largest step, same label | RAM | weights | MACs "
    "| C ms | TFLM ms | REF ms | XNNPACK ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)
Int8 = npt.NDArray[np.int8]


def samples(bundle: Bundle, recordings: str, images: Path | None) -> Iterator[npt.NDArray[np.float32]]:
    """The model's inputs, from the files."""
    contract = bundle.manifest.contract
    if isinstance(contract, ImageContract) and images is not None:
        box = "whole" if contract.crop == "box" else None
        for path in sorted(p for p in images.rglob("*") if p.suffix.lower() in (".jpg", ".png")):
            for shown in read_pictures(path, contract, box=box):
                if shown.picture is not None:
                    yield model_input(shown.picture, contract)
    elif isinstance(contract, SensorContract):
        for path in sorted(
            Path().glob(recordings) if not recordings.startswith("/") else Path("/").glob(recordings[1:])
        ):
            yield from (model_input(w, contract) for w in contract_windows(read_recording(path, contract), contract))


def timed(answer: Callable[[Int8], Int8], inputs: list[Int8]) -> tuple[Int8, float]:
    """Answers, and milliseconds for one after a first unmeasured one."""
    answer(inputs[0])
    start = time.process_time()
    outputs = [answer(x).reshape(-1).copy() for x in inputs]
    return np.stack(outputs), 1000 * (time.process_time() - start) / len(inputs)


def children_s() -> float:
    """Processor time of the programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_c(bundle: Bundle, inputs: list[Int8]) -> tuple[Int8, float, str]:
    """The same in C; RAM, weights and MACs."""
    firmware = read_firmware(bundle)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_firmware(firmware, folder)
        sources = ["vskd_run.c", *library_sources(firmware)]
        program = build_program(Build("C, gcc", "gcc"), folder, sources, folder / "run")
        arguments = [str(folder / MODEL)] if firmware.in_place else []
        start = children_s()
        run_program(program, b"", *arguments)  # starting and reading the weights
        idle = children_s() - start
        start = children_s()
        output = run_program(program, b"".join(x.tobytes() for x in inputs), *arguments)
        spent = children_s() - start - idle
    source = firmware.source
    figures = f"{source.plan.arena_bytes:,} | {source.weight_bytes:,} | {source.macs / 1e6:.2f} M"
    return np.frombuffer(output, np.int8).reshape(len(inputs), -1), 1000 * spent / len(inputs), figures


def row(path: Path, recordings: str, images: Path | None) -> str:
    """One bundle's row."""
    from tflite_micro.python.tflite_micro import runtime

    bundle = load_bundle(path)
    content = bundle.read(MODEL)
    reference, fast = LiteRTModel(content, reference_kernels=True), LiteRTModel(content)
    inputs = [reference.to_raw(x[np.newaxis]) for x in islice(samples(bundle, recordings, images), MOST)]
    micro = runtime.Interpreter.from_bytes(content)

    def in_micro(x: Int8) -> Int8:
        micro.set_input(x, 0)
        micro.invoke()
        return micro.get_output(0)

    expected, reference_ms = timed(reference.raw, inputs)
    found, c_ms, figures = in_c(bundle, inputs)
    micro_found, micro_ms = timed(in_micro, inputs)
    fast_found, fast_ms = timed(fast.raw, inputs)
    same = [int((outputs == expected).all(axis=1).sum()) for outputs in (found, micro_found)]
    step = int(np.abs(fast_found.astype(int) - expected).max())
    labels = int((fast_found.argmax(axis=1) == expected.argmax(axis=1)).sum())
    count = len(inputs)
    return (
        f"| {path.name} | {count} | {same[0]} / {count} | {same[1]} / {count} | {step}, {labels} / {count} | {figures} "
        f"| {c_ms:.1f} | {micro_ms:.1f} | {reference_ms:.1f} | {fast_ms:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--recordings", default="")
    parser.add_argument("--images", type=Path)
    arguments = parser.parse_args()
    print(HEAD)
    for path in arguments.bundles:
        print(row(path, arguments.recordings, arguments.images), flush=True)


if __name__ == "__main__":
    main()
