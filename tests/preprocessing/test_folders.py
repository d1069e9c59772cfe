"""Walking folders as people and machines leave them."""

import os
from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.preprocessing.folders import (
    composed,
    files_below,
    is_clutter,
    is_text,
    require_regular,
    shown,
    spelling,
    subfolders,
)


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def below(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in files_below(root)]


def test_walking_is_sorted_and_leaves_clutter_out(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.png", "b/10.png", "a/deep/1.png", ".git/x", "a/.hidden.png", "a/Thumbs.db", "desktop.ini")
    assert [p.name for p in subfolders(tmp_path)] == ["a", "b"]
    assert below(tmp_path) == ["a/deep/1.png", "b/10.png", "b/2.png"]


@pytest.mark.parametrize(
    "name",
    ["@eaDir", "@EADIR", ".thumbnails", "__MACOSX", "#recycle", "@Recycle", "$RECYCLE.BIN", "lost+found", ".DS_Store"],
)
def test_what_machines_leave_is_no_data_and_no_class(tmp_path: Path, name: str) -> None:
    fill(tmp_path, f"{name}/1.jpg", f"cat/{name}/1.jpg/THUMB_M.jpg", "cat/._1.jpg", "cat/1.jpg")
    assert [p.name for p in subfolders(tmp_path)] == ["cat"]
    assert below(tmp_path) == ["cat/1.jpg"]


@pytest.mark.parametrize("name", ["@home", "eaDir", "MACOSX", "recycle", "#1", "$5"])
def test_names_that_people_give_are_kept(tmp_path: Path, name: str) -> None:
    fill(tmp_path, f"{name}/1.jpg")
    assert [p.name for p in subfolders(tmp_path)] == [name]
    assert below(tmp_path) == [f"{name}/1.jpg"]


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    fill(tmp_path, "store/1.png", "store/deep/2.png", "data/own.png")
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "store")
    assert [p.name for p in subfolders(tmp_path / "data")] == ["cat"]
    assert below(tmp_path / "data") == ["own.png", "cat/1.png", "cat/deep/2.png"]


def test_a_folder_linked_twice_is_walked_twice(tmp_path: Path) -> None:
    """Whether that is wrong is not for a walk to say: an audit finds files of the same content."""
    fill(tmp_path, "store/1.png")
    for name in ("a", "b"):
        (tmp_path / name).symlink_to("store")
    assert below(tmp_path) == ["a/1.png", "b/1.png", "store/1.png"]


def test_circles_of_links_end(tmp_path: Path) -> None:
    fill(tmp_path, "a/b/1.png")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(".")
    (tmp_path / "a" / "one").symlink_to("other")
    (tmp_path / "a" / "other").symlink_to("one")
    assert below(tmp_path) == ["a/one", "a/other", "a/b/1.png"]
    assert below(tmp_path / "a" / "b") == ["1.png"], "a link above where the walk began is one, too"


def test_a_link_that_leads_nowhere_is_there_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert below(tmp_path) == ["gone.png"]


def test_folders_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for walk in (subfolders, lambda path: list(files_below(path))):
        with pytest.raises(DataError, match=r"Cannot list .*nowhere"):
            walk(tmp_path / "nowhere")
    fill(tmp_path, "shut/1.png")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"Cannot list .*shut: Permission denied"):
        below(tmp_path)


def test_pipes_are_refused_before_they_are_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert below(tmp_path) == ["pipe.png"]
    with pytest.raises(DataError, match=r"pipe\.png is no regular file"):
        require_regular(tmp_path / "pipe.png")
    fill(tmp_path, "file.png")
    require_regular(tmp_path / "file.png")


def test_names_that_are_no_utf8_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    assert not is_text(path) and is_text(tmp_path)
    assert shown(path) == rf"{tmp_path}/caf\xe9.png"
    shown(path).encode("utf-8")
    assert shown(tmp_path / "caf\u00e9") == f"{tmp_path}/caf\u00e9"


def test_forms_of_names() -> None:
    assert composed("cafe\u0301") == composed("caf\u00e9") == "caf\u00e9"
    same = ["D6", "d6", " d 6", "d06", "D\u00a06"]
    assert {spelling(name) for name in same} == {"d6"}
    others = ["d60", "d66", "d-6", "e6", "600", "0", "10", "100"]
    assert len({spelling(name) for name in others}) == len(others)
    assert spelling("p002") == spelling("p2") and spelling("p1002") == "p1002"


def test_a_folder_that_vanishes_while_it_is_walked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "gone/1.png")
    stat = Path.stat

    def vanished(path: Path, **options: bool) -> os.stat_result:
        if path.name == "gone":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", vanished)
    with pytest.raises(DataError, match=r"Cannot list .*gone: No such file"):
        below(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("Desktop.ini", "Thumbs.db", "ehthumbs.db", "Icon\r", "$RECYCLE.BIN", "System Volume Information", ".x"),
        *("@eaDir", "@Recycle", "@Recently-Snapshot", "#recycle", "#snapshot", "lost+found", "__MACOSX"),
    ],
)
def test_every_name_that_a_machine_leaves(name: str) -> None:
    assert is_clutter(name) and not is_clutter(f"a{name}")


def test_many_names_are_sorted_whatever_their_order_on_the_disk(tmp_path: Path) -> None:
    names = [f"{letter}{number}" for letter in "xbqa" for number in (3, 1, 10, 2)]
    fill(tmp_path, *names, *(f"folder {name}/f" for name in names))
    assert below(tmp_path) == [*sorted(names), *(f"folder {name}/f" for name in sorted(names))]
    assert [path.name for path in subfolders(tmp_path)] == [f"folder {name}" for name in sorted(names)]
