"""Energy of sensors and videos, counted by hand."""

from pathlib import Path

import av
import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sync.curve import MOST_CHANGE, motion_curve, sensor_curve


def write_video(path: Path, grey: list[int], rate: int = 30) -> Path:
    """A lossless clip of plain pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.height, stream.width, stream.pix_fmt = 96, 96, "gray"
        for level in grey:
            frame = av.VideoFrame.from_ndarray(np.full((96, 96), level, np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_sensor_at_rest_has_no_energy_and_its_turning_none_either() -> None:
    angle = np.linspace(0, 3, 90)
    signal = np.stack([np.cos(angle), np.sin(angle), np.zeros(90)]).astype(np.float32)
    signal[:, 40] *= 1.5
    found = sensor_curve(Timed(signal, 50.0, 7.0 + np.arange(90) / 50))
    assert found.times[0] == 0 and found.seconds == pytest.approx(1.8)
    expected = np.zeros(90)
    expected[40] = 0.5
    np.testing.assert_allclose(found.values, expected, atol=1e-6)


def test_motion_is_the_mean_change_of_grey_up_to_a_limit(tmp_path: Path) -> None:
    found = motion_curve(write_video(tmp_path / "clip.mkv", [10, 10, 13, 200, 195]), 25.0)
    np.testing.assert_allclose(found.values, [0, 3, MOST_CHANGE, 5], atol=1)
    np.testing.assert_allclose(found.times, (np.arange(4) + 0.5) / 30, atol=2e-3)  # by the file's own stamps


def test_frames_without_stamps_come_at_the_rate_given(tmp_path: Path) -> None:
    savemat(tmp_path / "depth.mat", {"d_depth": np.full((96, 96, 4), 2500, np.uint16)})
    found = motion_curve(tmp_path / "depth.mat", 20.0, "d_depth")
    np.testing.assert_allclose(found.times, (np.arange(3) + 0.5) / 20)
    assert found.seconds == pytest.approx(0.2) and not found.values.any()


def test_two_frames_show_no_movement(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"clip.mkv: has 2 frame\(s\)"):
        motion_curve(write_video(tmp_path / "clip.mkv", [1, 2]), 30.0)
