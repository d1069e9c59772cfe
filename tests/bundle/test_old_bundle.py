"""A bundle of the first format, committed beside this file: it is verified, shown, asked, and made into firmware.

Its manifest knows no kind of contract, no network's cost and no threshold, it has no list of what it learned from, and
its model ends in FULLY_CONNECTED. The weights are random numbers.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.predict import predict_file
from vskd.firmware_bridge import device_report as reporting
from vskd.firmware_bridge.generate import generate
from vskd.firmware_bridge.vela import VelaEstimate

OLD = Path(__file__).parent / "old_bundle"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def test_it_is_of_the_first_format() -> None:
    text = (OLD / "manifest.json").read_text(encoding="utf-8")
    assert all(f'"{key}"' not in text for key in ("kind", "network", "unknown", "learned.json", "fine_tuned"))
    assert sum(path.stat().st_size for path in OLD.iterdir()) < 20_000


def test_it_verifies(old: Path) -> None:
    report = verify_bundle(old)
    assert report.golden_vectors == 2
    manifest = load_bundle(old).manifest
    assert (manifest.network, manifest.contract.kind) == (None, "sensor")


def test_it_predicts(old: Path, tmp_path: Path) -> None:
    time = np.arange(40)[:, None] / 50
    samples = np.sin(time * (3.0, 5.0, 7.0)) * 0.5 + (0, 0, 1)
    header = "# rate_hz: 50\n# unit: g\nx,y,z"
    np.savetxt(tmp_path / "recording.csv", samples, delimiter=",", header=header, comments="")
    answer = predict_file(old, tmp_path / "recording.csv")
    assert answer.label in load_bundle(old).manifest.provenance.labels
    assert sum(answer.probabilities.values()) == pytest.approx(1)


def test_it_is_shown_and_becomes_firmware(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "vela_estimate", lambda content: VelaEstimate("n", "s", 1.0, 1, 1, 1, 1))
    report = reporting.device_report(load_bundle(old), "cortex-m4-256k", battery_mah=100.0)
    assert report["fits"] == "yes" and report["macs"] == 192
    assert generate(old, tmp_path / "firmware").macs == 192
