"""Recordings of a sensor for the tests of reading them, and what is expected of one that is refused."""

from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import sensor_contract
from vskd.bundle.contract import SensorContract, StreamContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.recorded import Recorded
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError


def signal(samples: int = 60, scale: float = 1.0, channels: int = 3) -> np.ndarray:
    """(samples, channels) of a turning sensor, about 1 g long."""
    time = np.linspace(0, 3, samples)[:, None]
    return (scale * 0.8 * np.sin(time + np.arange(channels))).astype(np.float32)


def csv_file(tmp_path: Path, values: np.ndarray, head: str = "") -> Path:
    path = tmp_path / "recording.csv"
    path.write_text(head + "\n".join(",".join(f"{v:.6f}" for v in row) for row in values) + "\n")
    return path


def read(path: Path, **options: object) -> Recorded:
    contract = options.pop("contract", sensor_contract())
    return read_recording(path, contract, FileReading(**{"rate_hz": 50.0, **options}))


def refuses(path: Path, *parts: str, **options: object) -> None:
    with pytest.raises(BundleError) as caught:
        read(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def two_streams() -> SensorContract:
    """An accelerometer in g and a gyroscope in deg/s, divided by 4 and 1000."""
    streams = (
        StreamContract(
            stream="accelerometer", placement="wrist", unit="g", axes=("x", "y", "z"), range_limit=8, limit=4
        ),
        StreamContract(
            stream="gyroscope", placement="wrist", unit="deg/s", axes=("x", "y", "z"), range_limit=1000, limit=1000
        ),
    )
    axes = tuple(f"{s.stream} {axis}" for s in streams for axis in s.axes)
    return sensor_contract(
        stream="accelerometer + gyroscope",
        unit="g + deg/s",
        axes=axes,
        streams=streams,
        mat_columns=(),
        mat_variable="",
    )


def six() -> np.ndarray:
    return np.hstack([signal(), 200 * signal()[:, ::-1]])


SIX = "gyro_x [rad/s],gyro_y [rad/s],gyro_z [rad/s],acc_x [g],acc_y [g],acc_z [g]\n"
