"""Depth in mm: the published formula, and every wrong shape."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.video.depth import depth_frames, depth_to_grey
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.probe import probe_video


def test_depth_to_grey_is_the_published_formula() -> None:
    """grey = 1 + 254 (mm - 1800) / 1600, clipped to 1..255; 0 = no reading."""
    depth = np.array([0, 1, 1799, 1800, 1801, 2600, 3399, 3400, 3401, 65535], np.uint16)
    wanted = [0, 1, 1, 1, 1, 128, 255, 255, 255, 255]
    assert depth_to_grey(depth).tolist() == wanted
    everywhere = np.arange(1, 65536, dtype=np.uint16)
    exact = np.clip(np.round(1 + 254 * (everywhere.astype(np.float64) - 1800) / 1600), 1, 255)
    np.testing.assert_array_equal(depth_to_grey(everywhere), exact)


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_depth_mat_goes_through_the_same_door(tmp_path: Path, dtype: type) -> None:
    depth = np.random.default_rng(0).integers(0, 4000, size=(24, 32, 5)).astype(dtype)
    savemat(tmp_path / "clip.mat", {"d_depth": depth})
    info = probe_video(tmp_path / "clip.mat", "d_depth")
    assert (info.num_frames, info.rate_hz, info.height, info.width) == (5, 0.0, 24, 32)
    frames = list(read_frames(tmp_path / "clip.mat", size=None, variable="d_depth"))
    assert len(frames) == 5
    for number, frame in enumerate(frames):
        grey = depth_to_grey(depth[:, :, number])
        assert frame.shape == (24, 32, 3)
        for channel in range(3):
            np.testing.assert_array_equal(frame[..., channel], grey)
    assert next(read_frames(tmp_path / "clip.mat", size=8)).shape == (8, 8, 3)


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 0), (2, 3, 4, 5)])
def test_depth_of_another_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    savemat(tmp_path / "clip.mat", {"d_depth": np.ones(shape, np.uint16)})
    for read in (probe_video, lambda path: list(read_frames(path, size=8))):
        with pytest.raises(DataError, match=r"clip\.mat"):
            read(tmp_path / "clip.mat")


def test_the_two_real_depth_sources_agree(utd_mhad_root: Path) -> None:
    """The videos were made from the .mat files, by a lossy codec."""
    if not (utd_mhad_root / "Depth").is_dir():
        pytest.skip("needs original depth .mat files")
    for recording in ("a1_s1_t1", "a27_s1_t1"):
        original = list(read_frames(utd_mhad_root / "Depth" / f"{recording}_depth.mat", size=64))
        video = list(read_frames(utd_mhad_root / "DepthVideo" / f"{recording}_depth.mp4", size=64))
        assert len(original) == len(video)
        assert len(original) == probe_video(utd_mhad_root / "Depth" / f"{recording}_depth.mat", "d_depth").num_frames
        assert np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(original, video, strict=True)]) < 3
        shifted = [np.abs(a.astype(int) - b).mean() for a, b in zip(original[:-5], video[5:], strict=True)]
        same = [np.abs(a.astype(int) - b).mean() for a, b in zip(original[:-5], video[:-5], strict=True)]
        assert np.mean(same) < np.mean(shifted)  # the frames are in step


def test_the_array_is_the_one_that_is_named(tmp_path: Path) -> None:
    savemat(tmp_path / "clip.mat", {"other": np.full((4, 6, 3), 3000.0), "d_depth": np.full((4, 6, 2), 2600.0)})
    for name, frames, grey in (("other", 3, 192), ("d_depth", 2, 128)):
        found = [np.unique(frame.to_ndarray()).tolist() for frame in depth_frames(tmp_path / "clip.mat", name)]
        assert found == [[grey]] * frames
