"""The hardware budget: what fits, and by how much the rest does not."""

from dataclasses import fields, replace
from typing import get_args

import pytest
from pydantic import ValidationError

from vskd.bundle.budget import Budget, Needs, PartName, budget_lines, check_fits
from vskd.bundle.parts import PARTS
from vskd.errors import BundleError

NEEDS = Needs(
    model_ram_bytes=200_000,
    stream_ram_bytes=60_000,
    stack_ram_bytes=2_145,
    weights_bytes=1_000_000,
    code_bytes=48_577,
    macs=6_400_000,
    instructions=64_000_000,
)


def test_what_fills_a_part_to_the_last_byte_fits_and_one_more_does_not() -> None:
    budget = Budget(part="cortex-m4-256k", latency_ms=1000.0, macs=6_400_000)
    less = replace(NEEDS, stack_ram_bytes=2_144, code_bytes=48_576)
    assert (less.ram_bytes, less.flash_bytes) == (262_144, 1_048_576)
    check_fits(less, budget)
    with pytest.raises(BundleError) as caught:
        check_fits(NEEDS, budget)
    assert str(caught.value) == (
        "The student does not fit cortex-m4-256k (Nordic nRF52840, Cortex-M4F); flash: 1,048,577 of 1,048,576 bytes, "
        "1 too many; RAM: 262,145 of 262,144 bytes, 1 too many; nothing was written. Use a narrower network; or "
        "shorter windows, smaller images, or narrower first layers; or raise export.budget."
    )


def test_what_is_said_counts_in_place_of_the_part() -> None:
    lines = {line.name: line for line in budget_lines(NEEDS, Budget(part="cortex-m33", ram_bytes=1000))}
    assert (lines["RAM"].allowed, lines["RAM"].over) == (1000, True)
    assert (lines["flash"].allowed, lines["flash"].over) == (1524 * 1024, False)
    assert set(lines) == {"flash", "RAM"}


def test_time_and_multiply_accumulates() -> None:
    part = PARTS["cortex-m4-256k"]
    assert NEEDS.latency_ms(part) == pytest.approx(1000.0)  # 64 M instructions at 64 MHz
    assert NEEDS.latency_ms(PARTS["wear-os"]) is None
    with pytest.raises(BundleError, match=r"time of an answer: 1,000\.00 of 999\.00 ms, 1\.00 too many"):
        check_fits(NEEDS, Budget(part="cortex-m4-256k", ram_bytes=300_000, flash_bytes=2_000_000, latency_ms=999.0))
    with pytest.raises(BundleError, match=r"not fit export\.budget; multiply-accumulates: 6,400,000 of 1, 6,399,999"):
        check_fits(NEEDS, Budget(macs=1))


@pytest.mark.parametrize("content", [{}, {"latency_ms": 1.0}, {"part": "wear-os", "latency_ms": 1.0}, {"macs": 0}])
def test_a_budget_that_cannot_be_kept_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "it limits nothing; say part, or one of flash_bytes, ram_bytes, macs, latency_ms"),
        ({"latency_ms": 1.0}, "latency_ms needs a part with a clock: cortex-m4-256k, cortex-m33, cortex-m55; or limit"),
        ({"part": "wear-os", "latency_ms": 1.0}, "latency_ms needs a part with a clock"),
    ],
)
def test_what_a_budget_lacks_is_said(content: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Budget.model_validate(content)


def test_who_it_is_for() -> None:
    assert Budget(part="cortex-m4-256k").for_microcontrollers and Budget(ram_bytes=1).for_microcontrollers
    assert not Budget(part="wear-os").for_microcontrollers and not Budget(macs=1).for_microcontrollers


def test_every_part_can_be_named_and_says_where_its_figures_are_from() -> None:
    assert get_args(PartName) == tuple(PARTS)
    for name, part in PARTS.items():
        assert part.name == name and part.source and part.title
        assert part.ram_bytes > 0 and part.flash_bytes > 0
        assert part.current is None or (part.current.source and part.clock_mhz)
    assert PARTS["cortex-m4-256k"].ram_bytes == 256 * 1024
    current = PARTS["cortex-m4-256k"].current
    assert current is not None and current.picojoules_per_cycle == pytest.approx(3.3e-3 * 3.0 / 64e6 * 1e12)


def test_needs_are_counts() -> None:
    assert {field.type for field in fields(Needs)} <= {"int", int}


def test_what_is_not_limited_has_no_line() -> None:
    assert [line.name for line in budget_lines(NEEDS, Budget(macs=1))] == ["multiply-accumulates"]
    assert [line.name for line in budget_lines(NEEDS, Budget(flash_bytes=1))] == ["flash"]
    assert [line.name for line in budget_lines(NEEDS, Budget(ram_bytes=1))] == ["RAM"]
    timed = budget_lines(NEEDS, Budget(part="cortex-m33", latency_ms=500.0))
    assert [(line.name, line.needed, line.allowed) for line in timed] == [
        ("flash", 1_048_577, 1524 * 1024),
        ("RAM", 262_145, 256 * 1024),
        ("time of an answer", 500.0, 500.0),
    ]
    assert not timed[-1].over and str(timed[-1]) == "time of an answer: 500.00 of 500.00 ms, 0.00 too many"
    check_fits(NEEDS, Budget(part="cortex-m33", ram_bytes=262_145, latency_ms=500.0))


def test_the_same_advice_is_given_once_and_flash_alone_is_of_a_microcontroller() -> None:
    with pytest.raises(BundleError) as caught:
        check_fits(NEEDS, Budget(macs=1, flash_bytes=1, ram_bytes=1))
    assert caught.value.action == (
        "Use a narrower network; or shorter windows, smaller images, or narrower first layers; or a smaller network, "
        "or a shorter or smaller input; or raise export.budget"
    )
    assert Budget(flash_bytes=1).for_microcontrollers and Budget(flash_bytes=1).device is None
    assert (NEEDS.ram_bytes, NEEDS.flash_bytes) == (262_145, 1_048_577)
