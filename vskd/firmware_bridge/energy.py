"""What decisions cost a battery: an estimate from stated constants, each with its source.

Counted are the model's instructions, at one cycle each, and the sensor's samples. Not counted are the encoding, sleep,
radio and screen, and the losses of a battery: a device that does no more than this lives as long, and no device longer.
"""

from dataclasses import dataclass

from vskd.bundle.budget import Needs
from vskd.bundle.parts import Part
from vskd.firmware_bridge.footprint import INSTRUCTIONS_PER_MAC, INSTRUCTIONS_PER_VALUE

MICROJOULES_PER_SAMPLE = 11e-6 * 2.5 / 50 * 1e6
"""Of an accelerometer: ST LIS2DH12 data sheet (DocID025056 Rev 6), current consumption of operating modes: 11 uA at
50 Hz in normal mode, 2.5 V. At 25 and 100 Hz it is within a tenth of that."""
SAMPLE_SOURCE = "ST LIS2DH12 data sheet DocID025056, normal mode at 50 Hz: 11 uA at 2.5 V"
INSTRUCTION_SOURCE = "counted by qemu on a Cortex-M4, benchmarks/instructions.py"
BATTERY_VOLTS = 3.7
"""Nominal, of a lithium cell."""


@dataclass(frozen=True)
class Energy:
    """The estimate.

    Attributes:
        picojoules_per_mac: of a multiply-accumulate.
        mac_source: of the current and the count behind it.
        model_millijoules: of one answer of the model.
        samples_per_decision: that the sensor measures from one decision to the next.
        microjoules_per_sample: of the sensor.
        sample_source: of that.
        millijoules_per_decision: both.
        decisions_per_hour: at which the battery's life is stated.
        battery_mah: at `BATTERY_VOLTS`.
        battery_days: of a device that does nothing else.
    """

    picojoules_per_mac: float
    mac_source: str
    model_millijoules: float
    samples_per_decision: float
    microjoules_per_sample: float
    sample_source: str
    millijoules_per_decision: float
    decisions_per_hour: float
    battery_mah: float
    battery_days: float


def estimate_energy(
    needs: Needs, part: Part, *, samples_per_hour: float, decisions_per_hour: float, battery_mah: float
) -> Energy | None:
    """What decisions cost; None of a part whose current is not known.

    Args:
        needs: of the model.
        part: that computes.
        samples_per_hour: of the sensor; 0 of images, whose camera is not counted.
        decisions_per_hour: of the model.
        battery_mah: charge of the battery.
    """
    if part.current is None:
        return None
    per_cycle = part.current.picojoules_per_cycle
    model = needs.instructions * per_cycle * 1e-9
    samples = samples_per_hour / decisions_per_hour
    decision = model + samples * MICROJOULES_PER_SAMPLE * 1e-3
    battery = battery_mah * 3.6 * BATTERY_VOLTS * 1e3  # millijoules
    return Energy(
        picojoules_per_mac=INSTRUCTIONS_PER_MAC * per_cycle,
        mac_source=f"{INSTRUCTIONS_PER_MAC:g} instructions, and {INSTRUCTIONS_PER_VALUE:g} for a value that is "
        f"written ({INSTRUCTION_SOURCE}); {part.current.source}",
        model_millijoules=model,
        samples_per_decision=samples,
        microjoules_per_sample=MICROJOULES_PER_SAMPLE if samples_per_hour else 0.0,
        sample_source=SAMPLE_SOURCE if samples_per_hour else "no sensor of samples",
        millijoules_per_decision=decision,
        decisions_per_hour=decisions_per_hour,
        battery_mah=battery_mah,
        battery_days=battery / (decision * decisions_per_hour * 24),
    )
