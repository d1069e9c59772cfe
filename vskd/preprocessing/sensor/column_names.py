"""What column names mean: which quantity, which axis, or the time. By name only, never by position."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vskd.errors import first_few

_TOKEN = re.compile(r"[A-Z]+(?![a-zµ])|[A-Z]?[a-zµ]+|\d+")
_QUANTITIES = {
    "accelerometer": "a acc accel accelerometer accelerometers accelerations acceleration accelero gforce",
    "gyroscope": "g gyr gyro gyroscope gyroscopes angular rotation omega w rotationrate angularvelocity",
    "magnetometer": "m mag magn magnet magnetic magnetometer compass",
    "gravity": "gravity grav",
    "linear acceleration": "linear lin user body dynamic linacc linearacceleration useracceleration bodyacc",
    "orientation": "roll pitch yaw euler quat quaternion q orientation azimuth heading attitude",
    "position or velocity": "position pos velocity vel speed displacement joint",
}
_QUANTITY_OF = {word: quantity for quantity, words in _QUANTITIES.items() for word in words.split()}
_SINGLE = {word for word in _QUANTITY_OF if len(word) == 1}
_FILLERS = frozenset(
    "axis raw data value values sensor component dir direction total calibrated cal force of the".split()  # noqa: SIM905
)
_BESIDE = {"gyroscope": frozenset({"velocity", "rate", "speed", "vel"})}
"""Words that belong to a quantity where another of its words stands beside them: angular velocity."""
_TIME = frozenset(
    "time timestamp timestamps t ts stamp elapsed epoch epoc unix utc datetime date clock systime".split()  # noqa: SIM905
)
_BY_UNIT = {
    1.0: "s sec secs second seconds",
    1e-3: "ms msec msecs milli millis millisecond milliseconds",
    1e-6: "us µs usec micro micros microsecond microseconds",
    1e-9: "ns nsec nano nanos nanosecond nanoseconds",
}
_SECONDS = {word: factor for factor, words in _BY_UNIT.items() for word in words.split()}
_OF_TIME = frozenset(
    "since start in boot reboot local system device of the recording experiment measurement iso".split()  # noqa: SIM905
)
_NAMES_NO_CLOCK = frozenset({"s", "second"})
NAMES_SHOWN = 12


@dataclass(frozen=True)
class Meaning:
    """What a column's name means: a quantity (empty where it names none) along an axis; `unknown` are other words."""

    axis: str
    quantity: str
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimeColumn:
    """A column of time stamps; `seconds` is how many seconds its unit is, None where the header does not say."""

    index: int
    name: str
    seconds: float | None


@dataclass(frozen=True)
class Choice:
    """The columns of the contract's axes, in its order; empty where `problem` says why there are none."""

    columns: tuple[int, ...] = ()
    problem: str = ""


def words_of(name: str) -> list[str]:
    """The words of a name, in small letters.

    >>> words_of("accelerometerAccelerationX"), words_of("Linear Accel_y")
    (['accelerometer', 'acceleration', 'x'], ['linear', 'accel', 'y'])
    """
    name = re.sub(r"(?i)(incl\w*|with)[ _]?(gravity|g)(?![a-z])", " ", name)
    return [word.lower() for word in _TOKEN.findall(re.sub(r"[\W_]+", " ", name.replace("μ", "µ")))]


def quantity_of(stream: str) -> str:
    """The quantity that a stream measures, by its name; the name itself where it is none of the known.

    >>> quantity_of("accelerometer"), quantity_of("watch gyroscope"), quantity_of("barometer")
    ('accelerometer', 'gyroscope', 'barometer')
    """
    named = {q for q in map(_QUANTITY_OF.get, words_of(stream)) if q}
    return _strongest(named) if named else stream.lower()


def _strongest(quantities: set[str]) -> str:
    """`linear acceleration` is not acceleration as an accelerometer measures it."""
    return next(iter(sorted(quantities - {"accelerometer"})), "accelerometer")


def meaning(name: str, axes: Sequence[str]) -> Meaning:
    """What a name means to one who looks for `axes`.

    >>> meaning("accX", ("x", "y", "z")), meaning("gyro_y", ("x", "y", "z"))
    (Meaning(axis='x', quantity='accelerometer', unknown=()), Meaning(axis='y', quantity='gyroscope', unknown=()))
    """
    lower = [axis.lower() for axis in axes]
    if name.strip().lower() in lower:
        return Meaning(name.strip().lower(), "")
    found, rest = [], []
    for word in words_of(name):
        stem, axis = _cut_axis(word, lower)
        found += [axis] if axis else []
        rest += [stem] if stem else []
    quantities = {q for q in map(_QUANTITY_OF.get, rest) if q}
    beside = frozenset().union(*(_BESIDE.get(q, frozenset()) for q in quantities))
    unknown = tuple(w for w in rest if w not in _QUANTITY_OF and w not in _FILLERS and w not in beside)
    if beside:
        quantities -= {"position or velocity"}
    return Meaning(found.pop() if len(found) == 1 else "", _strongest(quantities) if quantities else "", unknown)


def _cut_axis(word: str, axes: Sequence[str]) -> tuple[str, str]:
    """A word without the axis at its end or beginning, where what remains is a known word: `ax`, `accx`, `xacc`."""
    if word in axes:
        return "", word
    for axis in axes:
        for stem in (word.removesuffix(axis), word.removeprefix(axis)):
            if stem != word and (stem in _QUANTITY_OF or stem in _FILLERS):
                return stem, axis
    return word, ""


def columns_by_name(names: Sequence[str], axes: Sequence[str], stream: str) -> Choice:
    """The columns that are exactly the axes of a stream.

    Every axis must be there once, alone (`x`) or with a name of the stream's quantity (`acc_x`, `Accelerometer X`),
    and all of them in the same way.
    """
    wanted, own = quantity_of(stream), set(words_of(stream))
    meanings = [meaning(name, axes) for name in names]
    usable = [m if m.quantity in ("", wanted) and set(m.unknown) <= own else Meaning("", "") for m in meanings]
    found = [[k for k, m in enumerate(usable) if m.axis == axis.lower()] for axis in axes]
    twice = [f"{names[k]} (number {k})" for columns in found if len(columns) > 1 for k in columns]
    if twice:
        return Choice(problem=f"several columns may be one axis: {first_few(twice, NAMES_SHOWN, ', ')}")
    if not all(found):
        return Choice(problem=_why_not(names, meanings, axes, wanted))
    columns = tuple(column for (column,) in found)
    if len({usable[k].quantity for k in columns}) > 1:
        return Choice(problem=f"the columns {', '.join(names[k] for k in columns)} are not named alike")
    return Choice(columns)


def _why_not(names: Sequence[str], meanings: Sequence[Meaning], axes: Sequence[str], wanted: str) -> str:
    called = "its columns are called " + first_few([f"'{name}'" for name in names], NAMES_SHOWN, ", ")
    others = sorted({m.quantity for m in meanings if m.quantity and m.quantity != wanted})
    missing = [a for a in axes if not any(m.axis == a.lower() and m.quantity in ("", wanted) for m in meanings)]
    if others and len(missing) == len(axes):
        both = wanted == "accelerometer" and {"gravity", "linear acceleration"} <= set(others)
        summed = "; the sum of gravity and linear acceleration is what it measures" if both else ""
        return f"{called}, which is {' and '.join(others)}, not {wanted}{summed}"
    return f"{called}; none of them is " + ", ".join(f"{wanted} {axis}" for axis in missing or axes)


def time_columns(names: Sequence[str], units: Sequence[str], stream: str) -> tuple[TimeColumn, ...]:
    """The columns whose names are of time: `time (s)`, `timestamp_ms`, `seconds_elapsed`, `t`, wherever they stand.

    A column that is named after the stream's own sensor too (`accelerometerTimestamp_sinceReboot`) is its clock, and
    others are not.
    """
    own = {w for w, q in _QUANTITY_OF.items() if q == quantity_of(stream)} - _SINGLE
    found: list[TimeColumn] = []
    of_sensor: list[TimeColumn] = []
    for index, name in enumerate(names):
        words = words_of(name)
        named = any(w in _TIME for w in words) or any(w in _SECONDS and w not in _NAMES_NO_CLOCK for w in words)
        if not named or not all(w in _TIME or w in _SECONDS or w in _OF_TIME or w in own for w in words):
            continue
        seconds = time_unit(name, units[index] if index < len(units) else "")
        (of_sensor if own & set(words) else found).append(TimeColumn(index, name, seconds))
    return tuple(of_sensor or found)


def time_unit(name: str, unit: str) -> float | None:
    """How many seconds the unit of a column of time is, as its header says; None where it does not.

    >>> time_unit("timestamp_ms", ""), time_unit("elapsed", "s"), time_unit("when", "")
    (0.001, 1.0, None)
    """
    of_name = [_SECONDS[w] for w in words_of(name) if w in _SECONDS]
    return _SECONDS.get(unit.strip().lower().replace("μ", "µ"), of_name[0] if len(of_name) == 1 else None)


def vocabulary() -> dict[str, Any]:
    """The words by which columns are known, as JSON, for a reader in another language."""
    return {
        "quantities": _QUANTITY_OF,
        "single": sorted(_SINGLE),
        "fillers": sorted(_FILLERS),
        "beside": {quantity: sorted(words) for quantity, words in _BESIDE.items()},
        "time": sorted(_TIME),
        "of_time": sorted(_OF_TIME),
        "seconds": _SECONDS,
        "names_no_clock": sorted(_NAMES_NO_CLOCK),
    }


def other_sensor(text: str, stream: str) -> str:
    """The quantity that a file's name or a remark names in place of the stream's; empty where it names none.

    >>> other_sensor("Linear Acceleration", "accelerometer"), other_sensor("acc_and_gyro", "accelerometer")
    ('linear acceleration', '')
    """
    wanted, words = quantity_of(stream), words_of(text)
    named = {_QUANTITY_OF[w] for w in words if w in _QUANTITY_OF and w not in _SINGLE} - {"position or velocity"}
    if "linear acceleration" in named and "accelerometer" not in named:
        named.discard("linear acceleration")  # `user3` or `body` in a file's name is no sensor
    if "linear acceleration" in named:
        named.discard("accelerometer")
    return "" if not named or wanted in named else " and ".join(sorted(named))
