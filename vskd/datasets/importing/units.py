"""The unit of some signals: what a flag or header says, held against gravity, or what gravity alone proves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.datasets.importing.columns import ChosenColumns
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError, first_few, rounded
from vskd.preprocessing.sensor.column_names import quantity_of
from vskd.preprocessing.sensor.gravity import at_rest, gravity_fault, lacks_gravity, measures_gravity
from vskd.preprocessing.sensor.units import GRAVITY, parse_unit

Signals = Mapping[str, npt.NDArray[np.float32]]
"""Of some files by name: (axes, samples), as they are written."""

NEAR = 1.25
MOST_FAULTS = 0.5
"""Share of the files that may show no gravity: people circle their arms."""
WEAK = 0.5
"""Length at rest, as it is written, below which there is no gravity: g is the largest unit of acceleration."""
COUNTS = tuple(2**n for n in range(5, 15))
_CANDIDATES = (("g", 1.0), ("m/s^2", GRAVITY["m/s^2"]), ("mg", 1000.0))


@dataclass(frozen=True)
class UnitGuess:
    """The unit, and who says so."""

    unit: str
    source: str


def find_unit(signals: Signals, rate_hz: float, chosen: ChosenColumns, stated: Stated) -> UnitGuess:
    """The unit of some signals.

    Args:
        signals: of a sample of the files.
        rate_hz: of them.
        chosen: says what the header says.
        stated: says what the caller says.

    Raises:
        DataError: nobody says it and nothing proves it, those who do disagree, or gravity contradicts; --unit is named.
    """
    said, source = (stated.unit, "--unit") if stated.unit else (chosen.unit, "header")
    if said and parse_unit(said) is None:
        raise DataError(
            f"The {source} says the unit '{said}', which vskd does not know".replace("The --", "--"),
            "Say --unit g, mg, m/s^2, deg/s, rad/s, or counts with their factor, e.g. --unit '1/64 g'",
        )
    if stated.unit and chosen.unit and not _same(stated.unit, chosen.unit):
        raise DataError(f"--unit says {stated.unit}, the files say {chosen.unit}", "Leave --unit out, or mend them")
    has_gravity = measures_gravity(stated.stream, "g") and len(chosen.columns) == 3
    if said and quantity_of(stated.stream) in ("accelerometer", "gyroscope"):
        _check_quantity(said, stated.stream)
    if said and has_gravity and not stated.uncalibrated:
        moved = {name: signal - np.float32(stated.offset) for name, signal in signals.items()}
        _refuse_without_gravity(_lacking(moved, rate_hz), moved, stated, f", in {said} ({source})")
        _check_gravity(moved, rate_hz, said, source)
    if said:
        return UnitGuess(said, source)
    if not has_gravity or stated.uncalibrated or stated.offset:
        raise DataError(f"The files do not say the unit of the {stated.stream}", "Say it with --unit")
    weak = list(signals) if _median_rest(signals, rate_hz) < WEAK else _lacking(signals, rate_hz)
    _refuse_without_gravity(weak, signals, stated, ", and nobody says its unit")
    return _by_gravity(signals, rate_hz)


def _lacking(signals: Signals, rate_hz: float) -> list[str]:
    """Files that show no gravity, whatever their unit."""
    return [name for name, signal in signals.items() if lacks_gravity(at_rest(signal, rate_hz))]


def _refuse_without_gravity(lacking: Sequence[str], signals: Signals, stated: Stated, of_unit: str) -> None:
    """Refuse an accelerometer most of whose files show no gravity; `of_unit` follows what they hold."""
    if len(lacking) > MOST_FAULTS * len(signals):
        raise DataError(
            f"{len(lacking)} of {len(signals)} files ({first_few(lacking, 2, ', ')}) show no gravity: their vectors "
            f"are near 0 at rest, or on average. That is likely linear (user) acceleration, gravity removed{of_unit}",
            "Name the columns of the accelerometer's own signal with --columns; or say what this is: --stream "
            f"linear-acceleration --columns {','.join(stated.columns) or 'A,B,C'} --unit UNIT (Android writes it in "
            "m/s^2, Apple in g); or --unit UNIT --uncalibrated of a device that shows no 1 g",
        )


def _same(one: str, other: str) -> bool:
    first, second = parse_unit(one), parse_unit(other)
    return (
        first is not None and second is not None and (first.quantity, first.factor) == (second.quantity, second.factor)
    )


def _check_quantity(unit: str, stream: str) -> None:
    known = parse_unit(unit)
    wanted = {"accelerometer": "acceleration", "gyroscope": "angular rate"}[quantity_of(stream)]
    if known is not None and known.quantity != wanted:
        raise DataError(
            f"The unit {unit} is of {known.quantity}, and the {stream} measures {wanted}",
            "Correct --unit, or name the sensor with --stream and its columns with --columns",
        )


def _check_gravity(signals: Signals, rate_hz: float, unit: str, source: str) -> None:
    """Refuse a unit that gravity contradicts in most files."""
    faults = {name: gravity_fault(signal, unit, rate_hz, stated=True) for name, signal in signals.items()}
    found = {name: fault for name, fault in faults.items() if fault}
    # Single recordings may be off by a factor that a moving arm explains; the median of many may not.
    known = parse_unit(unit)
    median = _median_rest(signals, rate_hz) * (known.factor if known else 1.0)
    if len(found) > MOST_FAULTS * len(signals):
        name, fault = next(iter(found.items()))
        raise DataError(
            f"The unit {unit} ({source}) is contradicted by gravity in {len(found)} of {len(signals)} files: "
            f"{name}: {fault.problem}",
            "Correct it with --unit (and --offset), give the accelerometer's own signal with --columns or --stream, or "
            "say --uncalibrated if the device shows no 1 g",
        )
    if not 0.6 <= median <= 1.6:
        raise DataError(
            f"The unit {unit} ({source}) is contradicted by gravity: at rest the files show {rounded(median)} g",
            "Correct it with --unit (and --offset), or say --uncalibrated if the device shows no 1 g",
        )


def _median_rest(signals: Signals, rate_hz: float) -> float:
    return float(np.median([at_rest(signal, rate_hz).length for signal in signals.values()]))


def _by_gravity(signals: Signals, rate_hz: float) -> UnitGuess:
    """The one unit in which the files show 1 g at rest."""
    rest = _median_rest(signals, rate_hz)
    whole = all((signal == np.round(signal)).all() for signal in signals.values())
    candidates = [*_CANDIDATES, *((f"1/{n} g", float(n)) for n in COUNTS if whole)]
    fitting = [name for name, one_g in candidates if 1 / NEAR <= rest / one_g <= NEAR]
    action = (
        "Say it with --unit (counts: --unit '1/64 g', and --offset for what is written at zero; codes of a range: "
        "--codes '0..63 = -1.5..1.5' --unit g)"
    )
    if not fitting:
        _refuse_mixed(signals, rate_hz)
        raise DataError(f"At rest the files show {rounded(rest, 4)}, which is 1 g in no unit that vskd knows", action)
    if len(fitting) > 1:
        raise DataError(
            f"At rest the files show {rounded(rest, 4)}, which may be 1 g in {' or '.join(fitting)}", action
        )
    (unit,) = fitting
    if unit.startswith("1/") and any((signal >= 0).all() for signal in signals.values()):
        raise DataError(f"The files hold whole numbers that are never negative, up to {_most(signals):g}", action)
    faults = [fault for signal in signals.values() if (fault := gravity_fault(signal, unit, rate_hz, stated=True))]
    if len(faults) > MOST_FAULTS * len(signals):
        raise DataError(f"In most files, {faults[0].problem}", action)
    return UnitGuess(unit, f"gravity: at rest {rounded(rest)}")


def _refuse_mixed(signals: Signals, rate_hz: float) -> None:
    """Refuse files that show 1 g at rest in several units, with one of each: the median of all is in none."""
    first: dict[str, str] = {}
    for name, signal in signals.items():
        rest = at_rest(signal, rate_hz).length
        for unit, one_g in _CANDIDATES:
            if 1 / NEAR <= rest / one_g <= NEAR:
                first.setdefault(unit, name)
    if len(first) > 1:
        raise DataError(
            f"The files are in several units: {', '.join(f'{unit} in {name}' for unit, name in first.items())}",
            "Convert them to one, or import those of each unit by themselves: --pattern or --table names them",
        )


def _most(signals: Signals) -> float:
    return max(float(signal.max()) for signal in signals.values())
