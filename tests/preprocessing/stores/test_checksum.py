"""Checksums of stored arrays: every kind of change is seen."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.preprocessing.stores.checksum import by_rows, check, checked, crc32, seal

DATA = np.arange(1, 25, dtype=np.float32).reshape(4, 2, 3)


@pytest.fixture(params=[True, False], ids=["rows", "whole"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[h5py.Dataset]:
    chunks = (1, 2, 3) if request.param else None
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", data=DATA, chunks=chunks)
        seal(data)
        yield data


def test_the_sum_is_that_of_the_bytes() -> None:
    assert crc32(DATA) == zlib.crc32(DATA.tobytes())
    assert crc32(DATA[:, 0], DATA[0]) == zlib.crc32(DATA[:, 0].tobytes() + DATA[0].tobytes())


def test_sealed_data_is_read_back(sealed: h5py.Dataset) -> None:
    assert by_rows(sealed) is (sealed.chunks is not None)
    assert len(sealed.attrs["crc32"]) == (1 if sealed.chunks is None else len(DATA))
    np.testing.assert_array_equal(checked(sealed), DATA)


def test_rows_are_stored_one_by_one_or_not_at_all(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for chunks, expected in (((1, 2, 3), True), ((2, 1, 1), False), ((4, 2, 3), False), (None, False)):
            assert by_rows(file.create_dataset(str(chunks), data=DATA, chunks=chunks)) is expected


@pytest.mark.parametrize("change", ["bit", "zeros", "swapped rows"])
def test_a_change_is_seen(sealed: h5py.Dataset, change: str) -> None:
    if change == "bit":
        sealed[2, 1, 2] = np.nextafter(sealed[2, 1, 2], np.float32(np.inf))
    elif change == "zeros":
        sealed[3] = 0
    else:
        sealed[:2] = DATA[[1, 0]]
    with pytest.raises(OSError, match=r"/data: the checksum of row \d is wrong"):
        checked(sealed)


def test_data_without_sums_is_refused(sealed: h5py.Dataset) -> None:
    del sealed.attrs["crc32"]
    with pytest.raises(KeyError):
        checked(sealed)


def test_as_many_rows_as_sums() -> None:
    with pytest.raises(OSError, match="x has 4 rows and 3 checksums"):
        check(DATA, np.zeros(3, np.uint32), "x")


def test_the_first_wrong_row_is_named() -> None:
    sums = np.array([crc32(row) for row in DATA], dtype=np.uint32)
    changed = DATA.copy()
    changed[[1, 3]] += 1
    with pytest.raises(OSError, match="x: the checksum of row 1 is wrong"):
        check(changed, sums, "x")
    for rows, count in ((4, 5), (5, 4)):
        with pytest.raises(OSError, match=f"x has {rows} rows and {count} checksums"):
            check(np.zeros((rows, 2)), np.zeros(count, np.uint32), "x")
    check(DATA, sums, "x")


def test_what_was_read_already_is_sealed_as_it_is(sealed: h5py.Dataset) -> None:
    seal(sealed, DATA + 1)
    with pytest.raises(OSError, match="the checksum of row 0 is wrong"):
        checked(sealed)
    sealed[...] = DATA + 1
    np.testing.assert_array_equal(checked(sealed), DATA + 1)
