"""How the cells of a file become samples of a stream, where somebody has stated it: data only, nothing is read here."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Reading:
    """What is stated of a file, beside its columns.

    Attributes:
        separator: name of the separator of a text file, e.g. `semicolon`; empty: found.
        factors: what each axis is multiplied by (unit, counts, sign), once `offset` is taken off; empty: nothing.
        offset: what the device writes for zero, in the file's own numbers.
        time_unit_s: how many seconds the unit of numeric time stamps is; None: found by their size.
        rows: data rows of the file that belong to the recording, first and behind the last, counted from 0.
        seconds: the same as seconds since the file's first sample.
        time_zone: IANA name of the zone in which time stamps are local; empty: they count as UTC, or say it themselves.
        limit: samples beyond it, in the stream's unit, are set to it; 0: none are.
    """

    separator: str = ""
    factors: tuple[float, ...] = ()
    offset: float = 0.0
    time_unit_s: float | None = None
    rows: tuple[int, int] | None = None
    seconds: tuple[float, float] | None = None
    time_zone: str = ""
    limit: float = 0.0

    def told(self) -> dict[str, Any]:
        """All of it, for a hash; what this class did not always have is in it only where it says something."""
        return {name: value for name, value in asdict(self).items() if value or name not in ("time_zone", "limit")}

    @property
    def part(self) -> tuple[object, ...]:
        """What tells a recording from the others in its file; empty where it is the whole file."""
        return tuple(one for one in (self.rows, self.seconds) if one is not None)

    def overlaps(self, other: "Reading") -> bool:
        """Whether two parts of the same file share samples, or may: rows and seconds are not compared with each other.

        >>> Reading(rows=(0, 50)).overlaps(Reading(rows=(50, 90))), Reading(rows=(0, 50)).overlaps(Reading())
        (False, True)
        """
        for one, two in ((self.rows, other.rows), (self.seconds, other.seconds)):
            if one is not None and two is not None:
                return one[0] < two[1] and two[0] < one[1]
        return True
