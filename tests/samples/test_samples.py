"""The samples compile, as far as that can be checked without their SDKs; the native half of Wear OS also runs."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import made_once
from tests.firmware_bridge.bundles import LABELS, Pair, sensor_contract
from vskd.bundle.stream.stream_settings import StreamSettings, read_stream_settings
from vskd.bundle.stream.synthetic_stream import golden_calls
from vskd.firmware_bridge.stream_records import read_decisions
from vskd.firmware_bridge.toolchain import EXACT, STRICT

ROOT, STUBS = Path(__file__).parents[2] / "samples", Path(__file__).parent / "stubs"
CORTEX = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated for a device of m/s^2."""
    settings = read_stream_settings(ROOT / "zephyr" / "device.yaml")
    return made_once(tmp_path_factory, "firmware-for-samples", lambda path: _made(path, settings)) / "firmware"


def _made(path: Path, settings: StreamSettings) -> None:
    path.mkdir()
    Pair.of(path, sensor_contract(), settings)


def compiled(compiler: str, *words: object, at: Path | None = None) -> None:
    """Compile without a warning; skipped where the compiler is absent."""
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    command = [compiler, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=at)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_the_link_of_a_device(firmware: Path, tmp_path: Path, compiler: str) -> None:
    target = CORTEX if compiler.startswith("arm") else ()
    parts = sorted((firmware / "link").glob("*.c"))
    assert len(parts) == 7
    compiled(compiler, *target, *STRICT, *EXACT, "-I", firmware, "-c", *parts, at=tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
@pytest.mark.parametrize("partition", [0, 1])
def test_zephyr(firmware: Path, tmp_path: Path, compiler: str, partition: int) -> None:
    target = CORTEX if compiler.startswith("arm") else ()
    headers = ("-I", STUBS, "-I", firmware, "-I", firmware / "link", f"-DSTUB_PARTITION={partition}")
    source = ROOT / "zephyr" / "src" / "main.c"
    compiled(compiler, *target, *STRICT, "-D_POSIX_C_SOURCE=200809L", *headers, "-c", source, "-o", tmp_path / "main.o")


@pytest.mark.parametrize("compiler", ["g++", "clang++", "arm-none-eabi-g++"])
def test_arduino(firmware: Path, tmp_path: Path, compiler: str) -> None:
    target = CORTEX if compiler.startswith("arm") else ()
    sketch = tmp_path / "vskd_label"
    shutil.copytree(firmware, sketch / "src" / "vskd")
    shutil.copy(ROOT / "arduino" / "vskd_label" / "vskd_label.ino", sketch)
    headers = ("-I", STUBS / "arduino", "-I", sketch / "src" / "vskd", "-I", sketch)
    flags = ("-std=c++14", "-Wall", "-Wextra", "-Werror", *headers)
    compiled(compiler, *target, *flags, "-x", "c++", "-c", sketch / "vskd_label.ino", "-o", tmp_path / "sketch.o")


def java_home() -> Path | None:
    """The folder of a JDK."""
    javac = shutil.which("javac")
    home = Path(javac).resolve().parents[1] if javac else None
    return home if home and (home / "include" / "jni.h").is_file() else None


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_wear_os_gives_the_decisions_of_python(firmware: Path, tmp_path: Path, compiler: str) -> None:
    home = java_home()
    if home is None:
        pytest.skip("no JDK is installed (Debian package default-jdk-headless)")
    library = tmp_path / "libvskd_sample.so"
    sources = [firmware / f"vskd_{part}.c" for part in ("model", "weights", "kernels", "stream")]
    headers = ("-I", home / "include", "-I", home / "include" / "linux", "-I", firmware)
    source = ROOT / "wear-os" / "app" / "src" / "main" / "cpp" / "vskd_jni.c"
    compiled(compiler, "-O1", "-shared", "-fPIC", *STRICT, *EXACT, *headers, source, *sources, "-o", library, "-lm")
    if compiler != "gcc":
        return  # one run is enough
    classes = tmp_path / "classes"
    compiled(str(home / "bin" / "javac"), "-d", classes, Path(__file__).parent / "VskdNative.java")
    settings = read_stream_settings(ROOT / "wear-os" / "device.yaml")
    made = tmp_path / "python"
    made.mkdir()
    pair = Pair.of(made, sensor_contract(), settings)
    assert pair.firmware.plan is not None
    calls = golden_calls(pair.firmware.plan)
    rows = np.empty(sum(len(samples) for samples, _ in calls), dtype=[("time", "<u8"), ("values", "<f4", 3)])
    rows["time"] = np.concatenate([times for _, times in calls if times is not None])
    rows["values"] = np.concatenate([samples for samples, _ in calls])
    command = [str(home / "bin" / "java"), "-cp", str(classes), "org.vskd.sample.VskdNative", str(library)]
    done = subprocess.run(command, input=rows.tobytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert read_decisions(done.stdout) == pair.in_python(calls)
    assert done.stderr.decode().strip() == f"{LABELS[1]} 50.0"


@pytest.mark.parametrize("sample", ["arduino", "zephyr", "wear-os"])
def test_what_was_not_compiled_is_said(sample: str) -> None:
    text = (ROOT / sample / "README.md").read_text(encoding="utf-8").lower()
    assert "not compiled" in text or "not built" in text
    assert "not run" in text
    assert read_stream_settings(ROOT / sample / "device.yaml").device.rate_hz == 50
