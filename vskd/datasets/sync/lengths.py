"""Whether the lengths of sensors and videos agree, over many recordings."""

from collections.abc import Sequence

FEWEST = 20
"""Recordings whose lengths say something of the rates."""
AGREE = 0.05
"""Lengths that grow at rates that differ by less are one length."""
SURE = 1.1
"""Ratio of the bounds of a rate's interval below which the rate is known."""


def length_ratio(sensor_s: Sequence[float], video_s: Sequence[float]) -> float | None:
    """Seconds by which sensors are longer for each second that their videos are longer.

    A sensor and a camera that are started and stopped together make lengths that grow alike. The growth is the median
    of all slopes (Theil-Sen), so that the same delay at every start does not matter.

    Args:
        sensor_s, video_s: of the same recordings.

    Returns:
        None where the lengths agree, or are too few or too alike to say.
    """
    if len(sensor_s) < FEWEST or len(set(video_s)) < 2:
        return None
    from scipy.stats import theilslopes

    slope, _, low, high = theilslopes(sensor_s, video_s)
    if not (low > 0 and high / low <= SURE) or abs(slope - 1) <= AGREE:
        return None
    return float(slope)
