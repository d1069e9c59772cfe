"""The table: exact where it is, a difference where there is one, and a name for what is missing."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.firmware_bridge.bundles import encoded, make_bundle, sensor_contract
from vskd.bundle.bundle import GOLDEN, MODEL, Bundle, read_golden, verify_bundle, write_bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream_plan import plan_stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.bundle.stream.synthetic_stream import golden_calls
from vskd.firmware_bridge import conformance, toolchain
from vskd.firmware_bridge.conformance import run_conformance
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
