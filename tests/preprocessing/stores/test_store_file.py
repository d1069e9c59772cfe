"""The layout of a store."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.errors import CacheError, DamagedCacheError
from vskd.preprocessing.stores.checksum import seal
from vskd.preprocessing.stores.store_file import (
    Entry,
    Store,
    check_store,
    member_name,
    open_store,
    read_manifest,
    refusing_damage,
    settings_hash,
    write_header,
)

MANIFEST = {"good": Entry("d", 10, 5, "hash"), "bad/1": Entry("d", -1, 0, "", "broken")}


class Things(Store):
    kind = "things"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        write_header(file, "things", {"size": 3}, MANIFEST)
        seal(file.create_dataset(f"recordings/{member_name('good')}", data=[1, 2, 3]))
    return tmp_path / "s.h5"


def test_what_was_written_is_read(path: Path) -> None:
    with open_store(path, "things") as file:
        assert read_manifest(file) == MANIFEST
    store = Things(path)
    assert (store.ids, store.settings) == ({"good"}, {"size": 3})
    assert store.read("good").tolist() == [1, 2, 3]


def test_settings_hash_follows_kind_and_content_and_not_the_order() -> None:
    one = settings_hash("things", {"a": 1, "b": None})
    assert one == settings_hash("things", {"b": None, "a": 1})
    assert len({one, settings_hash("other", {"a": 1, "b": None}), settings_hash("things", {"a": 2, "b": None})}) == 3


def test_member_names_are_different_and_no_paths() -> None:
    names = ["a/b", "a%2Fb", "a.b", "a b", ".", "..", "a"]
    quoted = [member_name(name) for name in names]
    assert len(set(quoted)) == len(names)
    assert not any("/" in name or name in (".", "..") for name in quoted)


def test_a_store_can_be_closed_and_used_again(path: Path) -> None:
    with Things(path) as store:
        assert store.dataset("good").shape == (3,)
    assert store.dataset("good").shape == (3,)


@pytest.mark.parametrize(("name", "value"), [("schema", 1), ("kind", "frames")])
def test_another_version_or_kind_is_refused(path: Path, name: str, value: object) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs[name] = value
    with pytest.raises(CacheError, match=f"{value}.* not things of version"):
        Things(path)


@pytest.mark.parametrize("what", ["manifest", "recordings/good"])
def test_a_store_that_lost_something_is_refused(path: Path, what: str) -> None:
    with h5py.File(path, "r+") as file:
        del file[what]
    with pytest.raises(CacheError, match=r"s\.h5"):
        Things(path).read("good")


def test_a_fact_that_is_not_there(path: Path) -> None:
    with pytest.raises(CacheError, match="damaged"):
        Things(path).fact("good", "rate_hz")


def test_damage_is_one_error_and_others_pass() -> None:
    with pytest.raises(CacheError, match=r"x\.h5 is damaged"), refusing_damage(Path("x.h5")):
        raise OSError("checksum")
    with pytest.raises(ZeroDivisionError), refusing_damage(Path("x.h5")):
        raise ZeroDivisionError


def test_reading_into_an_array(path: Path) -> None:
    good = Things(path).read("good")
    rows = np.zeros((2, *good.shape), dtype=good.dtype)
    Things(path).read_into("good", rows[1])
    assert rows.tolist() == [[0, 0, 0], [1, 2, 3]]
    with pytest.raises(CacheError, match=r"good is \(3,\), not \(2,\)"):
        Things(path).read_into("good", np.zeros(2, good.dtype))
    with pytest.raises(CacheError, match="good is int64, not float32"):
        Things(path).read_into("good", np.zeros(3, np.float32))
    with pytest.raises(CacheError, match="has no recording bad"):
        Things(path).read_into("bad", rows[1])


def test_a_whole_store_is_compared_with_its_checksums(path: Path) -> None:
    check_store(path)
    with h5py.File(path, "r+") as file:
        file["recordings/good"][2] = 0
    with pytest.raises(DamagedCacheError, match=r"s\.h5 is damaged .*good: the checksum"):
        check_store(path)
    with pytest.raises(DamagedCacheError, match=r"s\.h5 is damaged"):
        Things(path).read("good")
    with pytest.raises(DamagedCacheError, match=r"s\.h5 is damaged .*good: the checksum"):
        Things(path).read_into("good", np.zeros(3, np.int64))
