"""What a model needs: sizes against compilers, counts by hand."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import encoded, linear_model, make_bundle, sensor_contract
from vskd.bundle.bundle import MODEL
from vskd.bundle.contract import ClipContract, ImageContract, SensorContract
from vskd.bundle.stream.stream_plan import plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.errors import BundleError
from vskd.firmware_bridge import footprint
from vskd.firmware_bridge.contract_header import stream_header
from vskd.firmware_bridge.cortex import COMPILER
from vskd.firmware_bridge.footprint import (
    INSTRUCTIONS_PER_MAC,
    INSTRUCTIONS_PER_VALUE,
    STACK_BYTES,
    measure_needs,
    stream_bytes,
)
from vskd.firmware_bridge.generate import RUNTIME, Firmware, library_sources, read_firmware
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source

CONTRACTS = {
    "raw": sensor_contract(),
    "both": sensor_contract(**encoded("gasf+gadf", "minmax")),
    "resampled": sensor_contract(rate_hz=100.0, axes=("x", "y", "z", "a"), unit="deg/s"),
    "whole": sensor_contract(window_mode="whole", stride=None, window_rate_hz=None),
}
SETTINGS = StreamSettings.model_validate({"decision": {"votes": 7}})
ENTRY = """#include "vskd_stream.h"
static union { double align; unsigned char bytes[VSKD_ARENA_BYTES]; } arena;
static float samples[VSKD_DEVICE_AXES];
static uint64_t times[1];
volatile int32_t shown;
int main(void)
{
    vskd_stream *stream = vskd_init(&arena, sizeof arena, vskd_weights);
    for (;;) {
        vskd_decision decision;
        (void)vskd_push(stream, samples, times, 1);
        if (vskd_poll(stream, &decision)) { shown = decision.label + (int32_t)vskd_info().classes; vskd_reset(stream); }
    }
}
"""


def written(contract: SensorContract, folder: Path) -> Firmware:
    """Sources of a device without their test, whose golden stream takes its time, and a program that calls them."""
    firmware = read_firmware(make_bundle(folder / "bundle", contract), SETTINGS)
    assert firmware.plan is not None
    texts = {"model.h": firmware.source.header, "model.c": firmware.source.code, "weights.c": firmware.source.weights}
    for name, text in (texts | {"contract.h": stream_header(firmware.bundle, firmware.plan)}).items():
        (folder / f"vskd_{name}").write_text(text)
    for name in ("vskd_stream.h", "vskd_stream.c", "vskd_kernels.h", "vskd_kernels.c"):
        shutil.copy(RUNTIME / name, folder)
    (folder / "entry.c").write_text(ENTRY)
    return firmware


def linked(firmware: Firmware, folder: Path, *flags: str) -> Path:
    """The program for a Cortex-M4."""
    words = [COMPILER, "-mcpu=cortex-m4", "-mthumb", "-O2", "-std=c99", "-ffp-contract=off", *flags]
    words += ["--specs=nano.specs", "--specs=nosys.specs", "entry.c", *library_sources(firmware), "-o", "p", "-lm"]
    subprocess.run(words, check=True, capture_output=True, cwd=folder)
    return folder / "p"


def size_of(tool: str, program: Path, symbol: str) -> int:
    """Bytes of a variable, as the linker placed it."""
    listed = subprocess.run([tool, "-S", str(program)], check=True, capture_output=True, text=True).stdout
    (line,) = (line for line in listed.splitlines() if line.endswith(f" {symbol}"))
    return int(line.split()[1], 16)


@pytest.mark.parametrize("kind", CONTRACTS)
def test_the_ram_of_a_stream_is_that_of_the_compiler(kind: str, tmp_path: Path) -> None:
    if shutil.which("gcc") is None or shutil.which("nm") is None:
        pytest.skip("needs gcc and nm")
    firmware = written(CONTRACTS[kind], tmp_path)
    (tmp_path / "size.c").write_text('#include "vskd_stream.h"\nchar arena[VSKD_ARENA_BYTES] = {1};\n')
    subprocess.run(["gcc", "-std=c99", "-c", "size.c"], check=True, cwd=tmp_path)
    assert firmware.plan is not None
    expected = stream_bytes(firmware.plan, firmware.source.plan.arena_bytes)
    assert size_of("nm", tmp_path / "size.o", "arena") == expected


@pytest.mark.parametrize("kind", ["both", "resampled"])
def test_ram_and_flash_of_a_cortex_m4(kind: str, tmp_path: Path) -> None:
    """RAM to the byte; flash at least what the linker fills, and at most a fifth and one kilobyte more."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER} (Debian: gcc-arm-none-eabi)")
    firmware = written(CONTRACTS[kind], tmp_path)
    program = linked(firmware, tmp_path, "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-fstack-usage")
    needs = measure_needs(firmware.bundle.read(MODEL), CONTRACTS[kind], SETTINGS)
    assert needs.model_ram_bytes + needs.stream_ram_bytes == size_of("arm-none-eabi-nm", program, "arena")
    listed = subprocess.run(["arm-none-eabi-size", str(program)], check=True, capture_output=True, text=True).stdout
    text = int(listed.splitlines()[1].split()[0])
    assert text <= needs.flash_bytes <= 1.2 * text + 1024
    usage = [path.read_text().splitlines() for path in tmp_path.glob("*vskd_*.su")]
    frames = [int(line.split("\t")[1]) for lines in usage for line in lines]
    assert len(frames) > 20 and sum(frames) <= STACK_BYTES  # no function calls itself


def test_counts_of_one_layer_by_hand() -> None:
    """A 1x1 convolution of 48 values to 4, between two operators that rename bytes."""
    needs = measure_needs(linear_model((3, 16)), sensor_contract())
    assert (needs.macs, needs.weights_bytes) == (192, 192)
    assert needs.instructions == round(192 * INSTRUCTIONS_PER_MAC + 4 * INSTRUCTIONS_PER_VALUE)
    assert needs.ram_bytes == needs.model_ram_bytes + needs.stream_ram_bytes + STACK_BYTES
    assert needs.model_ram_bytes == 64  # 48 values and 4, each at a multiple of 16


def test_images_have_no_stream_and_clips_no_firmware() -> None:
    contract = ImageContract(stream="image", size=8, channels=1, crop="full")
    assert measure_needs(linear_model((8, 8, 1)), contract).stream_ram_bytes == 0
    clips = ClipContract(stream="rgb", length=2, height=8, width=8, fit="squash", sampling="spread")
    with pytest.raises(BundleError, match="video clips, which firmware does not read"):
        measure_needs(b"", clips)


def test_bytes_of_code_by_hand() -> None:
    """Sizes of the compiler, see the module's text; a raw window has a column of tables for each sample."""
    content, contract = linear_model((3, 16)), sensor_contract()
    graph = read_graph(content)
    tables = model_source(graph, in_place=False).table_bytes
    plan = plan_stream(contract, StreamSettings(), graph.output.scale)
    shared = 3200 + 150 * len(graph.operators) + tables + 24 * 4
    assert measure_needs(content, contract).code_bytes == shared + 3400 + 5600 + 8 * len(plan.resampling.taps) + 4 * 16
    images = ImageContract(stream="image", size=8, channels=1, crop="full")
    other = read_graph(linear_model((8, 8, 1)))
    expected = 3200 + 150 * len(other.operators) + model_source(other, in_place=False).table_bytes + 24 * 4 + 600
    assert measure_needs(linear_model((8, 8, 1)), images).code_bytes == expected


def test_weights_beyond_an_array_are_the_whole_file(monkeypatch: pytest.MonkeyPatch) -> None:
    content = linear_model((3, 16))
    for largest, expected in ((len(content), 192), (len(content) - 1, len(content))):
        monkeypatch.setattr(footprint, "LARGEST_ARRAY", largest)
        assert measure_needs(content, sensor_contract()).weights_bytes == expected


def test_settings_of_the_stream_count() -> None:
    content, contract = linear_model((3, 16)), sensor_contract()
    more = measure_needs(content, contract, SETTINGS).stream_ram_bytes
    assert more - measure_needs(content, contract).stream_ram_bytes == 24  # 7 votes for 1, four bytes each


@pytest.mark.parametrize(
    ("changes", "side"), [({}, 16), (encoded("gasf"), 8), ({**encoded("gasf"), "encoding_inside": True}, 1)]
)
def test_columns_of_the_encodings_tables(changes: dict[str, object], side: int) -> None:
    assert footprint._side(sensor_contract(**changes)) == side


def test_the_arena_of_a_stream_by_hand() -> None:
    """A raw window of 16 samples of 3 axes: 16 floats each of ring, window and tables, the ring with one more."""
    plan = plan_stream(sensor_contract(), StreamSettings(), 0.1)
    floats = 17 * 3 + 3 + 3 * 16 + 2 * 3 * 16
    size = 8 + 8 * (3 + 17) + 4 * floats + 8 * 2 + 4 * (1 + 8)  # the pointer takes 4 bytes, and 4 to the next 8
    assert floats % 2 == 0 and (plan.ring, plan.decision.votes) == (17, 1)
    assert stream_bytes(plan) == -(-size // 8) * 8
    for model_bytes in (0, 3, 4, 5, 12, 13):
        assert stream_bytes(plan, model_bytes) == -(-(size + model_bytes) // 8) * 8


def test_the_figures_by_hand() -> None:
    needs = measure_needs(linear_model((3, 16)), sensor_contract())
    assert needs.stack_ram_bytes == 1280
    assert needs.instructions == round(2.6 * 192 + 117 * 4) == 967
