"""What recordings hold: equal for the same samples in other files, and different for everything else."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests.conftest import mend_in_place
from tests.preprocessing.video.clips import remuxed, write_clip
from vskd.datasets.recording import Stream
from vskd.datasets.splits import contents
from vskd.datasets.splits.contents import of_files, of_files_in, of_samples
from vskd.files import sha256_file
from vskd.preprocessing.file_hashes import TABLE

Write = Callable[[Path], dict[str, Stream]]
RNG = np.random.default_rng


def sensors(root: Path) -> dict[str, Stream]:
    samples = RNG(0).normal(size=(60, 6))
    savemat(root / "a.mat", {"d": samples})
    savemat(root / "b.mat", {"d": samples}, do_compression=True)
    np.save(root / "c.npy", samples[:, :3])
    savemat(root / "d.mat", {"d": samples + 1e-3})
    axes = ("x", "y", "z")
    names = {"a": "a.mat", "b": "b.mat", "d": "d.mat"}
    found = {i: Stream("acc", "sensor", root / name, 50.0, "g", axes, "d", (0, 1, 2)) for i, name in names.items()}
    return {**found, "c": Stream("acc", "sensor", root / "c.npy", 50.0, "g", axes)}


def skeletons(root: Path) -> dict[str, Stream]:
    joints = RNG(0).normal(size=(20, 3, 9))
    for name, change, packed in (("a", 0, False), ("b", 0, True), ("c", 0, True), ("d", 1, True)):
        savemat(root / f"{name}.mat", {"d": joints + change, f"other_{name}": joints}, do_compression=packed)
    return {i: Stream("skeleton", "skeleton", root / f"{i}.mat", 30.0, "m", variable="d") for i in "abcd"}


def images(root: Path) -> dict[str, Stream]:
    Image.fromarray(RNG(0).integers(0, 256, (36, 64, 3), dtype=np.uint8)).save(root / "a.jpg")
    decoded = Image.open(root / "a.jpg")
    decoded.save(root / "b.png")
    decoded.save(root / "c.png", compress_level=0)
    Image.fromarray(np.asarray(decoded)[::-1]).save(root / "d.png")
    names = {"a": "a.jpg", "b": "b.png", "c": "c.png", "d": "d.png"}
    return {i: Stream("image", "image", root / name, 0.0, "uint8", box=(0, 0, 9, ord(i))) for i, name in names.items()}


def videos(root: Path) -> dict[str, Stream]:
    write_clip(root / "a.mp4", 8)
    remuxed(root / "a.mp4", root / "b.mkv")
    (root / "c.mp4").write_bytes((root / "a.mp4").read_bytes() + b"\0\0\0\x08free")
    write_clip(root / "d.mp4", 9)
    names = {"a": "a.mp4", "b": "b.mkv", "c": "c.mp4", "d": "d.mp4"}
    return {i: Stream("rgb", "video", root / name, 30.0, "uint8") for i, name in names.items()}


@pytest.mark.parametrize("write", [sensors, skeletons, images, videos])
def test_the_same_samples_in_other_files_are_the_same(tmp_path: Path, write: Write) -> None:
    streams = write(tmp_path)
    assert len(set(of_files(streams).values())) == 4, "a, b, c say the same in different bytes"
    found = of_samples(streams)
    assert found.keys() == streams.keys()
    assert found["a"] == found["b"] == found["c"] != found["d"]


def test_what_cannot_be_decoded_is_known_by_its_bytes(tmp_path: Path) -> None:
    for name, content in (("a", b"no image"), ("b", b"no image"), ("c", b"another one"), ("d", b"")):
        (tmp_path / name).write_bytes(content)
    streams = {i: Stream("image", "image", tmp_path / i, 0.0, "uint8") for i in "abcde"}
    found = of_samples(streams)
    assert found == of_files(streams) == {i: sha256_file(tmp_path / i) for i in "abcd"}


def test_a_file_is_decoded_once_and_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streams, decoded = images(tmp_path), []
    read = contents._READERS["image"]
    monkeypatch.setattr(contents, "_READERS", {"image": lambda s: decoded.append(s.path.name) or read(s)})
    before = of_samples(streams)
    assert of_samples(streams) == before
    assert sorted(decoded) == ["a.jpg", "b.png", "c.png", "d.png"]
    Image.fromarray(RNG(1).integers(0, 256, (36, 64, 3), dtype=np.uint8)).save(tmp_path / "b.png")
    assert of_samples(streams)["b"] != before["b"]
    assert decoded[4:] == ["b.png"]


def test_hashes_of_files_are_kept_where_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = images(tmp_path)
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    monkeypatch.setattr("vskd.preprocessing.file_hashes.SETTLED_NS", -(10**12))
    assert of_files_in(tmp_path / "cache")(streams) == {i: sha256_file(s.path) for i, s in streams.items()}
    assert (tmp_path / "cache" / TABLE).is_file()
    mend_in_place(streams["a"].path)
    assert of_files_in(tmp_path / "cache")(streams)["a"] == sha256_file(streams["a"].path)
