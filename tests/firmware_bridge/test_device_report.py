"""What `vskd bundle show` says of a device, for bundles of all kinds and ages."""

from pathlib import Path

import pytest

from tests.bundle.test_budget import NEEDS
from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from vskd.bundle.bundle import MODEL
from vskd.bundle.contract import ImageContract
from vskd.bundle.parts import PARTS
from vskd.errors import BundleError, MissingExtraError
from vskd.firmware_bridge import device_report as reporting
from vskd.firmware_bridge.device_report import device_report
from vskd.firmware_bridge.footprint import measure_needs


@pytest.fixture(autouse=True)
def no_vela(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(content: bytes) -> None:
        raise MissingExtraError("ethos-u-vela", "npu")

    monkeypatch.setattr(reporting, "vela_estimate", missing)


def test_a_stream(tmp_path: Path) -> None:
    """50 samples a second, a window every 5 of them."""
    bundle = make_bundle(tmp_path / "b", sensor_contract())
    report = device_report(bundle, "cortex-m4-256k", battery_mah=100.0)
    needs = measure_needs(bundle.read(MODEL), bundle.manifest.contract)
    assert report["ram"] == {
        "planned_bytes": needs.ram_bytes,
        "model": needs.model_ram_bytes,
        "stream": needs.stream_ram_bytes,
        "stack": needs.stack_ram_bytes,
    }
    assert report["flash"]["bytes"] == needs.flash_bytes and report["macs"] == needs.macs
    assert (report["energy"]["decisions_per_hour"], report["energy"]["samples_per_decision"]) == (36_000, 5)
    assert report["fits"] == "yes" and "vskd[npu]" in report["vela"]
    slower = device_report(bundle, "cortex-m4-256k", battery_mah=100.0, decisions_per_hour=3600)
    assert slower["energy"]["samples_per_decision"] == 50


def test_the_rate_of_the_windows_counts_not_that_of_the_sensor(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", sensor_contract(rate_hz=100.0))
    energy = device_report(bundle, "cortex-m33", battery_mah=1.0)["energy"]
    assert (energy["decisions_per_hour"], energy["samples_per_decision"]) == (36_000, 10)


def test_images_need_a_rate_and_watches_have_no_clock(tmp_path: Path) -> None:
    contract = ImageContract(stream="image", size=8, channels=1, crop="full")
    bundle = make_bundle(tmp_path / "b", contract)
    assert "give --decisions-per-hour" in device_report(bundle, "cortex-m33", battery_mah=1.0)["energy"]
    assert device_report(bundle, "cortex-m33", battery_mah=1.0, decisions_per_hour=9.0)["energy"]["battery_days"] > 0
    watch = device_report(bundle, "wear-os", battery_mah=1.0, decisions_per_hour=9.0)
    assert (watch["latency_ms_at_least"], watch["energy"]) == (
        "the part has no clock",
        "not known: no current of this part is stated",
    )


def test_what_does_not_fit_is_said_and_what_is_no_firmware_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_bundle(tmp_path / "b", sensor_contract())
    monkeypatch.setattr(reporting, "measure_needs", lambda *_: NEEDS)
    fits = device_report(bundle, "cortex-m4-256k", battery_mah=1.0)["fits"]
    assert fits.startswith("flash: 1,048,577 of 1,048,576 bytes, 1 too many; RAM: 262,145 of")

    def refuse(*_: object) -> None:
        raise BundleError("The firmware has no operator SUM", "Export again")

    monkeypatch.setattr(reporting, "measure_needs", refuse)
    report = device_report(bundle, "cortex-m4-256k", battery_mah=1.0)
    assert report["firmware"] == "none: The firmware has no operator SUM" and "ram" not in report


def test_the_part_its_source_and_its_time_are_said(tmp_path: Path) -> None:
    bundle, part = make_bundle(tmp_path / "b", sensor_contract()), PARTS["cortex-m4-256k"]
    report = device_report(bundle, "cortex-m4-256k", battery_mah=120.0)
    needs = measure_needs(bundle.read(MODEL), bundle.manifest.contract)
    assert (report["part"], report["part_source"]) == (f"{part.name} ({part.title})", part.source)
    assert report["latency_ms_at_least"] == needs.latency_ms(part) is not None
    assert report["flash"] == {
        "bytes": needs.flash_bytes,
        "weights": needs.weights_bytes,
        "code_estimated": needs.code_bytes,
    }
    assert report["energy"]["battery_mah"] == 120.0


def test_images_have_no_sensor_of_samples(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b", ImageContract(stream="image", size=8, channels=1, crop="full"))
    energy = device_report(bundle, "cortex-m33", battery_mah=1.0, decisions_per_hour=9.0)["energy"]
    assert (energy["samples_per_decision"], energy["decisions_per_hour"]) == (0, 9.0)
    assert energy["sample_source"] == "no sensor of samples"


def test_a_bundle_of_which_no_firmware_is_made_may_still_run_on_an_npu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BundleError("The firmware has no operator SUM", "Export again")

    monkeypatch.setattr(reporting, "measure_needs", refuse)
    report = device_report(make_bundle(tmp_path / "b", sensor_contract()), "cortex-m33", battery_mah=1.0)
    assert set(report) == {"part", "part_source", "firmware", "vela"} and "vskd[npu]" in report["vela"]
