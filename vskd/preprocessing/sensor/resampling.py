"""Change of rate for sliding windows: a stream, a recording in memory and hours of signal give the same samples.

The filter is that of scipy.signal.resample_poly (a sinc in a Kaiser window of 5.0, ten periods of the lower rate on
either side). A stream does not know what follows, so no output depends on the recording as a whole: the first sample is
held before the beginning, the last one behind the end. vskd_stream.c has the same arithmetic: the sum of products is
taken in float64 in the order of the samples, without fused products, and rounded to float32. No library's convolution
promises that order, so NumPy multiplies and adds here, one tap of all outputs after the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vskd.preprocessing.sensor.signals import Signal, rate_ratio

PERIODS = 10
KAISER = 5.0
PIECE = 1 << 14
"""Outputs that are computed at a time."""

Read = Callable[[int, int], Signal]
"""First and behind the last sample -> float32 (channels, samples)."""
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Resampling:
    """A ratio of rates in its lowest terms: `up` outputs for `down` samples."""

    up: int
    down: int

    @property
    def half(self) -> int:
        """The filter has 2 * `half` + 1 taps; 0 where nothing changes."""
        return 0 if self.up == self.down else PERIODS * max(self.up, self.down)

    @property
    def taps(self) -> Doubles:
        """The filter, (2 * half + 1,)."""
        return _taps(self.up, self.down, self.half)

    @property
    def delay(self) -> int:
        """Half the filter in whole samples, rounded down: so long after an output's time a stream gives it."""
        return self.half // self.up

    def count(self, samples: int) -> int:
        """Outputs of a recording: those that a stream gives when the last sample is held for the delay.

        >>> Resampling(1, 2).count(100), Resampling(2, 1).count(100), Resampling(25, 52).count(104)
        (50, 200, 50)
        """
        return -(-(samples * self.up - self.half % self.up) // self.down)

    def fewest(self, outputs: int) -> int:
        """Samples of the shortest recording with so many outputs."""
        return self.last_needed(outputs - 1) - self.delay + 1

    def last_needed(self, output: int) -> int:
        """The newest sample that an output depends on."""
        return (output * self.down + self.half) // self.up

    def first_needed(self, output: int) -> int:
        """The oldest one; negative where the first sample is held."""
        return -((self.half - output * self.down) // self.up)

    def outputs(self, first: int, behind: int, samples: Signal, start: int, held: Doubles) -> Signal:
        """Outputs `first` to `behind`.

        Args:
            first, behind: numbers of outputs.
            samples: (channels, samples), all that are needed of those that there are.
            start: number of the first of them.
            held: (channels,), the first sample of the whole recording, or stream.

        Returns:
            float32 (channels, behind - first).
        """
        if self.half == 0:
            return np.asarray(samples[:, first - start : behind - start], dtype=np.float32)
        numbers = np.arange(first, behind)
        oldest = -((self.half - numbers * self.down) // self.up)
        weights = _by_phase(self.up, self.down, self.half)[oldest * self.up - numbers * self.down + self.half]
        part, total = samples.astype(np.float64) - held[:, np.newaxis], np.zeros((len(samples), len(numbers)))
        for place, weight in enumerate(weights.T, -start):
            # clip: before the first sample it is held, and behind the last one that
            total += np.take(part, oldest + place, axis=1, mode="clip") * weight
        return np.asarray(held[:, np.newaxis] + total, dtype=np.float32)


def plan_resampling(rate_hz: float, new_rate_hz: float) -> Resampling:
    """The ratio of two rates; see `rate_ratio`.

    Raises:
        DataError: a rate is below 0.001 Hz.
    """
    return Resampling(*rate_ratio(rate_hz, new_rate_hz))


@lru_cache(maxsize=8)
def _taps(up: int, down: int, half: int) -> Doubles:
    if half == 0:
        return np.ones(1)
    cutoff = 1 / max(up, down)
    taps = np.sinc(cutoff * np.arange(-half, half + 1)) * np.kaiser(2 * half + 1, KAISER)
    taps = taps * (up / taps.sum())
    taps.flags.writeable = False
    return np.asarray(taps, dtype=np.float64)


@lru_cache(maxsize=8)
def _by_phase(up: int, down: int, half: int) -> Doubles:
    """The taps in the order of the samples that they weigh, (up, taps of an output); 0 behind the last one.

    Of an output whose oldest sample lies `phase` / `up` samples inside the filter.
    """
    places = 2 * half - np.arange(up)[:, np.newaxis] - np.arange(2 * half // up + 1) * up
    return np.where(places >= 0, _taps(up, down, half)[places], 0.0)


def resampled(signal: Signal, rate_hz: float, new_rate_hz: float) -> Signal:
    """A stretch of signal without gaps at another rate, for sliding windows.

    Args:
        signal: float32 (channels, samples) at `rate_hz`, finite.
        rate_hz, new_rate_hz: see `plan_resampling`.

    Returns:
        float32 (channels, outputs).
    """
    made = plan_resampling(rate_hz, new_rate_hz)
    if made.half == 0 or not signal.shape[1]:
        return signal
    pieces = resampled_pieces(lambda first, behind: signal[:, first:behind], signal.shape[1], made, PIECE)
    return np.concatenate(list(pieces), axis=1)


def resampled_pieces(read: Read, samples: int, resampling: Resampling, piece: int) -> Iterator[Signal]:
    """What `resampled` gives of a signal of which memory holds a piece.

    Args:
        read: gives its samples.
        samples: how many there are, at least one.
        resampling: see `plan_resampling`.
        piece: outputs of a piece.

    Returns:
        float32 (channels, up to `piece`), one after the other.
    """
    held = read(0, 1)[:, 0].astype(np.float64)
    total = resampling.count(samples)
    for first in range(0, total, piece):
        behind = min(first + piece, total)
        low = max(0, resampling.first_needed(first))
        high = min(samples, resampling.last_needed(behind - 1) + 1)
        yield resampling.outputs(first, behind, read(low, high), low, held)
