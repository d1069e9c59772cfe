from pathlib import Path

import numpy as np

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.read import read_stream


def test_columns_and_clock_are_the_stream_s(tmp_path: Path) -> None:
    times = np.arange(60) / 20
    values = np.stack([times, np.sin(times), 1 + 0 * times], axis=1)
    np.savetxt(tmp_path / "a.txt", np.column_stack([1.6e9 + times, values]), fmt="%.4f")
    stream = Stream("gyroscope", "sensor", tmp_path / "a.txt", 25.0, "deg/s", ("x", "y"), columns=(2, 1), time_column=0)
    timed = read_stream(stream)
    np.testing.assert_allclose(timed.signal, values[:, [1, 0]].T, atol=1e-4)
    assert round(timed.rate_hz, 3) == 20.0 and timed.absolute
