"""A folder that any compiler builds: complete or not at all, the same bytes each time, and its own test passes."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import HOST, LABELS, encoded, make_bundle, sensor_contract
from vskd.bundle.bundle import MODEL, load_bundle
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.stream import Decision
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.errors import BundleError
from vskd.firmware_bridge import generate as generating
from vskd.firmware_bridge.generate import (
    MARK,
    RUNTIME,
    Firmware,
    cmake_lists,
    generate,
    library_sources,
    read_firmware,
    refuse_foreign,
    write_firmware,
)
from vskd.firmware_bridge.reference import reference_stream
from vskd.firmware_bridge.toolchain import HOST_BUILDS, Build, build_program, run_program


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    make_bundle(folder / "bundle", sensor_contract(**encoded("gasf+gadf")))
    return folder / "bundle"


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_report_and_the_same_bytes_each_time(bundle: Path, tmp_path: Path) -> None:
    report = generate(bundle, tmp_path / "out")
    assert set(report.files) == set(content(tmp_path / "out"))
    assert (report.operators, report.in_place, report.delay_samples) == (3, False, 0)
    assert report.macs == 4 * 6 * 8 * 8  # four classes, six channels of 8 x 8
    before = content(tmp_path / "out")
    generate(bundle, tmp_path / "out")  # replaced
    assert content(tmp_path / "out") == before


def test_a_folder_that_was_not_generated_stays(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match="was not generated, so it is not replaced"):
        generate(bundle, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_bundle_writes_nothing(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    (tmp_path / "bundle" / "model.tflite").write_bytes(b"other")
    with pytest.raises(BundleError, match=r"model\.tflite was changed"):
        generate(tmp_path / "bundle", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_where_the_weights_go(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By size, a model of exactly the largest size still as an array; or as asked, whatever the size."""
    loaded = load_bundle(bundle)
    size = len(loaded.read(MODEL))
    for largest, by_size in ((size, False), (size - 1, True)):
        monkeypatch.setattr("vskd.firmware_bridge.generate.LARGEST_ARRAY", largest)
        assert read_firmware(loaded).in_place is by_size
        assert read_firmware(loaded, weights="array").in_place is False
        assert read_firmware(loaded, weights="in-place").in_place is True


@pytest.mark.parametrize("build", HOST_BUILDS, ids=lambda build: build.name)
@pytest.mark.parametrize("weights", ["array", "in-place"])
def test_the_golden_vectors_and_the_example(bundle: Path, tmp_path: Path, build: Build, weights: str) -> None:
    if build.missing:
        pytest.skip(build.missing)
    out = tmp_path / "out"
    generate(bundle, out, weights=weights)  # type: ignore[arg-type]
    sources = library_sources(read_firmware(load_bundle(bundle), weights=weights))  # type: ignore[arg-type]
    arguments = [str(out / "model.tflite")] if weights == "in-place" else []
    for main, expected in (("vskd_test.c", rb"4 golden vectors, \d\d decisions, 0 differences\n"), ("main.c", None)):
        said = run_program(build_program(build, out, [main, *sources], tmp_path / "program"), b"", *arguments)
        assert (expected is not None and re.fullmatch(expected, said)) or (expected is None and said.count(b"\n") > 150)


def test_a_golden_vector_that_does_not_come_out_is_found(bundle: Path, tmp_path: Path) -> None:
    if HOST.missing:
        pytest.skip(HOST.missing)
    out = tmp_path / "out"
    generate(bundle, out)
    kernels = (out / "vskd_kernels.c").read_text()
    (out / "vskd_kernels.c").write_text(
        kernels.replace("scaled + layer->output_zero", "scaled + layer->output_zero + 1")
    )
    sources = library_sources(read_firmware(load_bundle(bundle)))
    program = build_program(HOST, out, ["vskd_test.c", *sources], tmp_path / "program")
    with pytest.raises(BundleError, match="program ended with 1"):
        run_program(program, b"")


def test_cmake_builds_it_and_ctest_runs_its_test(bundle: Path, tmp_path: Path) -> None:
    if not shutil.which("cmake") or HOST.missing:
        pytest.skip("cmake or gcc is not installed (Debian packages cmake, gcc)")
    generate(bundle, tmp_path / "out")
    build = str(tmp_path / "build")
    for command in (["cmake", "-S", str(tmp_path / "out"), "-B", build], ["cmake", "--build", build]):
        subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run(["ctest", "--test-dir", build], check=True, capture_output=True, text=True)
    assert "100% tests passed, 0 tests failed out of 1" in done.stdout


@pytest.mark.parametrize("channels", [1, 3])
def test_images(tmp_path: Path, channels: int) -> None:
    """Pixels to a label: a table does the scaling, and the label is Python's."""
    if HOST.missing:
        pytest.skip(HOST.missing)
    contract = ImageContract(stream="image", size=9, channels=channels, crop="full", value_range=(-1.0, 1.0))
    bundle = make_bundle(tmp_path / "bundle", contract)
    out = tmp_path / "out"
    assert generate(bundle.path, out).delay_samples is None
    (out / "classify.c").write_text(
        '#include <stdio.h>\n#include "vskd_image.h"\nstatic int8_t arena[VSKD_MODEL_ARENA_BYTES];\n'
        "static uint8_t pixels[VSKD_MODEL_INPUT_BYTES];\nint main(void)\n{\n"
        "    while (fread(pixels, sizeof(pixels), 1, stdin) == 1) {\n"
        '        (void)printf("%s\\n", vskd_label(vskd_classify(pixels, vskd_weights, arena)));\n'
        "    }\n    return 0;\n}\n"
    )
    program = build_program(HOST, out, ["classify.c", *library_sources(read_firmware(bundle))], tmp_path / "classify")
    generator, model = np.random.default_rng(0), LiteRTModel(bundle.read("model.tflite"), reference_kernels=True)
    images = generator.integers(0, 256, (30, channels, 9, 9)).astype(np.uint8)
    rows = run_program(program, np.ascontiguousarray(images.transpose(0, 2, 3, 1)).tobytes()).decode("utf-8")
    raw = [model.raw(model.to_raw(model_input(image, contract)[np.newaxis]))[0] for image in images]
    expected = [LABELS[int(logits.argmax())] for logits in raw]
    assert rows.splitlines() == expected
    assert len(set(expected)) > 1


def test_images_have_no_stream(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", ImageContract(stream="image", size=9, channels=1, crop="full"))
    with pytest.raises(BundleError, match="it has no stream"):
        generate(bundle.path, tmp_path / "out", StreamSettings())


def test_no_heap_no_recursion_and_libm_in_the_encoding_alone() -> None:
    paths = [*RUNTIME.glob("*.[ch]"), *RUNTIME.glob("link/*.[ch]")]
    sources = {path.name: path.read_text(encoding="utf-8") for path in paths}
    assert not [name for name, text in sources.items() if "malloc(" in text or "alloca(" in text]
    assert [name for name, text in sources.items() if "math.h" in text] == ["vskd_stream.c"]


def test_fast_arithmetic_is_refused(bundle: Path, tmp_path: Path) -> None:
    if HOST.missing:
        pytest.skip(HOST.missing)
    generate(bundle, tmp_path / "out")
    fast = Build("C, gcc", "gcc", ("-O2", "-ffast-math"))
    with pytest.raises(BundleError, match="must not be compiled with -ffast-math"):
        build_program(fast, tmp_path / "out", ["vskd_stream.c"], tmp_path / "program")


def test_a_missing_compiler_is_named() -> None:
    build = Build("C, other", "cc-that-is-nowhere")
    assert build.missing == "cc-that-is-nowhere is not installed (Debian package cc-that-is-nowhere)"


def test_what_may_be_replaced(tmp_path: Path) -> None:
    """Nothing, an empty folder, and one that was generated; no file, and no other folder."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    for name, inside in (("generated", MARK), ("other", "letter.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / inside).touch()
    for name in ("nothing", "empty", "generated"):
        refuse_foreign(tmp_path / name, MARK)
    for name in ("file", "other"):
        with pytest.raises(BundleError, match=f"{name} exists and was not generated"):
            refuse_foreign(tmp_path / name, MARK)


def test_cmake_builds_what_there_is(bundle: Path, tmp_path: Path) -> None:
    loaded = load_bundle(bundle)
    text = cmake_lists(read_firmware(loaded))
    assert "add_library(vskd STATIC vskd_model.c vskd_kernels.c vskd_weights.c vskd_stream.c)" in text
    assert "add_executable(vskd_example main.c)" in text and "bundle of kind stream" in text
    assert "link/vskd_link.c link/vskd_messages.c" in text and ".h" not in text.partition("vskd_link STATIC")[2]
    assert "add_test(NAME golden COMMAND vskd_test)\n" in text
    beside = cmake_lists(read_firmware(loaded, weights="in-place"))
    assert "add_library(vskd STATIC vskd_model.c vskd_kernels.c vskd_stream.c)" in beside
    assert "COMMAND vskd_test ${CMAKE_CURRENT_SOURCE_DIR}/model.tflite)\n" in beside
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    text = cmake_lists(read_firmware(images))
    assert "vskd_weights.c vskd_image.c)" in text and "bundle of kind image" in text
    assert "vskd_example" not in text and "vskd_link" not in text


def test_what_is_written_for_each_kind(bundle: Path, tmp_path: Path) -> None:
    generate(bundle, tmp_path / "sensor", weights="in-place")
    names = set(content(tmp_path / "sensor"))
    assert {"model.tflite", "vskd_stream.c", "main.c", "link/vskd_update.c", "vskd_golden.h"} <= names
    assert names.isdisjoint({"vskd_weights.c", "vskd_image.c"})
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    generate(images.path, tmp_path / "image")
    names = set(content(tmp_path / "image"))
    assert {"vskd_weights.c", "vskd_image.c", "vskd_image.h", "vskd_run.c", "vskd_test.c"} <= names
    assert names.isdisjoint({"model.tflite", "vskd_stream.c", "main.c"}) and not any("link" in name for name in names)


def test_clips_are_refused_by_name(tmp_path: Path) -> None:
    clips = ClipContract(stream="rgb", length=2, height=8, width=8, fit="squash", sampling="spread")
    loaded = make_bundle(tmp_path / "b", sensor_contract())
    changed = dataclasses.replace(loaded, manifest=loaded.manifest.model_copy(update={"contract": clips}))
    with pytest.raises(BundleError, match="takes video clips, which firmware does not read"):
        read_firmware(changed)


def test_the_stream_of_the_bundle_serves_its_own_settings_alone(tmp_path: Path) -> None:
    loaded = make_bundle(tmp_path / "b", sensor_contract())
    own, other = read_firmware(loaded), read_firmware(loaded, StreamSettings.model_validate({"decision": {"votes": 3}}))
    assert own.stored_stream is not None and own.stored_stream.settings == StreamSettings() == own.settings
    assert other.stored_stream is None and other.settings.decision.votes == 3
    slow = read_firmware(loaded, StreamSettings.model_validate({"device": {"rate_hz": 100}}))
    assert slow.plan is not None and slow.plan.delay > 0


LINK = {
    f"link/vskd_{part}.{kind}"
    for part in ("link", "messages", "sha256", "slots", "parcel", "update", "device")
    for kind in ("h", "c")
}
ALL = {
    *("CMakeLists.txt", "vskd_model.h", "vskd_model.c", "vskd_contract.h", "vskd_golden.h", "vskd_kernels.h"),
    *("vskd_kernels.c", "vskd_host.h", "vskd_run.c", "vskd_test.c"),
}
"""Of every bundle."""


def test_the_files_of_each_kind(bundle: Path, tmp_path: Path) -> None:
    sensor = {"vskd_stream.h", "vskd_stream.c", "vskd_stream_run.c", "main.c", "vskd_weights.c"} | LINK
    assert set(generate(bundle, tmp_path / "array").files) == ALL | sensor
    in_place = generate(bundle, tmp_path / "place", weights="in-place")
    assert set(in_place.files) == ALL | sensor - {"vskd_weights.c"} | {"model.tflite"}
    assert in_place.in_place and in_place.weight_bytes == (bundle / MODEL).stat().st_size
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    report = generate(images.path, tmp_path / "image")
    assert set(report.files) == ALL | {"vskd_image.h", "vskd_image.c", "vskd_weights.c"}
    assert report.out == tmp_path / "image" and list(report.files) == sorted(report.files)


def test_settings_reach_what_is_generated(bundle: Path, tmp_path: Path) -> None:
    settings = StreamSettings.model_validate({"device": {"rate_hz": 100}, "decision": {"votes": 5}})
    report = generate(bundle, tmp_path / "out", settings)
    assert report.delay_samples is not None and report.delay_samples > 0
    assert "#define VSKD_VOTES 5\n" in (tmp_path / "out" / "vskd_contract.h").read_text()


@pytest.mark.parametrize("channels", [1, 3])
def test_each_grey_has_the_number_that_the_model_takes(tmp_path: Path, channels: int) -> None:
    contract = ImageContract(stream="image", size=9, channels=channels, crop="full", value_range=(-1.0, 1.0))
    firmware = read_firmware(make_bundle(tmp_path / "bundle", contract))
    write_firmware(firmware, tmp_path)
    (table,) = re.findall(r"#define VSKD_PIXELS \{(.*)\}", (tmp_path / "vskd_contract.h").read_text())
    model = LiteRTModel(firmware.graph.content)
    pictures = [np.full((channels, 9, 9), grey, np.uint8) for grey in range(256)]
    expected = [int(model.to_raw(model_input(picture, contract)[np.newaxis]).flat[7]) for picture in pictures]
    assert [int(number) for number in table.split(", ")] == expected and len(set(expected)) > 200


def test_a_stream_is_the_bundles_own_or_made_here_and_images_have_none(tmp_path: Path) -> None:
    loaded = make_bundle(tmp_path / "b", sensor_contract())
    own = read_firmware(loaded)
    assert own.stored_stream is not None
    played = own.golden_stream
    assert len(played.decisions) == len(own.stored_stream.decisions) == len(loaded_decisions(own)) > 20
    other = read_firmware(loaded, StreamSettings.model_validate({"device": {"rate_hz": 100}})).golden_stream
    assert len(other.decisions) > 20
    samples, found = (sum(len(samples) for samples, _ in one.calls) for one in (played, other))
    assert found != samples
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    nothing = read_firmware(images).golden_stream
    assert (list(nothing.calls), list(nothing.decisions), len(nothing.windows)) == ([], [], 0)


def loaded_decisions(firmware: Firmware) -> list[Decision]:
    """What the golden stream's samples give, in Python."""
    assert firmware.plan is not None
    stream = reference_stream(firmware.graph, firmware.plan)
    return [d for samples, times in firmware.golden_stream.calls for d in stream.feed(samples, times)]


def test_weights_are_an_array_up_to_two_million_bytes_and_the_link_is_found_by_cmake(bundle: Path) -> None:
    assert generating.LARGEST_ARRAY == 2_000_000
    text = cmake_lists(read_firmware(load_bundle(bundle)))
    assert "target_include_directories(vskd_link PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/link)\n" in text
    assert "target_link_libraries(vskd_link PUBLIC vskd)\n" in text
