"""Codes of a converter that stand for a range of values: `0..63 = -1.5..1.5`."""

import re
from dataclasses import dataclass

_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_CODES = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})\s*=\s*({_NUMBER})\s*\.\.\s*({_NUMBER})")


@dataclass(frozen=True)
class Codes:
    """The line through two codes and what they stand for.

    Attributes:
        lowest, highest: codes.
        least, greatest: the values that they stand for, in a stream's unit.
    """

    lowest: float
    highest: float
    least: float
    greatest: float

    @property
    def factor(self) -> float:
        """How much one code more is."""
        return (self.greatest - self.least) / (self.highest - self.lowest)

    @property
    def zero(self) -> float:
        """The code, not always a whole one, that stands for zero."""
        return self.lowest - self.least / self.factor

    @property
    def rail(self) -> float:
        """The largest value that both directions have."""
        return min(abs(self.least), abs(self.greatest))


def parse_codes(text: str) -> Codes:
    """What `LOWEST..HIGHEST = LEAST..GREATEST` says.

    Raises:
        ValueError: it is written otherwise, or a range is empty.

    >>> codes = parse_codes("0..63 = -1.5..1.5")
    >>> round(codes.factor, 4), codes.zero, codes.rail
    (0.0476, 31.5, 1.5)
    """
    match = _CODES.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not written like 0..63 = -1.5..1.5")
    lowest, highest, least, greatest = map(float, match.groups())
    if highest <= lowest or greatest <= least:
        raise ValueError(f"'{text}': a range must go from a smaller to a larger number")
    return Codes(lowest, highest, least, greatest)
