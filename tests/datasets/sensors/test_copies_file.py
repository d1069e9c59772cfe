"""Near copies in a store of windows: looked for once, in what was decoded for it, and not in too much."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.sensors.test_same_signals import Signal, movement
from vskd.datasets.sensors import copies_file as module
from vskd.datasets.sensors.copies_file import FoundCopies, copies_file, looking_for_copies, read_copies
from vskd.errors import DamagedCacheError
from vskd.preprocessing.stores.window_store import WindowSettings, WindowSource, build_window_store, read_whole

CUT = WindowSettings("whole", 32)
SIGNALS: dict[str, Signal] = {
    "one": movement(0),
    "other": movement(1),
    "cut": movement(0)[:, 7:],
    "third": movement(2),
    "equal": movement(2),
}
FOUND = FoundCopies((("one", "cut"),))


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, WindowSource]:
    for name, signal in SIGNALS.items():
        np.save(tmp_path / f"{name}.npy", signal.T)
    return {n: WindowSource(n, tmp_path / f"{n}.npy", "", (), ("x", "y", "z"), 50.0) for n in SIGNALS}


@pytest.fixture
def build(sources: dict[str, WindowSource], tmp_path: Path) -> Callable[[], list[str]]:
    """Builds the store, and gives what had to be decoded once more for it."""

    def made() -> list[str]:
        again: list[str] = []

        def read(name: str) -> Signal:
            again.append(name)
            return read_whole(sources[name], CUT)

        with looking_for_copies(tmp_path / "w.h5", read) as keep:
            build_window_store(
                list(sources.values()), tmp_path / "w.h5", **dataclasses.asdict(CUT), keep=keep, overwrite=True
            )
        return again

    return made


def pairs_of(found: FoundCopies) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in found.pairs}


def test_in_a_new_store_nothing_is_decoded_twice_and_equal_samples_are_no_near_copies(
    build: Callable[[], list[str]], tmp_path: Path
) -> None:
    assert build() == []
    found = read_copies(tmp_path / "w.h5")
    assert pairs_of(found) == pairs_of(FOUND) and found.skipped == ""


@pytest.mark.parametrize("before", [1, 3, len(SIGNALS)])
def test_of_an_older_store_what_it_holds_is_read_again(
    build: Callable[[], list[str]], sources: dict[str, WindowSource], tmp_path: Path, before: int
) -> None:
    old = list(sources.values())[:before]
    build_window_store(old, tmp_path / "w.h5", **dataclasses.asdict(CUT))
    assert set(build()) == {source.id for source in old}
    assert pairs_of(read_copies(tmp_path / "w.h5")) == pairs_of(FOUND)


def test_they_are_looked_for_once(
    build: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()
    monkeypatch.setattr(module, "near_copies", None)
    assert build() == []
    assert pairs_of(read_copies(tmp_path / "w.h5")) == pairs_of(FOUND)


def test_in_too_many_samples_nobody_looks_and_nothing_is_read_again(
    build: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = sum(signal.size for signal in SIGNALS.values())
    monkeypatch.setattr(module, "MOST_VALUES", values - 1)
    monkeypatch.setattr(module, "near_copies", None)
    assert build() == []
    assert read_copies(tmp_path / "w.h5") == FoundCopies(skipped=f"{values:,} values are more than {values - 1:,}")


@pytest.mark.parametrize("content", [None, "", "{}", '{"pairs": [["one"]], "skipped": ""}'])
def test_a_damaged_file_is_one_of_the_cache(
    build: Callable[[], list[str]], tmp_path: Path, content: str | None
) -> None:
    build()
    file = copies_file(tmp_path / "w.h5")
    file.unlink() if content is None else file.write_text(content, encoding="utf-8")
    with pytest.raises(DamagedCacheError) as caught:
        read_copies(tmp_path / "w.h5")
    assert caught.value.path == file
