"""Change of rate of a stream, sample by sample, with the filter of `resample_to_rate`.

The filter is scipy's (`resample_poly`: a Kaiser window of 5.0, ten periods of the lower rate on either side). Where a
whole recording is resampled, scipy takes the line from its first to its last sample out first; a stream does not know
its last sample, and holds the first one instead. The sum is computed in float64 in the order of the samples, in Python
and C alike.
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vskd.errors import MissingExtraError, SettingError

PERIODS = 10
KAISER = 5.0
MOST_TAPS = 1_100
"""104 Hz to 50 Hz needs 1,041 and is allowed; 59.94 Hz to 50 Hz would need 59,941."""


@dataclass(frozen=True)
class Resampling:
    """A ratio of rates, `up` / `down`, with a filter of 2 * `half` + 1 taps; `half` is 0 where nothing changes."""

    up: int
    down: int
    half: int
    taps: npt.NDArray[np.float64] = field(compare=False)

    def last_needed(self, output: int) -> int:
        """The newest sample that an output depends on."""
        return (output * self.down + self.half) // self.up

    def first_needed(self, output: int) -> int:
        """The oldest one; negative where the first sample is held."""
        return -((self.half - output * self.down) // self.up)

    def filtered(
        self, number: int, samples: npt.NDArray[np.float32], start: int, held: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        """One output of every axis.

        Args:
            number: which.
            samples: (count, axes), at least those that are needed.
            start: number of the first of them.
            held: (axes,), the stream's first sample, held before it.

        Returns:
            float32 (axes,).
        """
        if self.half == 0:
            return np.asarray(samples[number - start], dtype=np.float32)
        low, high = max(0, self.first_needed(number)), self.last_needed(number)
        part = samples[low - start : high - start + 1].astype(np.float64) - held
        taps = self.taps[self.half + number * self.down - np.arange(low, high + 1) * self.up]
        products = part * taps[:, np.newaxis]
        return np.asarray(held + np.add.accumulate(products, axis=0)[-1], dtype=np.float32)  # in order, not pairwise


def plan_resampling(rate_hz: float, new_rate_hz: float) -> Resampling:
    """The filter between two rates; the ratio is taken to three decimals, as `resample_to_rate` does.

    Raises:
        SettingError: the ratio needs too long a filter.
        MissingExtraError: scipy is not installed.
    """
    up, down = round(new_rate_hz * 1000), round(rate_hz * 1000)
    divisor = math.gcd(up, down)
    up, down = up // divisor, down // divisor
    half = 0 if up == down else PERIODS * max(up, down)
    if 2 * half + 1 > MOST_TAPS:
        raise SettingError(
            f"From {rate_hz:g} to {new_rate_hz:g} Hz a filter of {2 * half + 1} taps is needed, more than {MOST_TAPS}",
            "Set the device to a rate with a simpler ratio, or give its nominal rate",
        )
    return Resampling(up, down, half, _taps(up, down, half))


@lru_cache(maxsize=8)
def _taps(up: int, down: int, half: int) -> npt.NDArray[np.float64]:
    if half == 0:
        return np.ones(1)
    try:
        from scipy.signal import firwin
    except ImportError as error:
        raise MissingExtraError("scipy", "resample") from error

    return np.asarray(firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", KAISER)) * up, dtype=np.float64)
