"""Common parts that a student runs on: what they hold, how fast they are and what they draw, each with its source.

The figures are those of the whole part: what a program of one's own needs besides is for the recipe's budget to leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KIB, MIB = 1024, 1024**2


@dataclass(frozen=True)
class Current:
    """What a processor draws while it computes.

    Attributes:
        microamps_per_mhz: running code from its flash.
        volts: of the supply.
        source: where both are from.
    """

    microamps_per_mhz: float
    volts: float
    source: str

    @property
    def picojoules_per_cycle(self) -> float:
        """1 microampere per megahertz at 1 V is 1 pJ a cycle."""
        return self.microamps_per_mhz * self.volts


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: what recipes call it.
        title: the device whose figures these are.
        flash_bytes: memory for code and weights.
        ram_bytes: memory for all that changes.
        source: where these two and the clock are from.
        microcontroller: False of a watch with an operating system.
        clock_mhz: of the processor; None where it says nothing about the time of an answer.
        current: None where no figure of the maker was at hand.
    """

    name: str
    title: str
    flash_bytes: int
    ram_bytes: int
    source: str
    microcontroller: bool = True
    clock_mhz: float | None = None
    current: Current | None = None


_PARTS = (
    Part(
        name="cortex-m4-256k",
        title="Nordic nRF52840, Cortex-M4F",
        flash_bytes=MIB,
        ram_bytes=256 * KIB,
        source="nRF52840 Product Specification, key features",
        clock_mhz=64.0,
        current=Current(
            microamps_per_mhz=3300 / 64,
            volts=3.0,
            source="nRF52840 Product Specification, CPU running CoreMark from flash, DC/DC, 3 V: 3.3 mA at 64 MHz",
        ),
    ),
    Part(
        name="cortex-m33",
        title="Nordic nRF54L15, Cortex-M33",
        flash_bytes=1524 * KIB,
        ram_bytes=256 * KIB,
        source="nRF54L15 data sheet, features and peripherals",
        clock_mhz=128.0,
        current=Current(
            microamps_per_mhz=2600 / 128,
            volts=3.0,
            source="nRF54L15 data sheet, CPU running CoreMark from NVM, cache enabled, 3 V: 2.6 mA at 128 MHz",
        ),
    ),
    Part(
        name="cortex-m55",
        title="Nuvoton NuMicro M55M1, Cortex-M55 with an Ethos-U55",
        flash_bytes=2 * MIB,
        ram_bytes=1344 * KIB,
        source="NuMaker-M55M1, features in Zephyr's page of the board",
        clock_mhz=220.0,
    ),
    Part(
        name="wear-os",
        title="a watch with Wear OS: what an app may count on",
        flash_bytes=1024 * MIB,
        ram_bytes=32 * MIB,
        source="Android Compatibility Definition: storage of a Watch (7.6.1/W-0-1), least memory of its apps (3.7)",
        microcontroller=False,
    ),
)

PARTS: Mapping[str, Part] = {part.name: part for part in _PARTS}
