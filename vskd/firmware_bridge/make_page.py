"""From a bundle to a page that any browser opens, with the generated C as WebAssembly: `vskd firmware page`."""

import base64
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.bundle.bundle import MODEL, load_bundle
from vskd.bundle.stream.stream_plan import StreamPlan
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import Call
from vskd.errors import BundleError, SettingError
from vskd.files import atomic_folder
from vskd.firmware_bridge.generate import (
    RUNTIME,
    Firmware,
    library_sources,
    read_firmware,
    refuse_foreign,
    write_firmware,
)
from vskd.firmware_bridge.page_contract import page_contract
from vskd.firmware_bridge.wasm import build_module, missing_tools

PAGE = Path(__file__).parent / "page"
"""Hand-written files that are copied into every page."""
MARK = "module.js"
"""A folder that holds it is a page, and may be replaced."""
EXAMPLE = "example.csv"


@dataclass(frozen=True)
class PageReport:
    """What was made.

    Attributes:
        out: the folder.
        files: their names.
        module_bytes: of the WebAssembly module, before it is written as text.
        weight_bytes: of model.tflite, where the module reads its weights there; else 0.
    """

    out: Path
    files: tuple[str, ...]
    module_bytes: int
    weight_bytes: int


def make_page(bundle: Path, out: Path, settings: StreamSettings | None = None) -> PageReport:
    """Write the page of a bundle; the folder appears complete, or not at all.

    Nothing in it is fetched by a program, so that it works from a disk (file://) as from a server: the module, the
    contract and the example are scripts that hold base64, JSON and text.

    Args:
        bundle: its folder; all hashes are checked.
        out: folder to make; a page made earlier is replaced.
        settings: of the sensor that recordings are of, and of the decision.

    Raises:
        BundleError: the bundle is damaged or not of a sensor, an operator or a tool is missing, or `out` holds
            something else.
        SettingError: a setting does not fit the contract.
        WriteError: the folder cannot be written.
    """
    refuse_foreign(out, MARK)
    firmware = read_firmware(load_bundle(bundle), settings)
    plan = page_plan(firmware)
    missing = missing_tools(("clang", "wasm-ld"))
    if missing:
        raise BundleError(f"The page needs a compiler for WebAssembly; {missing}", "Install it")
    with atomic_folder(out) as folder:
        module, weights = _write(firmware, plan, folder)
        files = tuple(sorted(path.name for path in folder.iterdir()))
    return PageReport(out, files, module, weights)


def page_plan(firmware: Firmware) -> StreamPlan:
    """The stream of a page.

    Raises:
        BundleError: the bundle is of images.
        SettingError: the device has axes that no recording has.
    """
    plan, path = firmware.plan, firmware.bundle.path
    if plan is None:
        raise BundleError(
            f"{path} takes images, and the page reads a sensor: browsers scale images by other rules than the contract",
            f"Use: vskd predict {path} IMAGE",
        )
    if plan.device_axes > len(plan.axes):
        raise SettingError(
            f"device.axes names axis {plan.device_axes - 1}, and a recording has the contract's {len(plan.axes)} axes",
            f"Name axes 0 to {len(plan.axes) - 1}",
        )
    return plan


def example_csv(plan: StreamPlan, calls: list[Call]) -> str:
    """A stream as a recording that `vskd predict --stream` and the page read to the same numbers.

    Args:
        plan: gives the names and the unit.
        calls: with time stamps, in microseconds.
    """
    unit = f" [{plan.contract.unit}]" if plan.factor == 1 else ""
    lines = [",".join(["time_us", *(f"{axis}{unit}" for axis in plan.contract.axes)])]
    for samples, times in calls:
        if times is None:
            raise TypeError("an example has time stamps")
        for sample, time in zip(samples, times, strict=True):
            lines.append(",".join([str(time), *map(_shortest, sample)]))
    return "\n".join(lines) + "\n"


def _shortest(value: np.float32) -> str:
    """The shortest decimal that is this float32 and no other."""
    return str(value) if np.isfinite(value) else "nan"


def _write(firmware: Firmware, plan: StreamPlan, folder: Path) -> tuple[int, int]:
    """Write all files; bytes of the module, and of weights beside it."""
    for path in PAGE.iterdir():
        shutil.copyfile(path, folder / path.name)
    with tempfile.TemporaryDirectory(prefix="vskd-") as name:
        sources = Path(name)
        write_firmware(firmware, sources)
        path = build_module(sources, RUNTIME, library_sources(firmware), sources / "vskd.wasm", stream=True)
        module = path.read_bytes()
    weights = firmware.bundle.read(MODEL) if firmware.in_place else b""
    example = example_csv(plan, firmware.golden_stream.calls)
    (folder / EXAMPLE).write_text(example, encoding="utf-8")
    _script(folder / "contract.js", "contract", page_contract(firmware, plan))
    _script(folder / MARK, "module", _base64(module))
    _script(folder / "weights.js", "weights", _base64(weights))
    _script(folder / "example.js", "example", example)
    return len(module), len(weights)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _script(path: Path, name: str, content: object) -> None:
    """A script that is JSON but for its beginning."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False)
    path.write_text(f"globalThis.vskd = globalThis.vskd || {{}};\nvskd.{name} = {text};\n", encoding="utf-8")
