"""Tiny folders in the layouts of the data sets, to be spoiled by the tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from vskd.datasets.images.driver_inattention import LABELS as INATTENTION
from vskd.datasets.images.published_folders import LABELS as POSTURES

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


def write_image(path: Path, *, size: tuple[int, int] = (32, 18), seed: int = 0, format: str | None = None) -> Path:
    """A small grey picture of noise, different for every seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format=format)
    return path


@pytest.fixture
def image_file() -> Callable[..., Path]:
    """Writes one picture; see `write_image`."""
    return write_image


def frame_name(subject: int, session: int, frame: int, copy: int = 0) -> str:
    """A file name of the driver-inattention data set; group B has a time in it."""
    group, time = ("gA", "") if subject <= 5 else ("gB", "2019-03-11T15-01-33-01-00_")
    digits = f"{subject:08x}{session:08x}{frame:08x}{copy:08x}"
    return f"{group}_{subject}_s{session}_{time}ir_face_mp4-{frame}_jpg.rf.{digits}.jpg"


@pytest.fixture
def make_inattention(tmp_path: Path) -> Make:
    """Write driver-inattention parts from rows (part, subject, session, frame, class), with any copies of a frame."""

    def make(*rows: tuple[str, int, int, int, int], parts: tuple[str, ...] = ("train", "valid", "test")) -> Path:
        root = tmp_path / "inattention"
        for part in parts:
            (root / part).mkdir(parents=True)
            (root / part / "_classes.txt").write_text("\n".join(INATTENTION))
            lines = []
            for number, (owner, subject, session, frame, label) in enumerate(rows):
                if owner == part:
                    name = frame_name(subject, session, frame, number)
                    write_image(root / part / name, seed=number)
                    lines.append(f"{name} 4,2,20,14,{label}\n")
            (root / part / "_annotations.txt").write_text("".join(lines))
        return root

    return make


@pytest.fixture
def leaky(make_inattention: Make) -> Path:
    """One clip; test frames 2 (beside 1 and 3), 5 (two from 3), 40 (far), and 9 of another driver's clip."""
    train = [("train", 1, 1, number, label) for number, label in ((1, 3), (3, 0), (20, 3))]
    valid = [("valid", 1, 1, number, label) for number, label in ((2, 3), (5, 0), (40, 1))]
    return make_inattention(*train, *valid, ("valid", 2, 1, 9, 3))


@pytest.fixture
def inattention_root(make_inattention: Make) -> Path:
    """Ten drivers by three sessions in all three parts, as published."""
    rows = [
        (part, subject, session, 10 * session + number, (subject + session) % 6)
        for number, part in enumerate(("train", "valid", "test"))
        for subject in range(1, 11)
        for session in (1, 2, 5)
    ]
    return make_inattention(*rows)


DRIVERS = ("p015", "p014", "p012", "p026", "p002", "p021")
"""One driver of each of State Farm's five folds, and a sixth."""


@pytest.fixture
def state_farm_root(tmp_path: Path) -> Path:
    """The published folder layout with the original list of drivers beside it: every protocol fits."""
    root, rows = tmp_path / "sfd3", ["subject,classname,img"]
    for number, driver in enumerate(DRIVERS):
        for label, name in enumerate(POSTURES):
            image = f"img_{number}{label:02d}.jpg"
            write_image(root / ("test" if label % 2 else "train") / name / image, seed=100 * number + label)
            rows.append(f"{driver},{name},{image}")
    for part, name in ((p, n) for p in ("train", "test") for n in POSTURES):
        (root / part / name).mkdir(exist_ok=True)
    (root / "driver_imgs_list.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture
def auc_root(tmp_path: Path) -> Path:
    """AUC in the published folder layout, two lightings."""
    root = tmp_path / "auc"
    for place, (part, name) in enumerate((p, n) for p in ("train", "test") for n in POSTURES):
        for number, lighting in enumerate(("day", "night")):
            write_image(root / part / name / lighting / "1.jpg", seed=2 * place + number)
    return root


@pytest.fixture
def image_folder_root(tmp_path: Path) -> Path:
    """Cats and dogs in three parts, of three owners who are known by name."""
    root, rows = tmp_path / "pets", ["path,label,driver"]
    for place, (part, name) in enumerate((p, n) for p in ("test", "train", "valid") for n in ("cat", "dog")):
        for number, owner in enumerate(("ann", "bob", "cleo")):
            path = write_image(root / part / name / f"{number}.png", seed=3 * place + number)
            rows.append(f"{path.relative_to(root)},{name},{owner}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="session")
def inattention_data(shared_data: Path) -> Path:
    """The real driver-inattention images."""
    root = shared_data / "driver-inattention"
    if not (root / "train").is_dir():
        pytest.skip(f"needs driver-inattention: {root / 'train'} is no folder; see `vskd datasets info`")
    return root


@pytest.fixture(scope="session")
def state_farm_table(shared_data: Path) -> Path:
    """A folder with State Farm's real list of drivers."""
    root = shared_data / "state-farm-index"
    if not (root / "driver_imgs_list.csv").is_file():
        pytest.skip(f"needs State Farm's driver_imgs_list.csv in {root}")
    return root
