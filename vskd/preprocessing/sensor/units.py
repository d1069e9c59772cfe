"""Units of acceleration and of angular rate: their spellings, and the factor from one to another."""

import re
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

STANDARD_GRAVITY = 9.80665
"""m/s^2 in one g (CGPM 1901)."""
GRAVITY = MappingProxyType({"g": 1.0, "m/s^2": STANDARD_GRAVITY})
"""What an accelerometer at rest measures, by its unit."""

_FACTORED = re.compile(r"(?P<factor>\d+(?:\.\d+)?(?:e-?\d+)?(?:/\d+(?:\.\d+)?)?)\s*\*?\s*(?P<unit>[a-z°].*)")
_REMARK = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")


@dataclass(frozen=True)
class Unit:
    """A unit that is known.

    Attributes:
        name: its usual spelling, e.g. `m/s^2`.
        quantity: `acceleration` (base unit g) or `angular rate` (base unit deg/s).
        factor: how many of the base unit it is.
    """

    name: str
    quantity: str
    factor: float


_BASE = (
    Unit("g", "acceleration", 1.0),
    Unit("mg", "acceleration", 1e-3),
    Unit("m/s^2", "acceleration", 1 / STANDARD_GRAVITY),
    Unit("cm/s^2", "acceleration", 0.01 / STANDARD_GRAVITY),
    Unit("deg/s", "angular rate", 1.0),
    Unit("mdeg/s", "angular rate", 1e-3),
    Unit("rad/s", "angular rate", 57.29577951308232),
    Unit("rpm", "angular rate", 6.0),
)
_SPELLINGS = {
    "g": "g gs g0 gn gforce g-force standardgravity",
    "mg": "mg milli-g millig milligs mgs",
    "m/s^2": "m/s2 m/s/s ms-2 m.s-2 mps2 ms2 m_s2 meter/s2 meters/s2 metre/s2 metres/s2 meterspersecondsquared "
    "meters/second2 metres/second2",
    "cm/s^2": "cm/s2 cms-2 gal",
    "deg/s": "deg/s degs/s dps degree/s degrees/s °/s degreespersecond degrees/second deg/second",
    "mdeg/s": "mdeg/s mdps",
    "rad/s": "rad/s rads/s rps radian/s radians/s radianspersecond radians/second rads",
    "rpm": "rpm",
}
_BY_SPELLING = {spelling: unit for unit in _BASE for spelling in _SPELLINGS[unit.name].split()}


def parse_unit(text: str) -> Unit | None:
    """The unit that `text` means; None where it is not known.

    A remark in brackets is left out, and a number may stand in front: `1/64 g`.

    >>> parse_unit("m/s² (SI)").name, parse_unit("1/64 g").factor, parse_unit("furlong")
    ('m/s^2', 0.015625, None)
    """
    known = _BY_SPELLING.get(_plain(text)) or _BY_SPELLING.get(_plain(_REMARK.sub("", text)))
    if known is not None:
        return known
    factored = _FACTORED.fullmatch(text.strip().lower())
    unit = _BY_SPELLING.get(_plain(factored["unit"])) if factored else None
    if factored is None or unit is None:
        return None
    factor = _number(factored["factor"])
    return Unit(f"{factored['factor']} {unit.name}", unit.quantity, factor * unit.factor) if factor else None


def spellings() -> dict[str, Unit]:
    """Every spelling that `parse_unit` knows, without brackets and spaces, in small letters."""
    return dict(_BY_SPELLING)


def _plain(text: str) -> str:
    """One spelling of the same letters: `m/(sec^2)` is `m/s2`."""
    text = (
        text.lower().replace("²", "2").replace("⁻", "-").replace("·", ".").replace("sec", "s").replace("sond", "second")
    )
    return re.sub(r"[\s()\[\]^*]", "", text)


def _number(text: str) -> float:
    """A decimal number or a fraction; 0 where it is neither."""
    whole, _, parts = text.partition("/")
    try:
        return float(Fraction(whole) / Fraction(parts)) if parts else float(whole)
    except (ValueError, ZeroDivisionError):
        return 0.0


def normal_unit(text: str) -> str:
    """One spelling for each unit: `m/s2` and `m/s²` are `m/s^2`; unknown units stay as they are, without spaces."""
    unit = parse_unit(text)
    return unit.name if unit else re.sub(r"\s+", "", text).lower()


def conversion(unit: str, wanted: str) -> float | None:
    """What samples in `unit` are multiplied by to be in `wanted`; None where they cannot be.

    >>> conversion("mg", "g"), conversion("rad/s", "g")
    (0.001, None)
    """
    given, asked = parse_unit(unit), parse_unit(wanted)
    if given is None or asked is None:
        return 1.0 if normal_unit(unit) == normal_unit(wanted) else None
    return given.factor / asked.factor if given.quantity == asked.quantity else None
