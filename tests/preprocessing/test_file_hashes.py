"""Hashes of files: read again whenever the content could have changed, and not before."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vskd.files import sha256_file
from vskd.preprocessing import file_hashes as module
from vskd.preprocessing.file_hashes import SETTLED_NS, TABLE, UNREADABLE, file_hash, file_hashes

LATER_NS = 10 * SETTLED_NS


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_known", {})


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read, in order."""
    seen: list[str] = []
    monkeypatch.setattr(module, "sha256_file", lambda path: seen.append(path.name) or sha256_file(path))
    return seen


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the test are no longer young."""
    real = time.time_ns
    monkeypatch.setattr(module.time, "time_ns", lambda: real() + LATER_NS)


def files(folder: Path, count: int = 3) -> list[Path]:
    for number in range(count):
        (folder / f"{number}.bin").write_bytes(bytes([number] * 5))
    return [folder / f"{number}.bin" for number in range(count)]


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in another process."""
    monkeypatch.setattr(module, "_known", {})


@pytest.mark.usefixtures("later")
def test_a_file_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    paths = files(tmp_path)
    for _ in range(2):
        assert file_hashes([*paths, paths[0]]) == {p: sha256_file(p) for p in paths}
        assert file_hash(paths[1]) == sha256_file(paths[1])
    assert sorted(reads) == ["0.bin", "1.bin", "2.bin"]
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".bin"] == []


@pytest.mark.usefixtures("later")
def test_the_next_process_reads_the_table_only(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, cache = files(tmp_path), tmp_path / "cache"
    first = file_hashes(paths[:2], cache)
    forget(monkeypatch)
    assert file_hashes(paths, cache) == {**first, paths[2]: sha256_file(paths[2])}
    assert reads[2:] == ["2.bin"]
    forget(monkeypatch)
    assert file_hashes(paths[:1], cache) == {paths[0]: first[paths[0]]}
    assert len(reads) == 3
    assert len(json.loads((cache / TABLE).read_text())) == 3, "rows of other files stay"


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("kept", ["nothing", "size", "size and times"])
def test_an_edit_is_seen_whatever_it_keeps(tmp_path: Path, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,), cache = files(tmp_path, 1), tmp_path / "cache"
    before, stat = file_hashes([path], cache)[path], path.stat()
    path.write_bytes(b"other" if kept != "nothing" else b"longer than before")
    if kept == "size and times":
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_hash(path) == sha256_file(path) != before
    forget(monkeypatch)
    assert file_hashes([path], cache)[path] == sha256_file(path)


@pytest.mark.usefixtures("later")
def test_so_is_another_file_of_the_same_name_and_times(tmp_path: Path) -> None:
    (path, other), stat = files(tmp_path, 2), (tmp_path / "0.bin").stat()
    before = file_hash(path)
    other.replace(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_hash(path) == sha256_file(path) != before


def test_a_young_file_is_read_each_time(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one tick of the clock an edit leaves all times as they were."""
    (path,), cache = files(tmp_path, 1), tmp_path / "cache"
    state = module._state(str(path))
    monkeypatch.setattr(module, "_state", lambda name: state)
    before = file_hashes([path], cache)[path]
    path.write_bytes(b"other")
    assert file_hashes([path], cache)[path] == sha256_file(path) != before
    assert len(reads) == 2
    assert not (cache / TABLE).exists()


def test_a_file_of_the_future_is_read_each_time(tmp_path: Path, reads: list[str]) -> None:
    """Whoever set a clock back may write the same time twice."""
    (path,) = files(tmp_path, 1)
    os.utime(path, ns=(0, time.time_ns() + LATER_NS))
    assert file_hash(path) == file_hash(path)
    assert len(reads) == 2


def test_what_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    (path,) = files(tmp_path, 1)
    assert file_hashes([path, tmp_path / "absent", tmp_path]) == {
        path: sha256_file(path),
        tmp_path / "absent": UNREADABLE,
        tmp_path: UNREADABLE,
    }
    with pytest.raises(OSError, match="absent"):
        file_hash(tmp_path / "absent")


def test_a_file_that_never_stands_still_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = files(tmp_path, 1)

    def growing(one: Path) -> str:
        one.write_bytes(one.read_bytes() + b"x")
        return sha256_file(one)

    monkeypatch.setattr(module, "sha256_file", growing)
    with pytest.raises(OSError, match="changes while it is read"):
        file_hash(path)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", '{"a": 1}', '{"a": [1, 2]}', '{"a": [1, 2, 3, 4, 5, "zz"]}', "\udc80"),
        *(f'{{"a": [{inode}, 2, 3, 4, 5, "{"0" * 64}"]}}' for inode in (-1, 1 << 64)),
    ],
)
def test_a_damaged_table_is_made_anew(tmp_path: Path, content: str) -> None:
    (path,), table = files(tmp_path, 1), tmp_path / TABLE
    table.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert file_hashes([path], tmp_path) == {path: sha256_file(path)}
    assert list(json.loads(table.read_text())) == [str(path)]


@pytest.mark.usefixtures("later")
def test_what_this_process_knows_already_is_kept_for_the_next_too(tmp_path: Path, reads: list[str]) -> None:
    paths, cache = files(tmp_path), tmp_path / "cache"
    cache.mkdir()
    found = file_hashes(paths)
    assert file_hashes(paths, cache) == found and len(reads) == 3
    assert len(json.loads((cache / TABLE).read_text())) == 3


@pytest.mark.usefixtures("later")
def test_a_table_is_in_the_order_of_its_names(tmp_path: Path) -> None:
    paths, cache = files(tmp_path, 9), tmp_path / "cache"
    file_hashes(paths[::-1], cache)
    rows = json.loads((cache / TABLE).read_text())
    assert list(rows) == [str(path) for path in paths]
    assert rows[str(paths[3])] == [*module._state(str(paths[3])), sha256_file(paths[3])]
    before = (cache / TABLE).stat().st_ino
    file_hashes(paths, cache)
    assert (cache / TABLE).stat().st_ino == before, "what is known already is not written again"


@pytest.mark.parametrize(("age_ns", "kept"), [(SETTLED_NS, False), (SETTLED_NS + 1, True)])
def test_a_file_is_settled_after_two_seconds(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch, age_ns: int, kept: bool
) -> None:
    (path,) = files(tmp_path, 1)
    state = (1, 2, 3, 10**18 - 5, 10**18)
    monkeypatch.setattr(module, "_state", lambda name: state)
    monkeypatch.setattr(module.time, "time_ns", lambda: 10**18 + age_ns)
    assert file_hash(path) == file_hash(path) and len(reads) == (1 if kept else 2)


def test_a_file_that_stands_still_at_the_third_try_is_read(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = files(tmp_path, 1)
    states = iter([(1,) * 5, (2,) * 5, (3,) * 5, (4,) * 5, (5,) * 5, (5,) * 5])
    monkeypatch.setattr(module, "_state", lambda name: next(states))
    assert file_hash(path) == sha256_file(path) and len(reads) == 3


def test_files_wait_for_a_thread_in_small_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits takes as much memory again as all that is known of a file."""
    waiting = []

    class Pool(module.ThreadPoolExecutor):
        def map(self, work: Callable[[Path], str], paths: list[Path]) -> Iterator[str]:
            waiting.append(len(paths))
            return super().map(work, paths)

    monkeypatch.setattr(module, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(module, "BATCH", 2)
    paths = files(tmp_path, 5)
    assert file_hashes([*paths, paths[0]]) == {path: sha256_file(path) for path in paths}
    assert waiting == [2, 2, 1]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("state", [(0, 0, 0, -5, -(1 << 63)), ((1 << 64) - 1,) * 2 + ((1 << 63) - 1,) * 3])
def test_any_state_is_remembered(tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch, state) -> None:
    """Times before 1970 and the numbers of network disks, too."""
    monkeypatch.setattr(module, "_state", lambda name: state)
    monkeypatch.setattr(module.time, "time_ns", lambda: 1 << 65)
    (path,) = files(tmp_path, 1)
    assert file_hash(path) == file_hash(path) == sha256_file(path) and len(reads) == 1
