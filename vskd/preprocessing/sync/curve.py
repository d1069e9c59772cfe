"""Energy over time: what a video and a sensor that saw the same movement have in common."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.video.frames import read_timed_frames

Floats = npt.NDArray[np.float64]

EDGE_PIXELS = 96
"""Frames are compared at this size: what is smaller than a hand does not matter."""
MOST_CHANGE = 20
"""Grey levels by which a pixel may count: a hand that comes before a dark wall is not more movement than one before a
bright one, and a depth camera's holes flicker by the whole range."""


@dataclass(frozen=True)
class Curve:
    """Energy of a stream.

    Attributes:
        times: (n,) seconds since the stream's first sample or frame, ascending.
        values: (n,) energy, not negative, in any unit.
        seconds: the stream's length.
    """

    times: Floats
    values: Floats
    seconds: float


def sensor_curve(timed: Timed) -> Curve:
    """The length of the sensor's vector less what it shows on average, for an accelerometer |a| less gravity.

    Gravity is the median length, so that neither the unit nor the calibration matters, and turning the sensor does not.
    """
    length = np.linalg.norm(timed.signal.astype(np.float64), axis=0)
    times = timed.times - timed.times[0]
    return Curve(times, np.abs(length - np.median(length)), float(times[-1]) + 1 / timed.rate_hz)


def motion_curve(path: Path, rate_hz: float, variable: str = "") -> Curve:
    """Mean change of the grey levels from each frame to the next; decoded frame by frame, two are held.

    Args:
        path, variable: see `vskd.preprocessing.video.frames.read_frames`.
        rate_hz: frames per second, where frames have no time stamps.

    Raises:
        DataError: as `read_frames`, or there are fewer than three frames.
    """
    times, values = [], []
    last: npt.NDArray[np.int16] | None = None
    for time, frame in read_timed_frames(path, size=EDGE_PIXELS, rate_hz=rate_hz, variable=variable):
        grey = frame[..., 0].astype(np.int16)
        if last is not None:
            values.append(float(np.minimum(np.abs(grey - last), MOST_CHANGE).mean()))
        times.append(time)
        last = grey
    if len(values) < 2:
        raise DataError(f"{path}: has {len(times)} frame(s), too few to see movement", "Remove this recording")
    stamps = np.array(times)
    return Curve((stamps[1:] + stamps[:-1]) / 2, np.array(values), float(stamps[-1]) + 1 / rate_hz)
