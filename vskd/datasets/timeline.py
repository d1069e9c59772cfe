"""What a long recording shows over time: labelled stretches."""

from dataclasses import dataclass

UNLABELLED = -1
"""The class number of a recording, or of a stretch of time, whose label is not known."""

ROUNDING_S = 1e-6
"""Durations that differ by less are equal: times are sums of periods."""


@dataclass(frozen=True)
class Timeline:
    """The labels of a long recording.

    Attributes:
        spans: (start, end, class number) in seconds since the recording's first sample, in order, without overlaps.
        elsewhere: class of the time that is in no span (the null class); `UNLABELLED` where nobody knows it.
    """

    spans: tuple[tuple[float, float, int], ...]
    elsewhere: int = UNLABELLED

    @property
    def classes(self) -> frozenset[int]:
        """The classes that it may show."""
        return frozenset({label for _, _, label in self.spans} | {self.elsewhere}) - {UNLABELLED}

    @property
    def longest(self) -> int:
        """The class that its spans show for the longest time; of equal ones the first. Elsewhere, if there is none."""
        seconds: dict[int, float] = {}
        for start, end, label in self.spans:
            seconds[label] = seconds.get(label, 0.0) + end - start
        return max(sorted(seconds), key=lambda label: seconds[label]) if seconds else self.elsewhere

    def stretches(self, end_s: float) -> tuple[tuple[float, float, int], ...]:
        """All stretches of one label from 0 to `end_s`, those outside of the spans among them, without gaps."""
        found: list[tuple[float, float, int]] = []
        now = 0.0
        for start, end, label in [*self.spans, (end_s, end_s, self.elsewhere)]:
            start, end = min(start, end_s), min(end, end_s)
            if start > now + ROUNDING_S:
                found.append((now, start, self.elsewhere))
            if end > start:
                found.append((start, end, label))
            now = max(now, end)
        return tuple(found)
