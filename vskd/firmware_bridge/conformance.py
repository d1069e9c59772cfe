"""The same answer everywhere: one suite, run by Python, the generated C, TFLite Micro, emulated processors and wasm.

The canon is LiteRT's reference kernels in Python. What is not installed is a line that says so, never silence.
"""

import base64
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import GOLDEN, MODEL, load_bundle
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel, quantize
from vskd.bundle.stream.golden_stream import replay_stream
from vskd.bundle.stream.stream import Decision
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import Call
from vskd.errors import BundleError
from vskd.firmware_bridge import cortex, wasm
from vskd.firmware_bridge.generate import RUNTIME, Firmware, library_sources, read_firmware, write_firmware
from vskd.firmware_bridge.stream_records import pack_calls, read_decisions
from vskd.firmware_bridge.toolchain import HOST_BUILDS, Build, build_program, run_program

RANDOM_INPUTS = 60
"""Besides the golden ones: int8 inputs over the whole range, both ends among them."""

Int8 = npt.NDArray[np.int8]
Outcome = Literal["bit-exact", "differs", "close", "skipped"]
EXACT: Outcome = "bit-exact"


@dataclass(frozen=True)
class Line:
    """One way of running the bundle, against the reference.

    Attributes:
        name: which.
        outcome: `close` is XNNPACK's: not bit for bit, and not promised to be.
        inputs: int8 inputs that were compared.
        decisions: of the golden stream that were compared.
        note: differences, or what is missing.
    """

    name: str
    outcome: Outcome
    inputs: int = 0
    decisions: int = 0
    note: str = ""


@dataclass(frozen=True)
class Suite:
    """Inputs with the reference's answers.

    Attributes:
        firmware: of the bundle.
        folder: where it was generated, and programs are built.
        inputs, outputs: of the model, (count, values): first those of the golden vectors, then of the stream's windows.
        calls, decisions: of the stream; empty for images.
    """

    firmware: Firmware
    folder: Path
    inputs: Int8
    outputs: Int8
    calls: list[Call]
    decisions: list[Decision]

    @property
    def weights(self) -> Path | None:
        """The file that is read in place."""
        return self.folder / MODEL if self.firmware.in_place else None

    def compare(self, name: str, outputs: Int8, decisions: list[Decision] | None = None) -> Line:
        """The line of one runner."""
        differences = np.abs(outputs.astype(int) - self.outputs)
        notes = []
        if differences.any():
            count = int(differences.any(axis=1).sum())
            notes.append(f"{count} of {len(outputs)} answers differ, by up to {differences.max()}")
        if decisions is not None and decisions != self.decisions:
            notes.append("the decisions of the stream differ")
        compared = 0 if decisions is None else len(self.decisions)
        return Line(name, "differs" if notes else EXACT, len(outputs), compared, "; ".join(notes))


def run_conformance(bundle: Path, settings: StreamSettings | None = None) -> Iterator[Line]:
    """Run the suite, one line after the other.

    Args:
        bundle: its folder; all hashes are checked.
        settings: of the stream; for bundles of a sensor.

    Raises:
        BundleError: the bundle is damaged, an operator is missing, or generated code does not build.
        SettingError: a setting does not fit the contract.
    """
    firmware = read_firmware(load_bundle(bundle), settings)
    with tempfile.TemporaryDirectory(prefix="vskd-") as name:
        suite = _suite(firmware, Path(name))
        yield _python(suite)
        yield _optimised(suite)
        for build in HOST_BUILDS:
            yield _host(suite, build)
        yield _tflite_micro(suite)
        for board in cortex.BOARDS:
            yield _cortex(suite, board)
        yield _wasm(suite)


def _suite(firmware: Firmware, folder: Path) -> Suite:
    write_firmware(firmware, folder)
    model, shape = LiteRTModel(firmware.graph.content, reference_kernels=True), firmware.graph.input.shape
    generator = np.random.default_rng(0)
    given = [np.frombuffer(base64.b64decode(v.input), np.int8).reshape(shape) for v in firmware.golden.vectors]
    given += [_input_of(window, firmware) for window in firmware.golden_stream.windows]
    given += [generator.integers(-128, 128, shape).astype(np.int8) for _ in range(RANDOM_INPUTS - 2)]
    given += [np.full(shape, end, np.int8) for end in (-128, 127)]
    outputs = np.stack([model.raw(x).reshape(-1).copy() for x in given]).astype(np.int8)
    stream = firmware.golden_stream
    return Suite(firmware, folder, np.stack(given).reshape(len(given), -1), outputs, stream.calls, stream.decisions)


def _input_of(window: npt.NDArray[np.float32], firmware: Firmware) -> Int8:
    """The model's int8 input of a window of the stream."""
    encoded = model_input(window, firmware.bundle.manifest.contract)[np.newaxis]
    return quantize(encoded, firmware.graph.input.scale, firmware.graph.input.zero_point)


def _python(suite: Suite) -> Line:
    """The reference against the bundle's own golden vectors and streams."""
    firmware = suite.firmware
    golden = [vector.output for vector in firmware.golden.vectors]
    expected = np.array([*golden, *firmware.golden_stream.outputs], dtype=np.int8)
    notes = []
    if not np.array_equal(expected, suite.outputs[: len(expected)]):
        notes.append("the golden vectors differ: another version of ai-edge-litert?")
    try:
        for stream in firmware.golden.streams:
            source = str(firmware.bundle.path / GOLDEN)
            replay_stream(stream, firmware.graph.content, firmware.bundle.manifest.contract, source)
    except BundleError as error:
        notes.append(error.problem)
    said = "; ".join(notes) or _of_stream(firmware)
    return Line("Python, reference kernels", "differs" if notes else EXACT, len(expected), len(suite.decisions), said)


def _of_stream(firmware: Firmware) -> str:
    """Where the stream is from; nothing for images."""
    if firmware.plan is None:
        return ""
    if firmware.stored_stream is not None:
        return "the stream is the bundle's"
    return "the stream is made here: the bundle holds none" + (" of these settings" if firmware.golden.streams else "")


def _optimised(suite: Suite) -> Line:
    """XNNPACK, with which `vskd predict`, Android and browsers run: close by nature."""
    model, shape = LiteRTModel(suite.firmware.graph.content), suite.firmware.graph.input.shape
    outputs = np.stack([model.raw(x.reshape(shape)).reshape(-1).copy() for x in suite.inputs])
    largest = int(np.abs(outputs.astype(int) - suite.outputs).max())
    labels = int((outputs.argmax(axis=1) == suite.outputs.argmax(axis=1)).sum())
    note = f"up to {largest} steps, same label for {labels} of {len(outputs)}"
    return Line("Python, XNNPACK", "close" if largest else EXACT, len(outputs), 0, note)


def _host(suite: Suite, build: Build) -> Line:
    if build.missing:
        return Line(build.name, "skipped", note=build.missing)
    sources, arguments = library_sources(suite.firmware), [] if suite.weights is None else [str(suite.weights)]
    test = build_program(build, suite.folder, ["vskd_test.c", *sources], suite.folder / "test")
    try:
        run_program(test, b"", *arguments)
    except BundleError as error:
        return Line(build.name, "differs", note=error.problem)
    runner = build_program(build, suite.folder, ["vskd_run.c", *sources], suite.folder / "run")
    outputs = _outputs(suite, run_program(runner, suite.inputs.tobytes(), *arguments))
    if suite.firmware.plan is None:
        return suite.compare(build.name, outputs)
    streamer = build_program(build, suite.folder, ["vskd_stream_run.c", *sources], suite.folder / "stream")
    decisions = read_decisions(run_program(streamer, pack_calls(suite.calls), *arguments))
    return suite.compare(build.name, outputs, decisions)


def _outputs(suite: Suite, content: bytes) -> Int8:
    found = np.frombuffer(content, np.int8)
    if found.size != suite.outputs.size:
        raise BundleError(f"{found.size} values came back instead of {suite.outputs.size}", "Report this as a defect")
    return found.reshape(suite.outputs.shape)


def _tflite_micro(suite: Suite) -> Line:
    name = "TFLite Micro (wheel)"
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        return Line(name, "skipped", note="the package tflite-micro is not installed: pip install 'vskd[firmware]'")
    interpreter: Any = runtime.Interpreter.from_bytes(suite.firmware.graph.content)
    outputs = []
    for x in suite.inputs:
        interpreter.set_input(x.reshape(suite.firmware.graph.input.shape), 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).reshape(-1).copy())
    return suite.compare(name, np.stack(outputs))


def _cortex(suite: Suite, board: cortex.Board) -> Line:
    missing = cortex.missing_tools()
    if not missing and suite.firmware.source.weight_bytes > cortex.LARGEST_PROGRAM // 2:
        missing = f"weights of {suite.firmware.source.weight_bytes} bytes do not fit the board"
    if missing:
        return Line(board.name, "skipped", note=missing)
    sources = ["vskd_test.c", *library_sources(suite.firmware)]
    said = cortex.run_test(board, suite.folder, RUNTIME, sources, suite.folder / "cortex")
    vectors = len(suite.firmware.golden.vectors)
    same = said == f"{vectors} golden vectors, {len(suite.decisions)} decisions, 0 differences"
    inputs = vectors + len(suite.firmware.golden_stream.windows)
    return Line(board.name, EXACT if same else "differs", inputs, len(suite.decisions), "" if same else said)


def _wasm(suite: Suite) -> Line:
    name, missing = "C, wasm (node)", wasm.missing_tools()
    if missing:
        return Line(name, "skipped", note=missing)
    plan, sources = suite.firmware.plan, library_sources(suite.firmware)
    module = wasm.build_module(suite.folder, RUNTIME, sources, suite.folder / "vskd.wasm", stream=plan is not None)
    axes = 0 if plan is None else plan.device_axes

    def run(kind: str, given: bytes) -> bytes:
        return wasm.run_module(module, RUNTIME, kind, given, suite.weights, axes)

    outputs = _outputs(suite, run("model", suite.inputs.tobytes()))
    decisions = None if plan is None else read_decisions(run("stream", pack_calls(suite.calls)))
    return suite.compare(name, outputs, decisions)
