"""The samples of a file for any kind of bundle."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.export.conftest import sensor_contract, windows
from tests.preprocessing.video.clips import write_clip
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.file_samples import samples_of
from vskd.bundle.image_input import read_pictures
from vskd.bundle.predict import contract_windows
from vskd.bundle.predict_clips import whole_clip
from vskd.bundle.sensor_file import read_recording


def test_windows_of_a_recording_are_those_that_the_runtime_predicts(tmp_path: Path):
    """Read as is said: with columns in another order they are others; and what was assumed is said."""
    contract, path = sensor_contract(), tmp_path / "r.csv"
    np.savetxt(path, windows(1, seed=3)[0].T, delimiter=",", header="x,y,z", comments="")
    reading = FileReading(rate_hz=50.0, unit="g", columns=(2, 0, 1))
    recorded = read_recording(path, contract, reading)
    found, notes = samples_of(path, contract, reading)
    np.testing.assert_array_equal(found, contract_windows(recorded, contract))
    assert notes == recorded.notes
    other, _ = samples_of(path, contract, FileReading(rate_hz=50.0, unit="g"))
    assert not np.allclose(found, other)


def test_frames_of_a_video_are_all_of_them_or_every_so_many(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "drive.mp4", 7)
    contract = ImageContract(stream="image", size=16, channels=3, crop="full", min_side=12)
    every = [one.picture for one in read_pictures(path, contract, box=None)]
    assert len(every) == 7
    for step in (None, 1, 3):
        found, notes = samples_of(path, contract, FileReading(every=step))
        np.testing.assert_array_equal(found, every[:: step or 1])
        assert notes == ()


def test_a_box_of_the_file_comes_before_that_of_all_files(tmp_path: Path) -> None:
    path = tmp_path / "driver.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(path)
    contract = ImageContract(stream="image", size=16, channels=3, crop="box", box_of="face", min_side=12)
    own, common = (0.0, 0.0, 20.0, 20.0), (10.0, 5.0, 38.0, 29.0)
    for given, expected in ((own, own), (None, common)):
        (found,), _ = samples_of(path, contract, FileReading(box=common), given)
        (shown,) = read_pictures(path, contract, box=expected)
        np.testing.assert_array_equal(found, shown.picture)


def test_a_clip_is_one_sample(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 9)
    contract = ClipContract(stream="rgb", length=5, height=16, width=20, fit="squash", sampling="spread")
    (found,), notes = samples_of(path, contract, FileReading())
    np.testing.assert_array_equal(found, whole_clip(path, contract))
    assert notes == ()
