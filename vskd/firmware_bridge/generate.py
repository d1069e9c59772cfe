"""From a bundle to a folder of C99 that any compiler builds: `vskd firmware generate`."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from vskd.bundle.bundle import GOLDEN, MODEL, Bundle, load_bundle, read_golden
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.encoding import model_input
from vskd.bundle.golden import Golden
from vskd.bundle.runtime import quantize
from vskd.bundle.stream.golden_stream import NO_STREAM, GoldenStream, Played, play, stored_stream
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import golden_calls
from vskd.errors import BundleError
from vskd.files import atomic_folder
from vskd.firmware_bridge.contract_header import image_header, stream_header
from vskd.firmware_bridge.golden_source import golden_source
from vskd.firmware_bridge.graph import Graph, read_graph
from vskd.firmware_bridge.model_source import ModelSource, model_source

RUNTIME = Path(__file__).parent / "runtime"
"""Hand-written C that is copied into every generated folder."""
SENSOR_FILES = ("vskd_stream.h", "vskd_stream.c", "vskd_stream_run.c", "main.c")
IMAGE_FILES = ("vskd_image.h", "vskd_image.c")
LINK_FILES = tuple(
    f"link/vskd_{part}.{kind}"
    for part in ("link", "messages", "sha256", "slots", "parcel", "update", "device")
    for kind in ("h", "c")
)
"""The link to a host and the slots for bundles; of bundles of a sensor."""
COMMON_FILES = ("vskd_kernels.h", "vskd_kernels.c", "vskd_host.h", "vskd_run.c", "vskd_test.c")
MARK = "vskd_model.h"
"""A folder that holds it was generated, and may be replaced."""
LARGEST_ARRAY = 2_000_000
"""Weights beyond are read in place: a C array of 11.5 MB costs clang 34 s and 1.1 GB."""

Weights = Literal["auto", "array", "in-place"]


@dataclass(frozen=True)
class Report:
    """What was generated.

    Attributes:
        out: the folder.
        files: their names.
        operators: how many.
        arena_bytes: RAM of the model's tensors.
        weight_bytes: of the array, or of the .tflite file that is read in place.
        in_place: which of the two.
        macs: multiply-accumulates of one answer.
        delay_samples: the device's samples by which a decision is later than its window; None for images.
    """

    out: Path
    files: tuple[str, ...]
    operators: int
    arena_bytes: int
    weight_bytes: int
    in_place: bool
    macs: int
    delay_samples: int | None


@dataclass(frozen=True)
class Firmware:
    """A bundle, read for generation.

    Attributes:
        bundle: opened.
        graph: its model.
        source: the model in C.
        plan: of the stream; None for images.
        settings: of the stream.
        golden: its vectors and streams.
    """

    bundle: Bundle
    graph: Graph
    source: ModelSource
    plan: StreamPlan | None
    settings: StreamSettings
    golden: Golden

    @cached_property
    def golden_stream(self) -> Played:
        """A stream and what follows from it; an empty one for images. Computed when it is asked for.

        It is the bundle's own where that holds one for these settings of the device and the decision, else a synthetic
        one that is made here.
        """
        if self.plan is None:
            return NO_STREAM
        stored = self.stored_stream
        if stored is not None:
            return stored_stream(stored, self.plan.contract, str(self.bundle.path / GOLDEN))
        return play(self.graph.content, self.plan, golden_calls(self.plan))

    @property
    def stored_stream(self) -> GoldenStream | None:
        """The bundle's golden stream of these settings."""
        return next((stream for stream in self.golden.streams if stream.settings == self.settings), None)

    @property
    def in_place(self) -> bool:
        """Whether weights are read from the .tflite file."""
        return not self.source.weights


def generate(bundle: Path, out: Path, settings: StreamSettings | None = None, weights: Weights = "auto") -> Report:
    """Write the firmware of a bundle; the folder appears complete, or not at all.

    Args:
        bundle: its folder; all hashes are checked.
        out: folder to make; one generated earlier is replaced.
        settings: of the device's sensor and of the decision; for bundles of a sensor.
        weights: `array`: in vskd_weights.c; `in-place`: in a copy of model.tflite, which the caller puts into memory,
            aligned to 16 bytes; `auto`: by size.

    Raises:
        BundleError: the bundle is damaged, an operator is missing, or `out` holds something else.
        SettingError: a setting does not fit the contract.
        WriteError: the folder cannot be written.
    """
    refuse_foreign(out, MARK)
    firmware = read_firmware(load_bundle(bundle), settings, weights)
    with atomic_folder(out) as folder:
        write_firmware(firmware, folder)
        files = tuple(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()))
    return Report(
        out=out,
        files=files,
        operators=len(firmware.graph.operators),
        arena_bytes=firmware.source.plan.arena_bytes,
        weight_bytes=firmware.source.weight_bytes,
        in_place=firmware.in_place,
        macs=firmware.source.macs,
        delay_samples=None if firmware.plan is None else firmware.plan.delay,
    )


def refuse_foreign(out: Path, mark: str) -> None:
    """Refuse to replace a folder that was not generated: one that is not empty, and lacks the file `mark`.

    Raises:
        BundleError: `out` holds something else.
    """
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / mark).is_file())):
        raise BundleError(f"{out} exists and was not generated, so it is not replaced", "Choose another output folder")


def read_firmware(bundle: Bundle, settings: StreamSettings | None = None, weights: Weights = "auto") -> Firmware:
    """Read a bundle and generate its model in memory; see `generate`."""
    content = bundle.read(MODEL)
    graph = read_graph(content, str(bundle.path / MODEL))
    in_place = len(content) > LARGEST_ARRAY if weights == "auto" else weights == "in-place"
    contract, plan = bundle.manifest.contract, None
    if isinstance(contract, ClipContract):
        raise BundleError(
            f"{bundle.path} takes video clips, which firmware does not read", "Use a bundle of a sensor or of images"
        )
    if isinstance(contract, ImageContract):
        if settings is not None:
            raise BundleError(f"{bundle.path} takes images; it has no stream", "Leave the settings of the stream out")
    else:
        plan = plan_stream(contract, settings or StreamSettings(), graph.output.scale)
    source, said = model_source(graph, in_place=in_place), settings or StreamSettings()
    return Firmware(bundle, graph, source, plan, said, read_golden(bundle))


def write_firmware(firmware: Firmware, folder: Path) -> None:
    """Write all files into an existing folder."""
    bundle, source = firmware.bundle, firmware.source
    texts = {"vskd_model.h": source.header, "vskd_model.c": source.code}
    if firmware.in_place:
        (folder / MODEL).write_bytes(bundle.read(MODEL))
    else:
        texts["vskd_weights.c"] = source.weights
    texts["vskd_contract.h"] = _contract_header(firmware)
    texts["vskd_golden.h"] = golden_source(firmware.golden, firmware.golden_stream)
    texts["CMakeLists.txt"] = cmake_lists(firmware)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    if firmware.plan is not None:
        (folder / "link").mkdir(exist_ok=True)
    for name in (*COMMON_FILES, *((*SENSOR_FILES, *LINK_FILES) if firmware.plan is not None else IMAGE_FILES)):
        shutil.copyfile(RUNTIME / name, folder / name)


def library_sources(firmware: Firmware) -> list[str]:
    """The .c files that belong into a device."""
    last = ["vskd_stream.c"] if firmware.plan is not None else ["vskd_image.c"]
    weights = [] if firmware.in_place else ["vskd_weights.c"]
    return ["vskd_model.c", "vskd_kernels.c", *weights, *last]


def cmake_lists(firmware: Firmware) -> str:
    """CMakeLists.txt: a library for the device, and the test of the golden vectors."""
    sources = " ".join(library_sources(firmware))
    kind = "stream" if firmware.plan is not None else "image"
    example = "\nadd_executable(vskd_example main.c)\ntarget_link_libraries(vskd_example vskd)\n"
    link = f"\nadd_library(vskd_link STATIC {' '.join(name for name in LINK_FILES if name.endswith('.c'))})\n"
    link += "target_include_directories(vskd_link PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/link)\n"
    link += "target_link_libraries(vskd_link PUBLIC vskd)\n"
    argument = " ${CMAKE_CURRENT_SOURCE_DIR}/model.tflite" if firmware.in_place else ""
    return f"""# Generated by vskd from a bundle of kind {kind}.
cmake_minimum_required(VERSION 3.13)
project(vskd C)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

add_library(vskd STATIC {sources})
target_include_directories(vskd PUBLIC ${{CMAKE_CURRENT_SOURCE_DIR}})
# Products and sums must not be fused: the encoding would differ from the bundle's.
target_compile_options(vskd PRIVATE -Wall -Wextra -Wconversion -pedantic -ffp-contract=off)
target_link_libraries(vskd PUBLIC m)
{example + link if kind == "stream" else ""}
enable_testing()
add_executable(vskd_test vskd_test.c)
target_link_libraries(vskd_test vskd)
add_test(NAME golden COMMAND vskd_test{argument})
"""


def _contract_header(firmware: Firmware) -> str:
    contract, given = firmware.bundle.manifest.contract, firmware.graph.input
    if firmware.plan is not None:
        return stream_header(firmware.bundle, firmware.plan)
    assert isinstance(contract, ImageContract)  # all others have a stream, or were refused
    levels = np.repeat(np.arange(256, dtype=np.uint8), int(np.prod(contract.sample_shape)))
    shape = (256, *contract.sample_shape)
    values = [np.unique(model_input(level, contract)).item() for level in levels.reshape(shape)]
    pixels = quantize(np.array(values, dtype=np.float32), given.scale, given.zero_point)
    return image_header(firmware.bundle, contract, [int(pixel) for pixel in pixels])
