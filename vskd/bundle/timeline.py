"""From answers about windows to stretches of time with one label."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Segment:
    """A stretch of time with one label.

    Attributes:
        start_s, end_s: seconds since the recording's first sample.
        label: a class number, or -1 where the label is unknown.
        confidence: mean of its windows' probabilities of the label.
    """

    start_s: float
    end_s: float
    label: int
    confidence: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


def window_bounds(times: Seconds) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """The time that each window speaks for: from half-way to the window before to half-way to the next one.

    The first window of a piece speaks for its beginning, the last for its end.

    Args:
        times: (windows, 2), start and end, in order.

    Returns:
        (windows, 2) bounds; and (windows,) whether the window is the first of a piece: it begins where no window before
        it reaches.
    """
    centres = times.mean(axis=1)
    first = np.ones(len(times), dtype=bool)
    first[1:] = times[1:, 0] > times[:-1, 1] + ROUNDING_S
    middle = (centres[1:] + centres[:-1]) / 2
    starts, ends = times[:, 0].copy(), times[:, 1].copy()
    starts[1:] = np.where(first[1:], starts[1:], middle)
    ends[:-1] = np.where(first[1:], ends[:-1], middle)
    return np.stack([starts, ends], axis=1), first


def segments(times: Seconds, labels: npt.NDArray[np.int64], confidence: Seconds) -> tuple[Segment, ...]:
    """Runs of windows with one label; none reaches across a gap.

    Args:
        times: (windows, 2), start and end of each window in seconds, in order.
        labels: (windows,) class numbers, -1 where unknown.
        confidence: (windows,) of the label.
    """
    if not len(times):
        return ()
    bounds, first = window_bounds(times)
    begins = first.copy()
    begins[1:] |= labels[1:] != labels[:-1]
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(times))
    return tuple(
        Segment(float(bounds[a, 0]), float(bounds[b - 1, 1]), int(labels[a]), float(confidence[a:b].mean()))
        for a, b in zip(starts, ends, strict=True)
    )
