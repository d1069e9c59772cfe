"""The common parts: their figures as their makers give them, and the energy of a cycle."""

from dataclasses import asdict

import pytest

from vskd.bundle.parts import PARTS, Current, Part


@pytest.mark.parametrize(
    ("name", "flash_kib", "ram_kib", "clock_mhz", "milliamps"),
    [
        ("cortex-m4-256k", 1024, 256, 64.0, 3.3),
        ("cortex-m33", 1524, 256, 128.0, 2.6),
        ("cortex-m55", 2048, 1344, 220.0, None),
        ("wear-os", 1024 * 1024, 32 * 1024, None, None),
    ],
)
def test_the_figures_of_the_data_sheets(
    name: str, flash_kib: int, ram_kib: int, clock_mhz: float | None, milliamps: float | None
) -> None:
    part = PARTS[name]
    assert (part.name, part.flash_bytes, part.ram_bytes) == (name, flash_kib * 1024, ram_kib * 1024)
    assert part.clock_mhz == clock_mhz and part.microcontroller == (name != "wear-os")
    assert part.title and part.source
    if milliamps is None:
        assert part.current is None
    else:
        assert part.current is not None and part.clock_mhz is not None and part.current.source
        assert part.current.microamps_per_mhz * part.clock_mhz == pytest.approx(1000 * milliamps)
        assert part.current.volts == 3.0


def test_all_parts_are_told_apart() -> None:
    assert list(PARTS) == ["cortex-m4-256k", "cortex-m33", "cortex-m55", "wear-os"]
    assert len({tuple(map(str, asdict(part).values())) for part in PARTS.values()}) == len(PARTS)


def test_a_cycle_takes_current_times_voltage() -> None:
    assert Current(microamps_per_mhz=50.0, volts=1.8, source="").picojoules_per_cycle == pytest.approx(90.0)


def test_a_part_is_a_microcontroller_without_a_clock_unless_it_says_so() -> None:
    part = Part("own", "my part", 1, 1, "me")
    assert part.microcontroller and part.clock_mhz is None and part.current is None
