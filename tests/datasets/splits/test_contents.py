"""What recordings hold: equal for the same samples in other files, and different for everything else."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests.conftest import mend_in_place
from tests.preprocessing.video.clips import remuxed, write_clip
from vskd.datasets.recording import Stream
from vskd.datasets.sensors.read import read_samples
from vskd.datasets.sensors.signals_file import SignalsFile
from vskd.datasets.splits import contents
from vskd.datasets.splits.contents import (
    of_files,
    of_files_in,
    of_samples,
    of_signals,
    overlapping_parts,
    part_hash,
)
from vskd.files import sha256_file
from vskd.preprocessing.file_hashes import TABLE
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sync.cut import Cut

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


def test_signals_are_kept_under_the_hashes_of_samples(tmp_path: Path) -> None:
    """Of what cannot be decoded the hash alone, and of what cannot be read nothing."""
    streams = sensors(tmp_path)
    (tmp_path / "e.npy").write_bytes(b"no array")
    streams |= {i: replace(streams["c"], path=tmp_path / f"{i}.npy") for i in "ef"}
    kept = SignalsFile(tmp_path / "signals")
    found = of_signals(streams, kept)
    assert found == of_samples(streams) and found["e"] == sha256_file(tmp_path / "e.npy") and "f" not in found
    assert list(kept) == ["a", "b", "d", "c"]
    for i, signal in kept.items():
        np.testing.assert_array_equal(signal, read_samples(streams[i]))


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


def parts(root: Path) -> dict[str, Stream]:
    """Parts of one file, of its copy and of another one."""
    for name, content in (("one", b"samples"), ("copy", b"samples"), ("other", b"others")):
        (root / name).write_bytes(content)

    def part(name: str, reading: Reading | None) -> Stream:
        return Stream("acc", "sensor", root / name, 50.0, "g", ("x",), reading=reading)

    return {
        "a": part("one", Reading(rows=(0, 50))),
        "b": part("one", Reading(rows=(50, 90))),
        "c": part("copy", Reading(rows=(40, 60))),
        "same": part("copy", Reading(rows=(0, 50), offset=3.0)),
        "other": part("other", Reading(rows=(0, 90))),
        "whole": part("copy", None),
        "away": part("gone", Reading(rows=(0, 90))),
    }


def test_parts_of_one_content_that_share_samples_are_found(tmp_path: Path) -> None:
    found = {frozenset(pair) for pair in overlapping_parts(parts(tmp_path))}
    pairs = ("a c", "b c", "c same", "a whole", "b whole", "c whole", "same whole")
    assert found == {frozenset(pair.split()) for pair in pairs}
    whole = {i: stream for i, stream in parts(tmp_path).items() if i in ("whole", "away")}
    assert overlapping_parts({"whole": whole["whole"], "twin": whole["whole"]}) == []


def test_a_part_has_a_hash_of_its_own(tmp_path: Path) -> None:
    streams = parts(tmp_path)
    found = of_files(streams)
    assert "away" not in found
    assert found["whole"] == sha256_file(tmp_path / "one")
    assert found["a"] == found["same"] != found["b"]  # the same rows of the same content
    assert len({found[i] for i in ("a", "b", "c", "whole")}) == 4
    assert part_hash("abc", streams["whole"]) == "abc" != part_hash("abc", streams["a"])


def test_what_is_stated_of_a_file_is_part_of_its_samples(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.csv", RNG(0).normal(size=(60, 3)), delimiter=",", fmt="%.4f")
    plain = Stream("acc", "sensor", tmp_path / "a.csv", 50.0, "g", ("x", "y", "z"), columns=(0, 1, 2))
    doubled = replace(plain, reading=Reading(factors=(2.0, 2.0, 2.0)))
    found = of_samples({"plain": plain, "doubled": doubled, "stated": replace(plain, reading=Reading())})
    assert found["plain"] == found["stated"] != found["doubled"]


def test_the_clock_of_a_file_is_no_part_of_its_samples(tmp_path: Path) -> None:
    """A copy with other stamps, even broken ones, is a copy."""
    samples = RNG(0).normal(size=(60, 3))
    stamps = np.arange(60) / 50
    for name, clock in (("a", stamps), ("b", stamps + 100), ("c", RNG(1).permutation(stamps))):
        np.savetxt(tmp_path / f"{name}.csv", np.column_stack([samples, clock]), delimiter=",", fmt="%.4f")
    streams = {
        n: Stream("acc", "sensor", tmp_path / f"{n}.csv", 50.0, "g", ("x", "y", "z"), columns=(0, 1, 2), time_column=3)
        for n in "abc"
    }
    assert len(set(of_samples(streams).values())) == 1 and len(set(of_files(streams).values())) == 3


def test_a_film_s_array_is_named_and_its_cut_is_what_is_shown(tmp_path: Path) -> None:
    film = RNG(0).integers(0, 900, (4, 6, 30), dtype=np.uint16)
    for name, packed in (("a", False), ("b", True)):
        savemat(tmp_path / f"{name}.mat", {"d": film, f"other_{name}": film[:, :, :3]}, do_compression=packed)
    whole = {n: Stream("depth", "video", tmp_path / f"{n}.mat", 30.0, "mm", variable="d") for n in "ab"}
    cut = {f"cut {n}": replace(s, cut=Cut(0.2, 0.6)) for n, s in whole.items()}
    found = of_samples({**whole, **cut, "rest": replace(whole["a"], cut=Cut(0.2, 0.9))})
    assert found["a"] == found["b"] and found["cut a"] == found["cut b"]
    assert len({found["a"], found["cut a"], found["rest"]}) == 3


def test_whole_files_are_not_read_to_look_for_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = {i: stream for i, stream in parts(tmp_path).items() if i in ("whole", "a")}
    assert overlapping_parts(streams) == [("a", "whole")]
    monkeypatch.setattr(contents, "file_hashes", None)
    assert overlapping_parts({"whole": streams["whole"]}) == []


def test_pictures_of_one_grey_are_told_apart_by_their_colours(tmp_path: Path) -> None:
    for name, colour in (("red", (255, 0, 0)), ("grey", (76, 76, 76))):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{name}.png")
    streams = {n: Stream("image", "image", tmp_path / f"{n}.png", 0.0, "uint8") for n in ("red", "grey")}
    assert len({Image.open(s.path).convert("L").getpixel((0, 0)) for s in streams.values()}) == 1
    assert len(set(of_samples(streams).values())) == 2
