"""Energy of sensors and videos, counted by hand."""

from pathlib import Path

import av
import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sync.curve import motion_curve, sensor_curve

MOST_CHANGE = 20  # of 256 levels


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


def test_a_video_lasts_until_its_last_frame_ends_and_its_array_is_named(tmp_path: Path) -> None:
    clip = motion_curve(write_video(tmp_path / "clip.mkv", [10, 10, 13, 200, 195]), 25.0)
    assert clip.seconds == pytest.approx(4 / 30 + 1 / 25, abs=2e-3) and type(clip.seconds) is float
    depth = np.full((96, 96, 4), 2500, np.uint16)
    savemat(tmp_path / "depth.mat", {"other": np.full((96, 96, 7), 2000, np.uint16), "d_depth": depth})
    assert len(motion_curve(tmp_path / "depth.mat", 20.0, "d_depth").values) == 3
    assert len(motion_curve(tmp_path / "depth.mat", 20.0, "other").values) == 6
    with pytest.raises(DataError, match="holds several arrays"):
        motion_curve(tmp_path / "depth.mat", 20.0)
    sensor = sensor_curve(Timed(np.ones((3, 20), np.float32), 50.0, 7.0 + np.arange(20) / 50))
    assert sensor.seconds == pytest.approx(0.4) and type(sensor.seconds) is float


@pytest.mark.parametrize(("frames", "enough"), [(1, False), (2, False), (3, True)])
def test_three_frames_show_movement(tmp_path: Path, frames: int, enough: bool) -> None:
    path = write_video(tmp_path / "clip.mkv", [10 * n for n in range(frames)])
    if enough:
        assert motion_curve(path, 30.0).values.tolist() == pytest.approx([10, 10], abs=1)
    else:
        with pytest.raises(DataError, match=rf"clip\.mkv: has {frames} frame\(s\), too few"):
            motion_curve(path, 30.0)
