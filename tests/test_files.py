import errno
import hashlib
import json
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability.children import in_child
from vskd import files
from vskd.files import WriteError


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_atomic_path_replaces_only_on_success(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.json"
    files.write_json(target, {"b": 1, "a": [1.5]})
    assert json.loads(target.read_text()) == {"a": [1.5], "b": 1}
    with pytest.raises(RuntimeError), files.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(target.read_text()) == {"a": [1.5], "b": 1}
    assert leftovers(target.parent) == ["a.json"]


def test_disk_full_leaves_the_earlier_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    files.write_text(target, "earlier")

    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match=r"a\.txt.*No space left.*Free some disk space"):
        files.write_text(target, "new")
    monkeypatch.undo()
    assert target.read_text() == "earlier"
    assert leftovers(tmp_path) == ["a.txt"]


def test_what_cannot_be_made_again_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    for name in ("file", "link", "full"):
        with pytest.raises(WriteError, match=rf"{name} is there already, and a result replaces nothing"):
            files.refuse_existing(tmp_path / name, "a result")
    for name in ("empty", "new"):
        files.refuse_existing(tmp_path / name, "a result")


def test_parent_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"existing file|none of whose parents"):
        files.write_text(tmp_path / "file" / "a.txt", "x")


def test_read_only_folder_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> tuple[int, str]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)  # root may write anywhere, so the refusal is simulated
    with pytest.raises(WriteError, match=r"Permission denied.*Choose a folder you may write to"):
        files.write_text(tmp_path / "a.txt", "x")


def test_atomic_folder_swaps_whole_folders(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with files.atomic_folder(target) as temporary:
        (temporary / "old").write_text("1")
    with files.atomic_folder(target) as temporary:
        (temporary / "new").write_text("2")
    assert leftovers(target) == ["new"]
    with pytest.raises(RuntimeError), files.atomic_folder(target) as temporary:
        (temporary / "half").write_text("3")
        raise RuntimeError
    assert leftovers(target) == ["new"]
    assert leftovers(tmp_path) == ["bundle"]


def test_missing_input_inside_the_block_is_not_called_a_write_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.atomic_path(tmp_path / "a.txt"):
        (tmp_path / "no such input").read_text()


def test_nan_is_refused_in_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert leftovers(tmp_path) == []


def test_hashes(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert files.sha256_file(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert files.sha256_json({"a": 1, "b": 2}) == files.sha256_json({"b": 2, "a": 1})
    assert files.sha256_json({"a": 1}) != files.sha256_json({"a": 2})


def test_a_file_is_renamed_into_its_place_and_all_may_read_it(tmp_path: Path) -> None:
    """Who has the earlier one open goes on reading that one: it was not written over."""
    target = tmp_path / "a.txt"
    files.write_text(target, "earlier")
    with target.open() as reader:
        with files.atomic_path(target) as temporary:
            temporary.write_text("new")
            made = temporary.stat().st_ino
        assert target.stat().st_ino == made
        assert reader.read() == "earlier"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    with files.atomic_folder(tmp_path / "b"):
        pass
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o755


def test_file_and_folder_are_on_the_disk_before_anybody_relies_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    monkeypatch.setattr(files, "_sync", lambda path: events.append(f"sync {'new' if path.suffix else path.name}"))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: events.append("rename") or replace(self, to))
    files.write_text(tmp_path / "x" / "y" / "a.txt", "1")
    assert events == ["sync x", f"sync {tmp_path.name}", "sync new", "rename", "sync y"]
    events.clear()
    files.write_bytes(tmp_path / "x" / "y" / "a.txt", b"2", durable=False)
    assert events == ["rename"]


def test_what_is_forced_onto_the_disk_is_the_file_and_the_folder_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_fsync: Callable[[int], None]
) -> None:
    forced: list[int] = []

    def fsync(handle: int) -> None:
        real_fsync(handle)
        forced.append(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_text(tmp_path / "a.txt", "1")
    assert forced == [path.stat().st_ino for path in (tmp_path / "a.txt", tmp_path)]
    forced.clear()
    with files.atomic_folder(tmp_path / "b") as folder:
        (folder / "c.txt").write_text("2")
    assert forced == [path.stat().st_ino for path in (tmp_path / "b" / "c.txt", tmp_path / "b", tmp_path)]


def left_by_a_killed_process(folder: Path, *, swap: bool = False) -> None:
    """A file and a folder that were being written; with `swap`, the folder was about to take its place."""

    def die() -> None:
        with files.atomic_path(folder / "a.h5") as file, files.atomic_folder(folder / "bundle") as temporary:
            file.write_text("half")
            (temporary / "new").write_text("2")
            if swap:
                (folder / "bundle").replace(files._old(temporary))
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(die).code == -signal.SIGKILL
    assert sum(files.is_temporary(p.name) for p in folder.iterdir()) == (3 if swap else 2)


def test_what_dead_processes_left_is_swept_and_what_living_ones_write_is_not(tmp_path: Path) -> None:
    left_by_a_killed_process(tmp_path)
    (tmp_path / ".mine.tmp").touch()
    with files.atomic_path(tmp_path / "b.txt") as file, files.atomic_folder(tmp_path / "c") as folder:
        assert in_child(lambda: files.sweep(tmp_path)).code == 0
        file.write_text("whole")
        (folder / "d").touch()
    assert leftovers(tmp_path) == [".mine.tmp", "b.txt", "c"]


def test_the_first_write_into_a_folder_sweeps_it(tmp_path: Path) -> None:
    left_by_a_killed_process(tmp_path)
    files._sweep_once.cache_clear()
    files.write_text(tmp_path / "b.txt", "x")
    assert leftovers(tmp_path) == ["b.txt"]


def test_a_folder_that_was_killed_on_its_way_to_its_place_is_brought_there(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "old").write_text("1")
    left_by_a_killed_process(tmp_path, swap=True)
    assert not (tmp_path / "bundle").exists()
    files.sweep(tmp_path)
    assert leftovers(tmp_path) == ["bundle"]
    assert leftovers(tmp_path / "bundle") == ["new"]


def test_a_folder_that_cannot_take_its_place_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle").mkdir()
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if self.suffix == ".tmp":
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WriteError, match="bundle"), files.atomic_folder(tmp_path / "bundle"):
        pass
    assert leftovers(tmp_path) == ["bundle"]


@pytest.mark.parametrize(
    ("number", "action"),
    [
        (errno.ENOSPC, "Free some disk space"),
        (errno.EDQUOT, "Free some disk space"),
        (errno.EACCES, "Choose a folder you may write to"),
        (errno.EPERM, "Choose a folder you may write to"),
        (errno.EROFS, "Choose a folder on a file system that is not read-only"),
        (errno.ENOTDIR, "Choose an output path none of whose parents is a file"),
        (errno.EEXIST, "Choose an output path that is not an existing file"),
        (errno.EIO, "Check the output folder"),
    ],
)
def test_each_refusal_of_the_system_has_its_action(number: int, action: str) -> None:
    error = files.write_error(Path("a.txt"), OSError(number, os.strerror(number)))
    assert error.problem == f"Cannot write a.txt: {os.strerror(number)}"
    assert error.action.startswith(action) and error.action.endswith("earlier results were left untouched")
    assert files.write_error(Path("a"), OSError("odd")).problem == "Cannot write a: odd"


@pytest.mark.parametrize(("number", "passes"), [(errno.EINVAL, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)])
def test_disks_that_cannot_sync_are_written_to_and_broken_ones_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, passes: bool
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(files.os, "fsync", refuse)
    if passes:
        files.write_text(tmp_path / "a.txt", "x")
        assert (tmp_path / "a.txt").read_text() == "x"
    else:
        with pytest.raises(WriteError, match=r"Cannot write .*a\.txt: no"):
            files.write_text(tmp_path / "a.txt", "x")
        assert leftovers(tmp_path) == []


def test_temporary_names(tmp_path: Path) -> None:
    with files.atomic_path(tmp_path / "a.b.h5") as file, files.atomic_folder(tmp_path / "c.d") as folder:
        assert file.suffix == ".h5" and files.is_temporary(file.name)
        assert files.is_temporary(folder.name) and files.is_temporary(files._old(folder).name)
    for name in ("a.h5", ".a.h5", ".mine.tmp", ".a.12345678.h5", ".a.1234567.tmp", "a.12345678.tmp", ".a.ABCDEFGH.tmp"):
        assert not files.is_temporary(name), name


def test_json_is_indented_sorted_and_ends_with_a_line() -> None:
    assert files.json_text({"b": [1], "a": "ä"}) == '{\n  "a": "\\u00e4",\n  "b": [\n    1\n  ]\n}\n'
    assert files.sha256_json({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()
    with pytest.raises(ValueError):
        files.sha256_json(float("inf"))


def test_a_folder_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that lies in it, then itself, then its name; the earlier one steps aside and goes."""
    events: list[str] = []
    replace, rmtree = Path.replace, files.shutil.rmtree

    def told(path: Path) -> str:
        return path.suffix if files.is_temporary(path.name) else path.name

    monkeypatch.setattr(files, "_sync", lambda path: events.append(f"sync {told(path)}"))
    monkeypatch.setattr(
        Path, "replace", lambda self, to: events.append(f"{told(self)} to {told(to)}") or replace(self, to)
    )
    monkeypatch.setattr(
        files.shutil, "rmtree", lambda path, **words: events.append(f"delete {told(path)}") or rmtree(path, **words)
    )
    (tmp_path / "out").mkdir()
    with files.atomic_folder(tmp_path / "out") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "leaf").touch()
    inside = {"sync deep", "sync leaf"}
    assert set(events[:2]) == inside
    assert events[2:7] == ["sync .tmp", "out to .old", ".tmp to out", f"sync {tmp_path.name}", "delete .old"]
    assert leftovers(tmp_path) == ["out"] and leftovers(tmp_path / "out") == ["deep"]


def test_a_folder_to_write_into_and_not_to_look_into_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: object, *words: int) -> int:
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(files.os, "open", refuse)
    files.write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").read_text() == "x"


def test_what_another_process_swept_in_the_first_moment_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    real = files._locked_at

    def swept_once(handle: int, path: Path) -> bool:
        tried.append(path)
        if len(tried) in (1, 3):
            path.rmdir() if path.is_dir() else path.unlink()
        return real(handle, path)

    monkeypatch.setattr(files, "_locked_at", swept_once)
    files.write_text(tmp_path / "a.txt", "x")
    with files.atomic_folder(tmp_path / "b") as folder:
        (folder / "c").touch()
    assert len(set(tried)) == 4 and leftovers(tmp_path) == ["a.txt", "b"]


def test_earlier_folders_that_stood_aside_are_swept_once_the_new_one_is_in_its_place(tmp_path: Path) -> None:
    aside, coming = tmp_path / ".out.abcdefgh.old", tmp_path / ".out.abcdefgh.tmp"
    for folder in (aside, coming, tmp_path / "out"):
        folder.mkdir()
    for _ in range(2):  # in whatever order they are found
        files.sweep(tmp_path)
    assert leftovers(tmp_path) == ["out"]
    aside.mkdir()
    files.sweep(tmp_path)
    assert leftovers(tmp_path) == ["out"]
    coming.mkdir()
    (tmp_path / "out").rmdir()
    files.sweep(tmp_path)  # no earlier one stood aside: nobody says that the new one was complete
    assert leftovers(tmp_path) == []
    files.sweep(tmp_path / "nowhere")


def test_a_file_where_a_folder_should_be_or_no_input_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"Cannot write .*out"), files.atomic_path(tmp_path / "out") as temporary:
        temporary.unlink()  # the temporary file itself is gone: a fault of writing
    with pytest.raises(WriteError), files.atomic_path(tmp_path / "out"):
        raise FileNotFoundError(errno.ENOENT, "of no file")
    assert leftovers(tmp_path) == []


def test_text_is_utf_8_and_a_file_is_known_while_it_is_open(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a", "ä")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xa4"
    with (tmp_path / "a").open() as handle:
        assert files.is_at(handle.fileno(), tmp_path / "a")
        files.write_text(tmp_path / "a", "ö")
        assert not files.is_at(handle.fileno(), tmp_path / "a") and not files.is_at(handle.fileno(), tmp_path / "b")


def test_no_descriptor_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def next_free() -> int:
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    before = next_free()
    files.write_text(tmp_path / "a", "x")
    with files.atomic_folder(tmp_path / "b"):
        pass
    for write in (files.atomic_path, files.atomic_folder):
        with pytest.raises(RuntimeError), write(tmp_path / "c"):
            raise RuntimeError
    (tmp_path / ".d.12345678.tmp").touch()
    (tmp_path / ".e.12345678.tmp").mkdir()
    files.sweep(tmp_path)
    real, calls = files._locked_at, iter([False, True, False, True])
    monkeypatch.setattr(files, "_locked_at", lambda handle, path: real(handle, path) and next(calls))
    files.write_text(tmp_path / "a", "y")
    with files.atomic_folder(tmp_path / "b"):
        pass
    assert next_free() == before
