"""The part of a stream that all streams of a recording cover, on the clock that they share. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """What synchronisation found of one stream.

    Attributes:
        start_s, end_s: the part that is kept, in seconds since the stream's first sample or frame; the end is left out.
        offset_s, scale: seconds of the common clock are `offset_s + scale * own seconds`.
    """

    start_s: float
    end_s: float
    offset_s: float = 0.0
    scale: float = 1.0
