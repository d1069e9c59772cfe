"""The hardware budget of a student: what it may take of a part, and whether what it needs fits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import model_validator

from vskd.bundle.contract import Contract
from vskd.bundle.parts import PARTS, Part
from vskd.errors import BundleError
from vskd.schema import Count, Positive, Strict

PartName = Literal["cortex-m4-256k", "cortex-m33", "cortex-m55", "wear-os"]
"""The parts of `vskd.bundle.parts`; a test compares."""
LIMITS = ("flash_bytes", "ram_bytes", "macs", "latency_ms")


class Budget(Strict):
    """What a student may need on its device; a model that needs more is not shipped.

    Attributes:
        part: a part of `vskd.bundle.parts`, which gives flash and RAM where these are not said.
        flash_bytes: for weights and code.
        ram_bytes: for the model, its stream and their stack.
        macs: multiply-accumulates of one answer.
        latency_ms: of one answer; needs a part with a clock.
    """

    part: PartName | None = None
    flash_bytes: Count | None = None
    ram_bytes: Count | None = None
    macs: Count | None = None
    latency_ms: Positive | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> "Budget":
        if self.part is None and all(getattr(self, name) is None for name in LIMITS):
            raise ValueError(f"it limits nothing; say part, or one of {', '.join(LIMITS)}")
        if self.latency_ms is not None and (self.device is None or self.device.clock_mhz is None):
            clocked = ", ".join(name for name, part in PARTS.items() if part.clock_mhz is not None)
            raise ValueError(f"latency_ms needs a part with a clock: {clocked}; or limit macs")
        return self

    @property
    def device(self) -> Part | None:
        """The part, with its figures."""
        return None if self.part is None else PARTS[self.part]

    @property
    def for_microcontrollers(self) -> bool:
        """Whether the student is meant for a microcontroller."""
        if self.device is not None:
            return self.device.microcontroller
        return self.flash_bytes is not None or self.ram_bytes is not None


@dataclass(frozen=True)
class Needs:
    """What a model needs on a device, with the generated C.

    Attributes:
        model_ram_bytes: its activations, planned by liveness.
        stream_ram_bytes: samples, window and encoding of the stream; 0 of images.
        stack_ram_bytes: an upper bound.
        weights_bytes: as they lie in flash.
        code_bytes: estimate, constants of the layers included.
        macs: multiply-accumulates of one answer.
        instructions: estimate for one answer of the model.
    """

    model_ram_bytes: int
    stream_ram_bytes: int
    stack_ram_bytes: int
    weights_bytes: int
    code_bytes: int
    macs: int
    instructions: int

    @property
    def ram_bytes(self) -> int:
        """All RAM."""
        return self.model_ram_bytes + self.stream_ram_bytes + self.stack_ram_bytes

    @property
    def flash_bytes(self) -> int:
        """All flash."""
        return self.weights_bytes + self.code_bytes

    def latency_ms(self, part: Part) -> float | None:
        """Estimate of one answer at one instruction per cycle; None of a part without a clock."""
        return None if part.clock_mhz is None else self.instructions / part.clock_mhz / 1000


Measure = Callable[[bytes, Contract], Needs]
"""A .tflite file and the bundle's contract -> what it needs; raises BundleError where no firmware can be made of it."""


@dataclass(frozen=True)
class Line:
    """One quantity of a budget: what is needed, what there is, and how to need less."""

    name: str
    needed: float
    allowed: float
    unit: str
    advice: str

    @property
    def over(self) -> bool:
        """Whether it does not fit."""
        return self.needed > self.allowed

    def __str__(self) -> str:
        """E.g. `RAM: 300,000 of 262,144 bytes, 37,856 too many`."""
        digits = 0 if self.unit != "ms" else 2
        needed, allowed, rest = (
            f"{value:,.{digits}f}" for value in (self.needed, self.allowed, self.needed - self.allowed)
        )
        return f"{self.name}: {needed} of {allowed}{self.unit and ' '}{self.unit}, {rest} too many"


def budget_lines(needs: Needs, budget: Budget) -> list[Line]:
    """Every quantity that the budget limits."""
    part = budget.device
    flash = budget.flash_bytes or (part.flash_bytes if part else None)
    ram = budget.ram_bytes or (part.ram_bytes if part else None)
    latency = needs.latency_ms(part) if part is not None else None
    asked = (
        ("flash", needs.flash_bytes, flash, "bytes", "a narrower network"),
        (
            "RAM",
            needs.ram_bytes,
            ram,
            "bytes",
            "shorter windows, smaller images, or narrower first layers",
        ),
        ("multiply-accumulates", needs.macs, budget.macs, "", "a smaller network, or a shorter or smaller input"),
        ("time of an answer", latency, budget.latency_ms, "ms", "a smaller network, or a part with a faster clock"),
    )
    return [Line(name, n, a, unit, how) for name, n, a, unit, how in asked if n is not None and a is not None]


def check_fits(needs: Needs, budget: Budget) -> None:
    """Refuse what does not fit.

    Raises:
        BundleError: says by how much, and what to do.
    """
    over = [line for line in budget_lines(needs, budget) if line.over]
    if over:
        where = "export.budget" if budget.device is None else f"{budget.part} ({budget.device.title})"
        raise BundleError(
            f"The student does not fit {where}; {'; '.join(map(str, over))}; nothing was written",
            f"Use {'; or '.join(dict.fromkeys(line.advice for line in over))}; or raise export.budget",
        )
