"""Energy by hand."""

from dataclasses import replace

import pytest

from tests.bundle.test_budget import NEEDS
from vskd.bundle.parts import PARTS
from vskd.firmware_bridge.energy import estimate_energy

PART = PARTS["cortex-m4-256k"]


def test_a_decision_and_a_battery_by_hand() -> None:
    """64 M cycles at 3.3 mA and 3 V last one second at 64 MHz: 9.9 mJ; 100 samples are 55 microjoules."""
    energy = estimate_energy(NEEDS, PART, samples_per_hour=180_000, decisions_per_hour=1800, battery_mah=100)
    assert energy is not None
    assert energy.model_millijoules == pytest.approx(9.9)
    assert (energy.samples_per_decision, energy.microjoules_per_sample) == (100, pytest.approx(0.55))
    assert energy.millijoules_per_decision == pytest.approx(9.955)
    joules = 0.1 * 3600 * 3.7  # 0.1 Ah at 3.7 V
    assert energy.battery_days == pytest.approx(joules / (9.955e-3 * 1800 * 24))
    assert energy.picojoules_per_mac == pytest.approx(2.6 * 154.6875)
    assert "CoreMark" in energy.mac_source and "LIS2DH12" in energy.sample_source


def test_images_have_no_samples() -> None:
    energy = estimate_energy(NEEDS, PART, samples_per_hour=0, decisions_per_hour=60, battery_mah=100)
    assert energy is not None
    assert (energy.millijoules_per_decision, energy.microjoules_per_sample) == (energy.model_millijoules, 0.0)
    assert energy.sample_source == "no sensor of samples"


def test_no_figure_is_made_up() -> None:
    unknown = replace(PART, current=None)
    assert estimate_energy(NEEDS, unknown, samples_per_hour=0, decisions_per_hour=1, battery_mah=1) is None
    assert PARTS["wear-os"].current is None and PARTS["cortex-m55"].current is None


def test_what_it_was_estimated_for_is_said() -> None:
    energy = estimate_energy(NEEDS, PART, samples_per_hour=500.0, decisions_per_hour=20.0, battery_mah=77.0)
    assert energy is not None
    assert (energy.decisions_per_hour, energy.battery_mah, energy.samples_per_decision) == (20.0, 77.0, 25.0)
    assert energy.mac_source.startswith("2.6 instructions, and 117 for a value that is written (counted by qemu")
    assert energy.sample_source.startswith("ST LIS2DH12")
