"""The files that a store is built from."""

import errno
import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.errors import DataError
from vskd.files import sha256_file
from vskd.preprocessing.stores import store_parts
from vskd.preprocessing.stores.store_parts import (
    array_hash,
    content_of_part,
    keep_content,
    source_hash,
    write_part,
    writing_hdf5,
)


def fill(file: h5py.File) -> None:
    file["data"] = [1, 2, 3]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    (tmp_path / "r.bin").write_bytes(b"samples")
    return tmp_path / "r.bin"


def test_a_part_carries_the_hashes_of_its_source_and_content(recording: Path, tmp_path: Path) -> None:
    part, sha256 = tmp_path / "p.h5", sha256_file(recording)
    content = write_part(part, recording, sha256, fill)
    with h5py.File(part) as file:
        assert file["data"][()].tolist() == [1, 2, 3]
        assert file["data"].attrs["source_sha256"].decode() == sha256
        assert content == array_hash(file["data"][()])
    assert content_of_part(part) == content


def test_who_knows_what_was_decoded_says_it(recording: Path, tmp_path: Path) -> None:
    def said(file: h5py.File) -> None:
        fill(file)
        keep_content(file["data"], np.arange(3))

    assert write_part(tmp_path / "p.h5", recording, sha256_file(recording), said) == array_hash(np.arange(3))


def test_a_source_that_is_being_changed_gives_no_part(recording: Path, tmp_path: Path) -> None:
    def slow(file: h5py.File) -> None:
        fill(file)
        recording.write_bytes(b"SAMPLES")

    with pytest.raises(DataError, match=r"r\.bin: is being changed"):
        write_part(tmp_path / "p.h5", recording, sha256_file(recording), slow)
    assert not (tmp_path / "p.h5").exists()


def test_the_hash_of_an_array_is_of_its_values() -> None:
    """However they lie in memory; another shape or type is another content."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    same = np.asfortranarray(array.astype(">f4"))
    assert array_hash(same) == array_hash(array)
    others = (array.reshape(3, 2), array.astype(np.float64), array + 1, array[::-1])
    assert len({array_hash(a) for a in (array, *others)}) == 5


def test_a_changed_source_has_another_hash(recording: Path) -> None:
    before = source_hash(recording)
    recording.write_bytes(b"samples, more of them")
    assert source_hash(recording) == sha256_file(recording) != before


def test_a_part_that_fails_leaves_nothing(recording: Path, tmp_path: Path) -> None:
    def fail(file: h5py.File) -> None:
        raise DataError("r.bin is broken", "Repair it")

    with pytest.raises(DataError, match="broken"):
        write_part(tmp_path / "p.h5", recording, sha256_file(recording), fail)
    assert [p.name for p in tmp_path.iterdir()] == ["r.bin"]


@pytest.mark.parametrize("content", [b"", b"text", None], ids=["empty", "text", "absent"])
def test_what_is_no_part_has_no_hash(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "p.h5").write_bytes(content)
    assert content_of_part(tmp_path / "p.h5") == ""


def test_room_is_reserved_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def full(handle: int, start: int, size: int) -> None:
        asked.append((start, size))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_parts.os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"), writing_hdf5(tmp_path / "s.h5", 12345):
        pytest.fail("must not get here")
    assert asked == [(0, 12345)]


def test_of_an_unknown_size_at_least_a_byte_is_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(store_parts.os, "posix_fallocate", lambda _, start, size: asked.append((start, size)))
    with writing_hdf5(tmp_path / "s.h5", 0):
        pass
    assert asked == [(0, 1)]


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL])
def test_file_systems_that_cannot_tell_are_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def unable(handle: int, start: int, size: int) -> None:
        raise OSError(number, "not supported")

    monkeypatch.setattr(store_parts.os, "posix_fallocate", unable)
    with writing_hdf5(tmp_path / "s.h5", 100) as file:
        fill(file)
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["data"].shape == (3,)


def test_a_part_is_the_same_whether_its_content_is_returned_or_read_again(recording: Path, tmp_path: Path) -> None:
    content = np.arange(60, dtype=np.uint8).reshape(5, 12)

    def returned(file: h5py.File) -> np.ndarray:
        file.create_dataset("data", data=content, chunks=(1, 12))
        return content

    def read_again(file: h5py.File) -> None:
        returned(file)

    hashes = [
        write_part(tmp_path / f"{write.__name__}.h5", recording, sha256_file(recording), write)
        for write in (returned, read_again)
    ]
    assert hashes == [array_hash(content)] * 2
    for name in ("returned", "read_again"):
        assert content_of_part(tmp_path / f"{name}.h5") == hashes[0]
        with h5py.File(tmp_path / f"{name}.h5") as file:
            np.testing.assert_array_equal(file["data"][()], content)


@pytest.mark.parametrize("array", [np.zeros((0, 3)), np.array(["a", "bc"]), np.array([[True, False]])])
def test_arrays_of_any_type_have_the_hash_of_their_bytes(array: np.ndarray) -> None:
    described = f"{array.dtype.str}{array.shape}".encode() + array.tobytes()
    assert array_hash(array) == hashlib.sha256(described).hexdigest()


def test_parts_and_stores_have_checksums_in_their_own_tables(recording: Path, tmp_path: Path) -> None:
    """Those of HDF5's latest format: a superblock of version 2 or 3, where the old one is 0."""
    write_part(tmp_path / "p.h5", recording, sha256_file(recording), fill)
    with writing_hdf5(tmp_path / "s.h5", 100) as file:
        fill(file)
    for name in ("p.h5", "s.h5"):
        assert (tmp_path / name).read_bytes()[:9] == b"\x89HDF\r\n\x1a\n\x03"


def test_a_part_is_made_in_memory(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_part(tmp_path / "p.h5", recording, sha256_file(recording), fill)
    assert list((tmp_path / "here").iterdir()) == []
