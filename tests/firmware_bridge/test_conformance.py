"""The table: exact where it is, a difference where there is one, and a name for what is missing."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.firmware_bridge.bundles import encoded, make_bundle, sensor_contract
from vskd.bundle.bundle import GOLDEN, MODEL, Bundle, read_golden, verify_bundle, write_bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream_plan import plan_stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.bundle.stream.synthetic_stream import golden_calls
from vskd.errors import BundleError
from vskd.firmware_bridge import conformance, toolchain
from vskd.firmware_bridge.conformance import Line, Suite, run_conformance
from vskd.firmware_bridge.toolchain import Build

NAMES = [
    "Python, reference kernels",
    "Python, XNNPACK",
    "C, gcc",
    "C, clang",
    "C, gcc, ASan and UBSan",
    "TFLite Micro (wheel)",
    "C, cortex-m3 (qemu)",
    "C, cortex-m4 (qemu)",
    "C, cortex-m7 (qemu)",
    "C, wasm (node)",
]


def test_everything_that_is_installed_agrees(tmp_path: Path) -> None:
    settings = StreamSettings(device=DeviceSettings(rate_hz=100.0, unit_factor=1 / 1024, rest=(0.0, 0.0, 1.0)))
    make_bundle(tmp_path / "bundle", sensor_contract(**encoded("gasf+gadf")))
    lines = list(run_conformance(tmp_path / "bundle", settings))
    assert [line.name for line in lines] == NAMES
    assert {line.outcome for line in lines} <= {"bit-exact", "close", "skipped"}
    assert all(line.note for line in lines if line.outcome == "skipped")
    assert lines[0].note == "the stream is made here: the bundle holds none of these settings"
    ran = [line for line in lines if line.outcome != "skipped"]
    assert {line.decisions for line in ran} == {0, lines[0].decisions} and lines[0].decisions > 20
    assert {line.inputs for line in ran} == {lines[0].inputs, 60 + lines[0].inputs}
    missing = [f"{line.name}: {line.note}" for line in lines if line.outcome == "skipped"]
    if missing:
        pytest.skip(f"agreed, without {'; '.join(missing)}")  # named, never in silence


def on(monkeypatch: pytest.MonkeyPatch, builds: tuple[Build, ...]) -> None:
    """Run in Python and by these compilers alone: the others are slow, and another test's."""
    monkeypatch.setattr(conformance, "HOST_BUILDS", builds)
    monkeypatch.setattr(conformance.cortex, "BOARDS", ())
    monkeypatch.setattr(conformance.wasm, "missing_tools", lambda: "not for this test")


def test_the_bundles_own_stream_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    (stream,) = read_golden(bundle).streams
    on(monkeypatch, conformance.HOST_BUILDS[:1])
    lines = list(run_conformance(tmp_path / "bundle"))
    assert {line.outcome for line in lines} <= {"bit-exact", "close", "skipped"}
    assert (lines[0].note, lines[0].inputs) == ("the stream is the bundle's", 4 + len(stream.windows))
    assert {line.decisions for line in lines} == {0, len(stream.decisions)}


def test_a_bundle_of_before_there_were_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    without_streams(bundle)
    assert verify_bundle(bundle.path).golden_decisions == 0
    on(monkeypatch, ())
    first, *others = run_conformance(bundle.path)
    assert (first.outcome, first.note) == ("bit-exact", "the stream is made here: the bundle holds none")
    assert first.decisions > 20 and {line.outcome for line in others} <= {"bit-exact", "close", "skipped"}


def without_streams(bundle: Bundle) -> None:
    """The same bundle as it was written before, sealed."""
    golden = read_golden(bundle).model_copy(update={"streams": ()})
    content = bundle.read(MODEL)
    write_bundle(bundle.path, model=content, float_model=content, golden=golden, manifest=bundle.manifest)
    assert b"streams" not in (bundle.path / GOLDEN).read_bytes()


def test_a_stream_of_the_bundle_that_comes_out_otherwise_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    golden = read_golden(bundle)
    (stream,) = golden.streams
    first = stream.decisions[0].model_copy(update={"margin": stream.decisions[0].margin + 1})
    wrong = stream.model_copy(update={"decisions": (first, *stream.decisions[1:])})
    content = bundle.read(MODEL)
    golden = golden.model_copy(update={"streams": (wrong,)})
    write_bundle(bundle.path, model=content, float_model=content, golden=golden, manifest=bundle.manifest)
    on(monkeypatch, conformance.HOST_BUILDS[:1])
    lines = {line.name: line for line in run_conformance(bundle.path)}
    python = lines["Python, reference kernels"]
    assert python.outcome == "differs" and "golden.json: stream synthetic-stream-0 decision 0 is" in python.note
    assert lines["C, gcc"].outcome in ("differs", "skipped")


def test_images_have_no_decisions(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle", ImageContract(stream="image", size=9, channels=1, crop="full"))
    lines = list(run_conformance(tmp_path / "bundle"))
    assert {line.outcome for line in lines} <= {"bit-exact", "close", "skipped"}
    assert not any(line.decisions for line in lines)


def test_where_nothing_is_installed_everything_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bundle(tmp_path / "bundle", sensor_contract())
    monkeypatch.setattr(toolchain.shutil, "which", lambda _: None)
    lines = {line.name: line for line in run_conformance(tmp_path / "bundle")}
    skipped = {name: line.note for name, line in lines.items() if line.outcome == "skipped"}
    assert skipped["C, gcc"] == "gcc is not installed (Debian package gcc)"
    assert "gcc-arm-none-eabi" in skipped["C, cortex-m4 (qemu)"] and "lld" in skipped["C, wasm (node)"]
    assert lines["Python, reference kernels"].outcome == "bit-exact"


def test_a_difference_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed (Debian package gcc)")
    make_bundle(tmp_path / "bundle", sensor_contract())
    real = conformance.write_firmware

    def spoilt(firmware: object, folder: Path) -> None:
        real(firmware, folder)  # type: ignore[arg-type]
        for name, before, after in (
            ("vskd_model.c", "vskd_conv_2d(", "arena[0] = 0; vskd_conv_2d("),
            ("vskd_test.c", "EXIT_FAILURE;", "EXIT_SUCCESS;"),
        ):
            text = (folder / name).read_text()
            (folder / name).write_text(text.replace(before, after))

    monkeypatch.setattr(conformance, "write_firmware", spoilt)
    monkeypatch.setattr(conformance, "HOST_BUILDS", conformance.HOST_BUILDS[:1])
    line = next(line for line in run_conformance(tmp_path / "bundle") if line.name == "C, gcc")
    assert line.outcome == "differs"
    assert "answers differ, by up to" in line.note


@pytest.mark.parametrize(("change", "outcome"), [(0, "bit-exact"), (3, "close"), (-2, "close")])
def test_kernels_of_a_phone_are_called_exact_only_where_they_are(
    monkeypatch: pytest.MonkeyPatch, change: int, outcome: str
) -> None:
    class Shifted:
        def __init__(self, content: bytes) -> None:
            assert content == b"model"

        def raw(self, x: np.ndarray) -> np.ndarray:
            return x + np.array([[0, change, 0]], np.int8)

    monkeypatch.setattr(conformance, "LiteRTModel", Shifted)
    outputs = np.array([[10, 0, 0], [0, -1, 1]], np.int8)
    graph = SimpleNamespace(content=b"model", input=SimpleNamespace(shape=(1, 3)))
    suite = SimpleNamespace(firmware=SimpleNamespace(graph=graph), inputs=outputs, outputs=outputs)
    line = conformance._optimised(suite)  # type: ignore[arg-type]
    assert (line.outcome, line.inputs) == (outcome, 2)
    assert line.note == f"up to {abs(change)} steps, same label for {1 if change > 0 else 2} of 2"


def test_the_golden_stream_meets_every_condition() -> None:
    from tests.bundle.stream.test_stream import recorder

    plan = plan_stream(sensor_contract(length=60), StreamSettings(), 0.1)
    stream, _ = recorder(plan)
    found = {decision.status for samples, times in golden_calls(plan) for decision in stream.feed(samples, times)}
    assert found == set(Condition) - {Condition.WRONG_GRAVITY, Condition.WRONG_UNIT}


def small(tmp_path: Path, *, stream: bool = True, in_place: bool = False, weight_bytes: int = 10) -> Suite:
    """Three inputs, of which two are golden and none is of the stream's one window, and two decisions."""
    golden = SimpleNamespace(vectors=[SimpleNamespace(output=(1, 2)), SimpleNamespace(output=(3, 4))], streams=())
    firmware = SimpleNamespace(
        in_place=in_place,
        plan=SimpleNamespace(device_axes=4) if stream else None,
        source=SimpleNamespace(weight_bytes=weight_bytes, weights=""),
        golden=golden,
        golden_stream=SimpleNamespace(windows=[0], outputs=[(5, 6)] if stream else []),
        stored_stream=None,
        graph=SimpleNamespace(content=b"model", input=SimpleNamespace(shape=(1, 2))),
    )
    decisions = ["first", "second"] if stream else []
    inputs = np.array([[1, 2], [3, 4], [5, 6]], np.int8)
    outputs = np.array([[1, 2], [3, 4], [5, 6]], np.int8)
    return Suite(firmware, tmp_path, inputs, outputs, ["calls"] if stream else [], decisions)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outputs", "decisions", "expected"),
    [
        ([[1, 2], [3, 4], [5, 6]], None, Line("n", "bit-exact", 3, 0, "")),
        ([[1, 2], [3, 4], [5, 6]], ["first", "second"], Line("n", "bit-exact", 3, 2, "")),
        ([[1, 2], [3, 4], [5, 6]], ["first"], Line("n", "differs", 3, 2, "the decisions of the stream differ")),
        ([[1, 2], [3, 4], [5, 6]], [], Line("n", "differs", 3, 2, "the decisions of the stream differ")),
        ([[1, 9], [-2, 7], [5, 6]], None, Line("n", "differs", 3, 0, "2 of 3 answers differ, by up to 7")),
        (
            [[1, 2], [3, 4], [-128, 6]],
            ["second", "first"],
            Line("n", "differs", 3, 2, "1 of 3 answers differ, by up to 133; the decisions of the stream differ"),
        ),
    ],
)
def test_a_line_counts_answers_and_decisions(
    tmp_path: Path, outputs: list[list[int]], decisions: list[str] | None, expected: Line
) -> None:
    found = small(tmp_path).compare("n", np.array(outputs, np.int8), decisions)  # type: ignore[arg-type]
    assert found == expected


def test_a_line_that_was_skipped_compared_nothing() -> None:
    assert (Line("n", "skipped").inputs, Line("n", "skipped").decisions, Line("n", "skipped").note) == (0, 0, "")


@pytest.mark.parametrize(("stream", "decisions"), [(True, 2), (False, 0)])
def test_the_reference_is_held_against_the_bundle(tmp_path: Path, stream: bool, decisions: int) -> None:
    suite = small(tmp_path, stream=stream)
    made = "the stream is made here: the bundle holds none" if stream else ""
    name, inputs = "Python, reference kernels", 3 if stream else 2
    assert conformance._python(suite) == Line(name, "bit-exact", inputs, decisions, made)
    suite.outputs[1, 1] += 1
    line = conformance._python(suite)
    assert (line.outcome, line.note) == ("differs", "the golden vectors differ: another version of ai-edge-litert?")


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_compiler_builds_the_test_the_model_and_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool, in_place: bool
) -> None:
    """The stream where there is one; with the file where weights are read in place."""
    suite = small(tmp_path, stream=stream, in_place=in_place)
    built: list[tuple[object, ...]] = []
    ran: list[tuple[object, ...]] = []

    def build(kind: Build, folder: Path, sources: list[str], program: Path) -> Path:
        built.append((kind, folder, sources[0], sources[1:], program.name))
        return program

    def run(program: Path, given: bytes, *arguments: str) -> bytes:
        ran.append((program.name, given, arguments))
        return suite.outputs.tobytes() if program.name == "run" else b"decisions"

    monkeypatch.setattr(conformance, "build_program", build)
    monkeypatch.setattr(conformance, "run_program", run)
    monkeypatch.setattr(conformance, "pack_calls", lambda calls: b"packed" if calls == ["calls"] else b"")
    monkeypatch.setattr(
        conformance, "read_decisions", lambda content: suite.decisions if content == b"decisions" else None
    )
    kind = Build("C, sh", "sh")
    assert conformance._host(suite, kind) == Line("C, sh", "bit-exact", 3, 2 if stream else 0, "")
    arguments = (str(tmp_path / MODEL),) if in_place else ()
    expected = [("test", b"", arguments), ("run", suite.inputs.tobytes(), arguments)]
    assert ran == expected + ([("stream", b"packed", arguments)] if stream else [])
    names = ["vskd_test.c", "vskd_run.c", "vskd_stream_run.c"][: len(ran)]
    assert [(b[0], b[1], b[2], b[4]) for b in built] == [
        (kind, tmp_path, name, r[0]) for name, r in zip(names, ran, strict=True)
    ]
    assert all(b[3] == conformance.library_sources(suite.firmware) for b in built)


def test_a_golden_test_that_fails_is_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(program: Path, given: bytes, *arguments: str) -> bytes:
        raise BundleError("test ended with 1: 3 differences", "Report it")

    monkeypatch.setattr(conformance, "build_program", lambda kind, folder, sources, program: program)
    monkeypatch.setattr(conformance, "run_program", run)
    assert conformance._host(small(tmp_path), Build("C, sh", "sh")) == Line(
        "C, sh", "differs", note="test ended with 1: 3 differences"
    )
    missing = conformance._host(small(tmp_path), Build("C, no", "cc-that-is-nowhere"))
    assert (missing.name, missing.outcome, missing.inputs) == ("C, no", "skipped", 0)


def test_as_many_values_as_were_asked_for(tmp_path: Path) -> None:
    suite = small(tmp_path)
    np.testing.assert_array_equal(conformance._outputs(suite, suite.outputs.tobytes()), suite.outputs)
    for content in (bytes(5), bytes(7), b""):
        with pytest.raises(BundleError, match=f"{len(content)} values came back instead of 6"):
            conformance._outputs(suite, content)


@pytest.mark.parametrize(
    ("missing", "weight_bytes", "note"),
    [
        ("", (4 << 20) // 2, ""),
        ("", (4 << 20) // 2 + 1, "weights of 2097153 bytes do not fit the board"),
        ("not installed: qemu", 10, "not installed: qemu"),
        ("not installed: qemu", 5 << 20, "not installed: qemu"),
    ],
)
def test_a_board_runs_what_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, weight_bytes: int, note: str
) -> None:
    asked: list[tuple[object, ...]] = []
    said = "2 golden vectors, 2 decisions, 0 differences"
    monkeypatch.setattr(conformance.cortex, "missing_tools", lambda: missing)
    monkeypatch.setattr(conformance.cortex, "run_test", lambda *given: asked.append(given) or said)
    suite, board = small(tmp_path, weight_bytes=weight_bytes), conformance.cortex.BOARDS[0]
    line = conformance._cortex(suite, board)
    if note:
        assert line == Line(board.name, "skipped", note=note) and asked == []
        return
    assert line == Line(board.name, "bit-exact", 3, 2, "")
    sources = ["vskd_test.c", *conformance.library_sources(suite.firmware)]
    assert asked == [(board, tmp_path, conformance.RUNTIME, sources, tmp_path / "cortex")]
    said = "2 golden vectors, 2 decisions, 1 differences"
    assert conformance._cortex(suite, board) == Line(board.name, "differs", 3, 2, said)


@pytest.mark.parametrize(("stream", "axes"), [(True, 4), (False, 0)])
def test_the_module_runs_the_model_and_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool, axes: int
) -> None:
    suite = small(tmp_path, stream=stream, in_place=True)
    asked: list[tuple[object, ...]] = []

    def run(module: Path, runtime: Path, kind: str, given: bytes, *rest: object) -> bytes:
        asked.append((module, kind, given, *rest))
        return suite.outputs.tobytes() if kind == "model" else b"decisions"

    monkeypatch.setattr(conformance.wasm, "missing_tools", lambda: "")
    made = tmp_path / "vskd.wasm"
    monkeypatch.setattr(conformance.wasm, "build_module", lambda *given, stream: made if stream == bool(axes) else None)
    monkeypatch.setattr(conformance.wasm, "run_module", run)
    monkeypatch.setattr(conformance, "pack_calls", lambda calls: b"packed")
    monkeypatch.setattr(conformance, "read_decisions", lambda content: suite.decisions)
    assert conformance._wasm(suite) == Line("C, wasm (node)", "bit-exact", 3, 2 if stream else 0, "")
    weights = tmp_path / MODEL
    expected = [(made, "model", suite.inputs.tobytes(), weights, axes)]
    assert asked == expected + ([(made, "stream", b"packed", weights, axes)] if stream else [])


def test_inputs_are_the_golden_ones_those_of_the_stream_and_sixty_of_the_whole_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    monkeypatch.setattr(conformance, "write_firmware", lambda *_: None)
    firmware = conformance.read_firmware(bundle)
    suite = conformance._suite(firmware, tmp_path)
    golden, windows = len(firmware.golden.vectors), len(firmware.golden_stream.windows)
    assert suite.inputs.shape == (golden + windows + 60, firmware.graph.input.size)
    model = LiteRTModel(firmware.graph.content, reference_kernels=True)
    for place in (0, golden, golden + windows, -1):
        expected = model.raw(suite.inputs[place].reshape(firmware.graph.input.shape))
        np.testing.assert_array_equal(suite.outputs[place], expected.reshape(-1))
    assert (suite.inputs[-2] == -128).all() and (suite.inputs[-1] == 127).all()
    random = suite.inputs[golden + windows : -2]
    assert (random.min(), random.max(), len(np.unique(random))) == (-128, 127, 256)
    assert [tuple(row) for row in suite.outputs[:golden]] == [tuple(v.output) for v in firmware.golden.vectors]
    assert [tuple(row) for row in suite.outputs[golden : golden + windows]] == [
        tuple(output) for output in firmware.golden_stream.outputs
    ]


def test_the_wheel_of_tflite_micro_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    line = conformance._tflite_micro(small(tmp_path))
    assert (line.name, line.outcome) == ("TFLite Micro (wheel)", "skipped")
    assert line.note.endswith("is not installed: pip install 'vskd[firmware]'")


def test_tflite_micro_is_given_every_input_in_the_models_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter stands for it: what it was given last, once it was invoked."""

    class Interpreter:
        @classmethod
        def from_bytes(cls, content: bytes) -> "Interpreter":
            assert content == b"model"
            return cls()

        def set_input(self, x: np.ndarray, place: int) -> None:
            assert (x.shape, place) == ((1, 2), 0)
            self.given = x

        def invoke(self) -> None:
            self.answer = self.given

        def get_output(self, place: int) -> np.ndarray:
            assert place == 0
            return self.answer

    runtime = SimpleNamespace(Interpreter=Interpreter)
    monkeypatch.setitem(sys.modules, "tflite_micro", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "tflite_micro.python", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", SimpleNamespace(runtime=runtime))
    assert conformance._tflite_micro(small(tmp_path)) == Line("TFLite Micro (wheel)", "bit-exact", 3, 0, "")


def test_it_is_built_in_a_folder_that_says_whose_it_is_and_that_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bundle(tmp_path / "bundle", sensor_contract())
    on(monkeypatch, ())
    folders: list[Path] = []
    monkeypatch.setattr(conformance, "write_firmware", lambda _, folder: folders.append(folder))
    assert list(run_conformance(tmp_path / "bundle"))
    (folder,) = folders
    assert folder.name.startswith("vskd-") and not folder.exists()
