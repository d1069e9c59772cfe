"""A damaged file of the cache is made again, once."""

from pathlib import Path

import pytest

from vskd.distillation.renewal import renewing
from vskd.errors import CacheError, DamagedCacheError


def test_a_damaged_file_is_deleted_named_and_the_work_done_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "store.h5"
    store.write_text("damaged")

    def work() -> str:
        if store.exists() and store.read_text() == "damaged":
            raise DamagedCacheError(store, f"{store} is damaged", "Delete it")
        store.write_text("new")
        return "done"

    with caplog.at_level("WARNING", logger="vskd"):
        assert renewing(work) == "done"
    assert f"{store} is damaged; it is made again" in caplog.text
    assert store.read_text() == "new"


def test_a_file_that_is_damaged_again_is_refused(tmp_path: Path) -> None:
    tried: list[Path] = []

    def work() -> None:
        assert len(tried) < 3, "the work is done again and again"
        name = "a" if len(tried) != 1 else "b"
        tried.append(tmp_path / name)
        raise DamagedCacheError(tmp_path / name, f"{name} is damaged", "Delete it")

    with pytest.raises(DamagedCacheError, match="a is damaged"):
        renewing(work)
    assert [p.name for p in tried] == ["a", "b", "a"]


def test_what_is_not_damaged_is_not_deleted(tmp_path: Path) -> None:
    store = tmp_path / "store.h5"
    store.touch()

    def work() -> None:
        raise CacheError("store.h5 is of another teacher", "Delete it")

    with pytest.raises(CacheError):
        renewing(work)
    assert store.exists()
