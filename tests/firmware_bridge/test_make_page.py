"""The folder of a page: complete, free of requests, refused by name where it cannot be made."""

import base64
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from tests.firmware_bridge.pages import SETTINGS, Site
from vskd.bundle.contract import ImageContract
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.errors import BundleError, SettingError
from vskd.firmware_bridge import make_page as make_page_module
from vskd.firmware_bridge import wasm
from vskd.firmware_bridge.make_page import PAGE, _script, example_csv, make_page, page_plan
from vskd.firmware_bridge.stream_file import stream_file

ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)


def test_the_folder_holds_all_that_it_names_and_names_nothing_else(site: Site) -> None:
    names = {path.name for path in site.folder.iterdir()}
    page = (site.folder / "index.html").read_text(encoding="utf-8")
    asked = set(re.findall(r'(?:src|href)="([^"#:]+)"', page))
    assert asked | {"index.html"} == names
    for path in PAGE.iterdir():
        assert (site.folder / path.name).read_bytes() == path.read_bytes()
        text = path.read_text(encoding="utf-8")
        assert ADDRESS.findall(text) == [] and "fetch(" not in text and "XMLHttpRequest" not in text, path
    assert "default-src 'none'" in page and "connect-src 'none'" in page
    assert base64.b64decode((site.folder / "module.js").read_text().split('"')[1]).startswith(b"\0asm")


def test_the_example_is_the_golden_stream_to_python_too(site: Site) -> None:
    decisions = site.firmware.golden_stream.decisions
    events = list(stream_file(site.firmware.bundle, site.folder / "example.csv", SETTINGS))
    labels = site.firmware.bundle.manifest.provenance.labels
    assert [event.status for event in events] == [d.status for d in decisions]
    assert [event.label for event in events] == [labels[d.label] if d.label >= 0 else "" for d in decisions]
    rows = site.expected(site.firmware.golden_stream.calls)  # what the page gives, bit for bit
    assert [e.confidence for e in events] == [row[7][row[1]] if row[0] == 0 else None for row in rows]


def test_an_example_in_counts_of_the_device_says_no_unit(site: Site) -> None:
    plan = site.firmware.plan
    assert plan is not None
    calls = [(np.array([[0.1, np.nan, -2]], np.float32), np.array([1_000_020], np.uint64))]
    assert example_csv(plan, calls) == "time_us,x [g],y [g],z [g]\n1000020,0.1,nan,-2.0\n"


def test_a_page_is_replaced_and_other_folders_are_not(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(BundleError, match="was not generated"):
        make_page(site.firmware.bundle.path, tmp_path / "mine")


def test_what_is_no_stream_of_one_sensor_is_refused_by_name(tmp_path: Path) -> None:
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    with pytest.raises(BundleError, match=r"takes images, and the page reads a sensor.*vskd predict"):
        make_page(images.path, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_axes_that_no_recording_has_are_refused(site: Site) -> None:
    from vskd.firmware_bridge.generate import read_firmware

    settings = StreamSettings(device=DeviceSettings(axes=(1, 0, 3)))
    with pytest.raises(SettingError, match=r"names axis 3, and a recording has the contract's 3 axes"):
        page_plan(read_firmware(site.firmware.bundle, settings))


def test_a_missing_compiler_is_named(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasm.shutil, "which", lambda _: None)
    with pytest.raises(BundleError, match=r"not installed: clang \(Debian: clang\), wasm-ld \(Debian: lld\)"):
        make_page(site.firmware.bundle.path, tmp_path / "page")


def test_weights_beyond_an_array_lie_beside_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vskd.firmware_bridge import generate

    monkeypatch.setattr(generate, "LARGEST_ARRAY", 100)
    if wasm.missing_tools(("clang", "wasm-ld")):
        pytest.skip(wasm.missing_tools(("clang", "wasm-ld")))
    bundle = make_bundle(tmp_path / "bundle", sensor_contract())
    report = make_page(bundle.path, tmp_path / "page")
    model = bundle.read("model.tflite")
    assert report.weight_bytes == len(model) and "weights.js" in report.files
    assert base64.b64decode((tmp_path / "page" / "weights.js").read_text().split('"')[1]) == model


def test_an_example_of_another_unit_says_none_and_needs_stamps(site: Site) -> None:
    plan = site.firmware.plan
    assert plan is not None
    counts = dataclasses.replace(plan, factor=0.5)
    samples = np.array([[1, 2, 3]], np.float32)
    calls = [(samples, np.array([5], np.uint64)), (samples, np.array([6], np.uint64))]
    assert example_csv(counts, calls) == "time_us,x,y,z\n5,1.0,2.0,3.0\n6,1.0,2.0,3.0\n"
    with pytest.raises(TypeError, match="time stamps"):
        example_csv(plan, [(samples, None)])


def test_the_stream_of_a_page_is_the_firmwares(site: Site) -> None:
    from vskd.firmware_bridge.generate import read_firmware

    assert page_plan(site.firmware) is site.firmware.plan
    turned = StreamSettings(device=DeviceSettings(axes=(2, 0, 1)))
    assert page_plan(read_firmware(site.firmware.bundle, turned)).axes == (2, 0, 1)


def test_the_module_takes_a_stream_and_was_built_in_a_folder_of_its_own(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = base64.b64decode((site.folder / "module.js").read_text().split('"')[1])
    assert b"vskd_wasm_push" in module and b"vskd_wasm_run" in module
    folders: list[Path] = []

    def build(folder: Path, *rest: object, stream: bool) -> Path:
        folders.append(folder)
        assert stream and (folder / "vskd_model.c").is_file()
        rest[2].write_bytes(b"built")  # type: ignore[attr-defined]
        return rest[2]  # type: ignore[return-value]

    monkeypatch.setattr(make_page_module, "build_module", build)
    report = make_page(site.firmware.bundle.path, tmp_path / "page")
    assert (report.out, report.module_bytes, report.weight_bytes) == (tmp_path / "page", 5, 0)
    assert list(report.files) == sorted(path.name for path in (tmp_path / "page").iterdir())
    (folder,) = folders
    assert folder.name.startswith("vskd-") and not folder.exists()


def test_a_script_is_plain_ascii_and_json(tmp_path: Path) -> None:
    _script(tmp_path / "x.js", "labels", ["größer", 1.5, None])
    text = (tmp_path / "x.js").read_bytes().decode("ascii")
    assert text == 'globalThis.vskd = globalThis.vskd || {};\nvskd.labels = ["gr\\u00f6\\u00dfer", 1.5, null];\n'
    with pytest.raises(ValueError, match="JSON"):
        _script(tmp_path / "x.js", "rate", float("nan"))
