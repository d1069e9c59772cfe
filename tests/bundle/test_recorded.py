"""Recordings as values."""

import numpy as np

from tests.bundle.sensor_recordings import signal
from vskd.bundle.recorded import Recorded


def test_recordings_are_compared_without_their_times():
    values = signal().T
    one, other = (Recorded(values, 50.0, (), times=np.arange(60) * step) for step in (0.02, 0.03))
    assert one == other != Recorded(values, 51.0, ())
