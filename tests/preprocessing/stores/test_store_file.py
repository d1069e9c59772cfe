"""The layout of a store."""

import json
import os
import pickle
from dataclasses import astuple
from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.errors import CacheError, DamagedCacheError
from vskd.preprocessing.stores.checksum import seal
from vskd.preprocessing.stores.store_file import (
    METADATA_BYTES,
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


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Two recordings of four rows of 24 bytes, with a checksum for each row."""
    array = np.arange(12).reshape(4, 3)
    manifest = {"a/1": Entry("d", 10, 5, "hash", "", "content"), "b": Entry("d", 10, 5, "hash", "", "other")}
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        write_header(file, "things", {}, manifest)
        for name, values in (("a/1", array), ("b", array + 100)):
            dataset = file.create_dataset(f"recordings/{member_name(name)}", data=values, chunks=(1, 3))
            seal(dataset)
            dataset.attrs["rate_hz"] = 50.0
            dataset.attrs["unit"] = np.bytes_("g")
    return tmp_path / "rows.h5"


def test_what_is_kept_is_read_once_as_long_as_there_is_room(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Things(rows)
    store._room = 96  # one of them fills it to the last byte
    reads: list[str] = []
    real = Store.read
    monkeypatch.setattr(Store, "read", lambda self, i: (reads.append(i), real(self, i))[1])
    for _ in range(2):
        for recording, first in (("a/1", 0), ("b", 100)):
            assert store.kept(recording)[0, 0] == first and store.length(recording) == 4
    assert reads == ["a/1", "b", "b"]
    assert store.kept("a/1") is store.kept("a/1") and store.kept("b") is not store.kept("b")
    assert np.shares_memory(store.row("a/1", 2), store.kept("a/1"))
    for room, kept in ((95, []), (96, ["b"])):
        fresh = Things(rows)
        assert fresh._room == 64 * 1024**2
        fresh._room = room
        assert fresh.row("b", 2).tolist() == [106, 107, 108] and list(fresh._kept) == kept


def test_a_row_of_a_large_recording_is_read_alone_and_compared(rows: Path) -> None:
    store = Things(rows)
    store._room = 95
    assert store.row("b", 2).tolist() == [106, 107, 108] and store.row("b", 0).tolist() == [100, 101, 102]
    assert not store._kept
    store.close()
    with h5py.File(rows, "r+") as file:
        file["recordings/b"][1, 1] = 0
    damaged = Things(rows)
    damaged._room = 95
    assert damaged.row("b", 2).tolist() == [106, 107, 108]  # the damage is in another row
    with pytest.raises(DamagedCacheError, match="b, row 1: the checksum"):
        damaged.row("b", 1)
    whole = Things(rows)
    with pytest.raises(DamagedCacheError, match="the checksum"):
        whole.row("b", 2)


def test_contents_problems_and_facts_are_by_recording(rows: Path, path: Path) -> None:
    store = Things(rows)
    assert store.contents == {"a/1": "content", "b": "other"} and store.problems == {}
    assert (store.fact("b", "rate_hz"), store.fact("b", "unit")) == (50.0, "g")
    other = Things(path)
    assert other.problems == {"bad/1": "broken"} and other.contents == {"good": ""}
    with pytest.raises(CacheError, match="has no recording bad/1"):
        other.dataset("bad/1")
    with pytest.raises(CacheError, match=r"absent\.h5: there is no such store"):
        Things(path.with_name("absent.h5"))
    path.with_name("text.h5").write_text("no HDF5")
    with pytest.raises(DamagedCacheError, match=r"text\.h5 is not a readable store"):
        Things(path.with_name("text.h5"))


def test_a_pickled_store_and_one_of_another_process_open_the_file_anew(rows: Path) -> None:
    store = Things(rows)
    store.read("b")
    first = store._file
    assert store.dataset("b").file == first and store._process == os.getpid()
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 - written in this line
    assert again._file is None and again.read("b").tolist() == store.read("b").tolist()
    store._process = -1  # as in a worker that inherited it
    store.close()
    assert first, "the file of another process is left alone"
    assert store.read("b")[0, 0] == 100 and store._process == os.getpid()
    opened = store._file
    store.close()
    assert not opened and store._file is None


def test_few_places_are_remembered(rows: Path) -> None:
    with open_store(rows, "things") as file:
        assert file.id.get_mdc_config().max_size == METADATA_BYTES == 262144


def test_names_inside_a_store() -> None:
    assert [member_name(one) for one in ("a b/c.d", "100%", "ä")] == ["a b%2Fc%2Ed", "100%25", "%C3%A4"]


def test_settings_are_written_in_the_order_of_their_names(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        write_header(file, "things", {"b": 1, "a": {"d": 2, "c": None}}, {})
        assert bytes(file.attrs["settings"]) == b'{"a": {"c": null, "d": 2}, "b": 1}'
        assert bytes(file.attrs["settings_hash"]).decode() == settings_hash(
            "things", {"a": {"c": None, "d": 2}, "b": 1}
        )
        assert (int(file.attrs["schema"]), bytes(file.attrs["kind"])) == (3, b"things")


def test_files_are_closed_when_they_are_refused_and_at_the_end(path: Path) -> None:
    """HDF5 opens no file for writing that is open for reading."""
    with pytest.raises(CacheError, match="holds things"):
        open_store(path, "frames")
    with h5py.File(path, "r+"):
        pass
    with Things(path) as store:
        store.read("good")
        assert store._file is not None
    assert store._file is None
    with h5py.File(path, "r+"):
        pass


def test_the_manifest_is_plain_json(tmp_path: Path) -> None:
    """As the library writes all of it, so that older versions read it."""
    for manifest in ({}, {'a "b"\\': MANIFEST["good"], "caf\u00e9/\U0001f3c3": MANIFEST["bad/1"]}):
        with h5py.File(tmp_path / "s.h5", "w") as file:
            write_header(file, "things", {}, manifest)
            found = file["manifest"][()].tobytes()
            assert found.decode() == json.dumps({i: astuple(entry) for i, entry in manifest.items()})
            assert read_manifest(file) == manifest


@pytest.mark.parametrize("kind", ["windows", "text"])
def test_nobody_is_told_to_delete_what_is_another_commands(tmp_path: Path, path: Path, kind: str) -> None:
    """It may be the input of this one, or no store at all."""
    text = tmp_path / "notes.h5"
    text.write_text("mine", encoding="utf-8")
    with pytest.raises(CacheError) as caught:
        open_store(text if kind == "text" else path, "another")
    assert "name another file" in caught.value.action
    assert not caught.value.action.startswith("Delete")
