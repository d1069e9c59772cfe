import errno
import json
from pathlib import Path

import pytest

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
