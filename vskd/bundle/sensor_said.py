"""Rate and unit of a recording: who says them, whether all agree, and whether they fit the sensor contract.

Nothing is assumed that would change the answer: a rate that nobody says is asked for, and a unit that nobody says is
taken only where gravity proves it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.bundle.contract import SensorContract
from vskd.bundle.sensor_checks import RATE_TOLERANCE, check_rate, steady_rate
from vskd.bundle.sensor_columns import Chosen
from vskd.errors import BundleError, DataError, first_few
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.gravity import measures_gravity
from vskd.preprocessing.sensor.samples import Samples
from vskd.preprocessing.sensor.units import conversion, normal_unit

_RATE = re.compile(
    r"(?P<number>[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*(?P<unit>k?hz|samples?/s(?:ec)?|sps|/s)?(?:\s*\(.*\))?", re.I
)
OF_DATASET = "of the data set's own files"


@dataclass(frozen=True)
class SampleUnit:
    """The samples' unit, who says so, and what they are multiplied by."""

    name: str
    source: str
    factor: float

    @property
    def known(self) -> bool:
        """Whether anybody says it."""
        return bool(self.source)


def settle_rate(
    file: Path,
    contract: SensorContract,
    given: float | None,
    samples: Samples,
    clock: tuple[Clock | None, str],
    own: bool,
) -> tuple[float, str] | None:
    """The recording's rate, and who says so; None where nobody does.

    Args:
        file: for messages.
        contract: what the model asks for.
        given: what the caller says, in Hz.
        samples: may declare it in a remark.
        clock: of the file, and how it was read.
        own: whether it is one of the data set's own files, which have the contract's rate.

    Raises:
        BundleError: a rate does not fit the contract, or two of them contradict.
        DataError: a remark gives no positive number.
    """
    declared = declared_rate(file, samples)
    by_clock = clock[0].rate_hz if clock[0] else None
    found = [
        ("the option says", given),
        ("the file says", declared),
        (f"the file's clock ({clock[1]}) says", by_clock),
    ]
    for source, rate in found:
        check_rate(file, contract, source, rate, clock[0].facts if clock[0] and rate == by_clock else ())
    said = [(source, rate) for source, rate in found if rate is not None]
    for source, rate in said[1:]:
        if abs(rate - said[0][1]) > RATE_TOLERANCE * said[0][1]:
            raise BundleError(
                f"{file}: {said[0][0]} {said[0][1]:g} Hz, {source} {rate:g} Hz",
                "Leave the wrong one out, or correct it",
            )
    for source, rate in found:
        if rate is not None:
            return steady_rate(rate, contract), re.sub(
                r"^the file's clock \((.*)\)$", r"\1", source.removesuffix(" says")
            )
    return (contract.rate_hz, OF_DATASET) if own else None


def no_rate(
    file: Path, contract: SensorContract, clock: Clock | None, unread: tuple[str, ...], possible: Sequence[str]
) -> BundleError:
    """What to raise where nobody says the rate; `unread` is why the clock does not, `possible` are columns like one."""
    what = f"no column is called a clock, and these count on as one does: {first_few(possible, 8, ', ')}"
    why = "; ".join([*unread, *(clock.facts if clock else ()), *([what] if possible else [])])
    choose = "Name its clock by number with --time, or state" if possible else "State"
    return BundleError(
        f"{file}: does not say its rate{f' ({why})' if why else ''}, and the model asks for {contract.rate_hz:g} Hz",
        f"{choose} its samples per second with --rate",
    )


def declared_rate(file: Path, samples: Samples) -> float | None:
    """What a remark `# rate_hz: 50` says, in Hz; None where there is none.

    Raises:
        DataError: it is no positive number.
    """
    text = samples.declared.get("rate_hz")
    if text is None:
        return None
    match = _RATE.fullmatch(text)
    rate = float(match["number"].replace(",", ".")) if match else 0.0
    if match and (match["unit"] or "").lower() == "khz":
        rate *= 1000
    if not 0 < rate < float("inf"):
        raise DataError(f"{file}: rate_hz is '{text}', which is no positive number", "Write e.g. '# rate_hz: 50'")
    return rate


def settle_unit(
    file: Path, samples: Samples, chosen: Chosen, contract: SensorContract, given: str | None, own: bool
) -> SampleUnit:
    """The samples' unit. Where nobody says it, it is the contract's, if gravity can prove it.

    Raises:
        DataError: several units are declared.
        BundleError: it is of another quantity, or must be said.
    """
    header = [samples.units[c] for c in chosen.columns if samples.units and samples.units[c]]
    declared = {
        normal_unit(u): u for u in [*header, *([samples.declared["unit"]] if "unit" in samples.declared else [])]
    }
    if len(declared) > 1:
        raise DataError(f"{file}: declares several units: {', '.join(sorted(declared))}", "Give all axes in one unit")
    said = [("the file says", unit) for unit in declared.values()]
    said = [("the option says", given), *said] if given is not None else said
    for source, unit in said:
        if conversion(unit, contract.unit) is None:
            raise BundleError(
                f"{file}: wrong unit: the model asks for {contract.unit}, {source} {unit}",
                f"Give samples in {contract.unit}, or in a unit of the same quantity",
            )
    if len({normal_unit(unit) for _, unit in said}) > 1:
        raise BundleError(
            f"{file}: the option says {said[0][1]}, the file says {said[1][1]}", "Leave out --unit, or correct the file"
        )
    if said:
        source, unit = said[0]
        return SampleUnit(unit, source.removesuffix(" says"), conversion(unit, contract.unit) or 1.0)
    if own:
        return SampleUnit(contract.unit, OF_DATASET, 1.0)
    shown = contract.calibrated and measures_gravity(contract.stream, contract.unit)
    if not shown or len(contract.axes) != 3:
        raise BundleError(
            f"{file}: does not say its unit, and the model asks for {contract.unit}", "State its unit with --unit"
        )
    return SampleUnit(contract.unit, "", 1.0)
