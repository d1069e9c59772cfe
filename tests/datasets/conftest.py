"""Tiny folders in the UTD-MHAD layout, to be spoiled by the tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

Make = Callable[..., Path]


def write_inertial(
    path: Path, *, samples: int = 20, columns: int = 6, variable: str = "d_iner", value: float = 0.5
) -> Path:
    """A sensor file as the data set has them, or one that is wrong on purpose."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([samples, columns, sum(path.name.encode())])
    savemat(path, {variable: value + rng.normal(size=(samples, columns))}, do_compression=True)
    return path


@pytest.fixture
def inertial_file() -> Callable[..., Path]:
    """Writes one sensor file; see `write_inertial`."""
    return write_inertial


@pytest.fixture
def video(synthetic_root: Path) -> Path:
    """A small real MP4 file."""
    return synthetic_root / "RGB" / "a1_s1_t1_color.mp4"


@pytest.fixture
def make_utd(tmp_path: Path, video: Path) -> Make:
    """Write sensor and depth video files for the given ids and return the folder."""

    def make(*ids: str, sensors: bool = True, videos: bool = True) -> Path:
        root = tmp_path / "utd"
        for recording in ids:
            if sensors:
                write_inertial(root / "Inertial" / f"{recording}_inertial.mat")
            if videos:
                (root / "DepthVideo").mkdir(parents=True, exist_ok=True)
                shutil.copyfile(video, root / "DepthVideo" / f"{recording}_depth.mp4")
        return root

    return make
