from pathlib import Path

import numpy as np
from scipy.io import savemat

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.read import read_stream
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sync.cut import Cut


def test_columns_and_clock_are_the_stream_s(tmp_path: Path) -> None:
    times = np.arange(60) / 20
    values = np.stack([times, np.sin(times), 1 + 0 * times], axis=1)
    np.savetxt(tmp_path / "a.txt", np.column_stack([1.6e9 + times, values]), fmt="%.4f")
    stream = Stream("gyroscope", "sensor", tmp_path / "a.txt", 25.0, "deg/s", ("x", "y"), columns=(2, 1), time_column=0)
    timed = read_stream(stream)
    np.testing.assert_allclose(timed.signal, values[:, [1, 0]].T, atol=1e-4)
    assert round(timed.rate_hz, 3) == 20.0 and timed.absolute


def test_variable_and_what_is_stated_reach_the_reader(tmp_path: Path) -> None:
    table = np.arange(60.0).reshape(20, 3)
    savemat(tmp_path / "a.mat", {"other": -table, "mine": table})
    reading = Reading(factors=(2.0, 1.0, 1.0), rows=(5, 15))
    stream = Stream(
        "gyroscope",
        "sensor",
        tmp_path / "a.mat",
        25.0,
        "deg/s",
        ("x", "y", "z"),
        "mine",
        (0, 1, 2),
        reading=reading,
    )
    timed = read_stream(stream)
    np.testing.assert_allclose(timed.signal, (table[5:15] * [2, 1, 1]).T)
    assert timed.rate_hz == 25.0 and not timed.absolute


def test_the_part_that_sync_keeps_is_cut_out_on_the_common_clock(tmp_path: Path) -> None:
    table = np.arange(60.0).reshape(20, 3)
    np.save(tmp_path / "a.npy", table)
    stream = Stream("gyroscope", "sensor", tmp_path / "a.npy", 10.0, "deg/s", ("x", "y", "z"), cut=Cut(0.5, 1.0, 2.0))
    timed = read_stream(stream)
    np.testing.assert_array_equal(timed.signal, table[5:10].T)
    np.testing.assert_allclose(timed.times, 2.5 + np.arange(5) / 10)


def test_names_of_columns_are_those_of_the_stream(tmp_path: Path) -> None:
    table = np.arange(120.0).reshape(20, 6)
    np.savetxt(tmp_path / "a.csv", table, delimiter=",", header="ax,ay,az,gx,gy,gz", comments="", fmt="%.1f")
    for name, columns in (("accelerometer", slice(0, 3)), ("gyroscope", slice(3, 6))):
        stream = Stream(name, "sensor", tmp_path / "a.csv", 25.0, "g", ("x", "y", "z"))
        np.testing.assert_array_equal(read_stream(stream).signal, table[:, columns].T)
