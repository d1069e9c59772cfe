"""The 1 euro filter: steady while nothing moves, quick while something does.

Source: Casiez, Roussel, Vogel, "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive
systems", CHI 2012.
"""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SPEED_HZ = 1.0
"""Cut-off frequency of the speed itself, as published."""


class OneEuro:
    """Smooths points from frame to frame.

    Args:
        rate_hz: frames per second.
        least_hz: cut-off frequency of what does not move.
        slope: how much the cut-off rises with speed, in Hz per size and second.
    """

    def __init__(self, rate_hz: float, *, least_hz: float, slope: float) -> None:
        self._rate, self._least, self._slope = rate_hz, least_hz, slope
        self._speed_share = self._share(np.array(SPEED_HZ))
        self._last: tuple[Floats, Floats, Floats] | None = None

    def __call__(self, points: Floats, size: float) -> Floats:
        """Points of the next frame, smoothed.

        Args:
            points: of any shape, the same in every frame.
            size: of the object in the same unit, by which speed is measured.
        """
        if self._last is None:
            self._last = points, points, np.zeros_like(points)
            return points
        raw, smooth, speed = self._last
        speed = speed + self._speed_share * ((points - raw) / size * self._rate - speed)
        share = self._share(self._least + self._slope * np.abs(speed))
        smooth = smooth + share * (points - smooth)
        self._last = points, smooth, speed
        return smooth

    def _share(self, cutoff_hz: Floats) -> Floats:
        """Of the new value in the smoothed one."""
        return np.asarray(1 / (1 + self._rate / (2 * math.pi * cutoff_hz)))
