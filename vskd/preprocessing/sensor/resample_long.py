"""Change of rate piece by piece: what `resample_to_rate` gives of the whole signal, of which memory holds a piece."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from vskd.errors import MissingExtraError
from vskd.preprocessing.sensor.signals import Signal, rate_ratio

Read = Callable[[int, int], Signal]
"""First and behind the last sample -> float32 (channels, samples)."""
PERIODS = 10
"""Half the length of scipy's filter, in periods of the lower rate."""


def resampled_count(samples: int, rate_hz: float, new_rate_hz: float) -> int:
    """How many samples `resample_to_rate` gives."""
    up, down = rate_ratio(rate_hz, new_rate_hz) if rate_hz != new_rate_hz else (1, 1)
    return -(-samples * up // down)


def resampled_pieces(read: Read, samples: int, rate_hz: float, new_rate_hz: float, piece: int) -> Iterator[Signal]:
    """A signal at another rate, in pieces.

    Args:
        read: gives its samples.
        samples: how many there are, at least two.
        rate_hz, new_rate_hz: see `resample_to_rate`.
        piece: samples of a piece, at the new rate.

    Returns:
        float32 (channels, up to `piece`), one after the other.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    total = resampled_count(samples, rate_hz, new_rate_hz)
    for first in range(0, total, piece):
        behind = min(first + piece, total)
        if rate_hz == new_rate_hz:
            yield read(first, behind)
        else:
            yield _piece(read, samples, rate_ratio(rate_hz, new_rate_hz), first, behind)


def _piece(read: Read, samples: int, ratio: tuple[int, int], first: int, behind: int) -> Signal:
    """Outputs `first` to `behind`: the filter sees all samples that these depend on, and the line beyond the ends."""
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise MissingExtraError("scipy", "resample") from error

    up, down = ratio
    half = PERIODS * max(up, down)
    start = (first * down - half) // up - 1
    start = start // down * down  # an output begins there, so that the filter's phases are those of the whole
    stop = -((-behind * down - half) // up) + 2
    inside = extended(read, samples, start, stop)
    result = resample_poly(inside, up, down, axis=1, padtype="constant")
    offset = start // down * up
    return np.asarray(result[:, first - offset : behind - offset], dtype=np.float32)


def extended(read: Read, samples: int, start: int, stop: int) -> npt.NDArray[np.float64]:
    """Samples `start` to `stop`; beyond the ends the line through the first and the last sample, as scipy's `line`."""
    inside = read(max(0, start), min(samples, stop)).astype(np.float64)
    if start >= 0 and stop <= samples:
        return inside
    low, high = (read(k, k + 1).astype(np.float64) for k in (0, samples - 1))
    slope = (high - low) / (samples - 1)
    before = low + slope * np.arange(min(0, start), 0)
    after = high + slope * np.arange(1, max(0, stop - samples) + 1)
    return np.concatenate([before, inside, after], axis=1)
