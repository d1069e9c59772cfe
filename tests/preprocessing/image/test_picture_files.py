"""Pictures of stored images and frames: pixel values, names, resuming."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from vskd.preprocessing.image.picture_files import write_jpegs, write_pngs
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore, build_frame_store
from vskd.preprocessing.stores.gaf_store import GafStore, build_gaf_store
from vskd.preprocessing.stores.window_store import WindowSource, build_window_store


def gaf_store(folder: Path, axes: tuple[str, ...]) -> GafStore:
    file = folder / "r1.npy"
    np.save(file, np.random.default_rng(1).normal(size=(20, len(axes))).astype(np.float32))
    source = WindowSource("r1", file, "", (), axes, 50.0)
    build_window_store([source], folder / "windows.h5", mode="whole", length=16)
    build_gaf_store(folder / "windows.h5", folder / "gaf.h5", method="gasf+gadf", image_size=16)
    return GafStore(folder / "gaf.h5")


def test_three_axes_become_red_green_blue(tmp_path: Path) -> None:
    store = gaf_store(tmp_path, ("x", "y", "z"))
    assert write_pngs(store, tmp_path / "png") == 1
    images = store.images("r1")[0]
    for field, channels in (("gasf", images[:3]), ("gadf", images[3:])):
        picture = np.asarray(Image.open(tmp_path / "png" / "r1" / f"0000_{field}.png"))
        assert picture.shape == (16, 16, 3)
        back = picture.astype(np.float64) / 127.5 - 1
        assert np.abs(back.transpose(2, 0, 1) - channels).max() <= 0.5 / 127.5 + 1e-6  # rounding to 8 bits, no more


def test_other_numbers_of_axes_lie_side_by_side(tmp_path: Path) -> None:
    store = gaf_store(tmp_path, ("a", "b"))
    write_pngs(store, tmp_path / "png")
    assert np.asarray(Image.open(tmp_path / "png" / "r1" / "0000_gasf.png")).shape == (16, 32)


def test_recordings_that_are_there_are_kept(tmp_path: Path) -> None:
    store = gaf_store(tmp_path, ("x", "y", "z"))
    write_pngs(store, tmp_path / "png")
    file = tmp_path / "png" / "r1" / "0000_gasf.png"
    before = file.stat().st_mtime_ns
    assert write_pngs(store, tmp_path / "png") == 0
    assert file.stat().st_mtime_ns == before


def test_frames_become_jpegs_in_order(tmp_path: Path, synthetic_root: Path) -> None:
    clip = synthetic_root / "RGB" / "a1_s1_t1_color.mp4"
    build_frame_store([FrameSource("r1", clip, "", 15.0)], tmp_path / "frames.h5", size=48)
    store = FrameStore(tmp_path / "frames.h5")
    assert write_jpegs(store, tmp_path / "jpeg") == 1
    files = sorted((tmp_path / "jpeg" / "r1").iterdir())
    assert [f.name for f in files] == [f"{n:05d}.jpg" for n in range(store.num_frames("r1"))]
    for number in (0, len(files) - 1):
        picture = np.asarray(Image.open(files[number])).astype(float)
        frame = store.frames("r1", np.array([number]))[0].astype(float)
        assert np.abs(picture - frame).mean() < 6  # JPEG loses a little; another frame or channel order is far off


def test_grey_frames_become_grey_jpegs_and_recordings_that_are_there_are_kept(tmp_path: Path) -> None:
    class Grey:
        ids = ("r2", "r1")

        def num_frames(self, recording: str) -> int:
            return {"r1": 3, "r2": 1}[recording]

        def frames(self, recording: str, numbers: np.ndarray) -> np.ndarray:
            return np.full((len(numbers), 20, 30, 1), 80 + 40 * numbers[0], np.uint8)

    (tmp_path / "r2").mkdir()
    assert write_jpegs(Grey(), tmp_path) == 1  # type: ignore[arg-type]
    assert not any((tmp_path / "r2").iterdir())
    pictures = [Image.open(file) for file in sorted((tmp_path / "r1").iterdir())]
    assert [(picture.mode, picture.size) for picture in pictures] == [("L", (30, 20))] * 3
    assert [int(np.asarray(picture)[10, 10]) for picture in pictures] == pytest.approx([80, 120, 160], abs=1)


def test_an_unwritable_folder_is_a_clear_error(tmp_path: Path) -> None:
    from vskd.files import WriteError

    store = gaf_store(tmp_path, ("x", "y", "z"))
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(WriteError, match="file"):
        write_pngs(store, tmp_path / "file")


def test_recordings_are_written_in_their_order_and_windows_by_their_number(tmp_path: Path) -> None:
    asked: list[str] = []

    class Fields:
        ids = frozenset(f"r{n}" for n in range(7))
        settings: ClassVar[dict[str, object]] = {"axes": ["x", "y", "z"], "method": "gasf"}

        def images(self, recording: str) -> np.ndarray:
            asked.append(recording)
            return np.linspace(-1.5, 1.5, 2 * 3 * 16).reshape(2, 3, 4, 4).astype(np.float32)

        def num_frames(self, recording: str) -> int:
            asked.append(recording)
            return 0

    assert write_pngs(Fields(), tmp_path / "png") == 7  # type: ignore[arg-type]
    assert write_jpegs(Fields(), tmp_path / "jpeg") == 7  # type: ignore[arg-type]
    assert asked == 2 * sorted(Fields.ids)
    written = [np.asarray(Image.open(tmp_path / "png" / "r3" / f"000{n}_gasf.png")) for n in range(2)]
    assert written[0][0, 0].tolist() == [0, 1, 65] and written[1][-1, -1].tolist() == [190, 254, 255]


def test_jpegs_are_of_a_high_quality(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 24, 32, 3), dtype=np.uint8)

    class Noise:
        ids = ("r1",)

        def num_frames(self, recording: str) -> int:
            return 1

        def frames(self, recording: str, numbers: np.ndarray) -> np.ndarray:
            return noise

    write_jpegs(Noise(), tmp_path)  # type: ignore[arg-type]
    Image.fromarray(noise[0]).save(tmp_path / "a.jpg", quality=95)
    assert (tmp_path / "r1" / "00000.jpg").read_bytes() == (tmp_path / "a.jpg").read_bytes()
