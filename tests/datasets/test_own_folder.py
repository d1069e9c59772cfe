import os
from pathlib import Path

import pytest

from vskd.datasets.images.class_folders import FolderImage
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.own_folder import classes_in, parts_in, told_by_table
from vskd.errors import DataError


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["jump/1.avi"], "at least two that differ"),
        (["train/jump/1.avi", "run/1.avi"], r"mixes parts \(train\) and other folders \(run\)"),
        (["val/jump/1.avi", "valid/run/1.avi"], "two folders for one part: val, valid"),
        (["jump/Run/1.avi", "JUMP/2.avi"], "at least two that differ"),
        ([], r"has the class folders \(none\)"),
    ],
)
def test_folders_that_mean_nothing_are_refused(tmp_path: Path, names: list[str], told: str) -> None:
    write(tmp_path, *names)
    with pytest.raises(DataError, match=told):
        classes_in("own", tmp_path, parts_in(tmp_path))


def test_a_folder_whose_name_is_no_text_is_no_class(tmp_path: Path) -> None:
    write(tmp_path, "jump/1.avi", "run/2.avi")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/w\xe4lk"))
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    assert classes_in("own", tmp_path, parts_in(tmp_path)).labels == ("jump", "run")


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("Train", "val", "test"), ("train", "valid", "test")),
        (("train", "Valid", "TEST"), ("train", "valid", "test")),
        (("train", "validation"), ("train", "valid")),
    ],
)
def test_parts_are_known_by_the_names_that_people_give(
    tmp_path: Path, folders: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    write(tmp_path, *(f"{folder}/{label}/1.avi" for folder in folders for label in ("jump", "run")))
    found = parts_in(tmp_path)
    assert found == {tmp_path / folder: part for folder, part in zip(folders, parts, strict=True)}
    assert classes_in("own", tmp_path, found).labels == ("jump", "run")


@pytest.mark.parametrize("what", ["image", "clip"])
def test_a_name_may_hold_a_backslash_where_files_may_and_a_missing_one_has_its_id(tmp_path: Path, what: str) -> None:
    names = ("a/b\\c.avi", "z/1.avi")
    write(tmp_path, *names)
    (tmp_path / "labels.csv").write_text("path\na/b\\c.avi\nz\\1.avi\nz/2.avi\n")
    files = [FolderImage(name, tmp_path / name, label, "", "") for label, name in enumerate(names)]
    listing = Listing()
    told = list(told_by_table(tmp_path, files, what, classes_in("own", tmp_path, {tmp_path: ""}), listing, str.upper))
    assert [(file.id, row.line) for file, row, _ in told] == [("a/b\\c.avi", 2), ("z/1.avi", 3)]
    (problem,) = listing.problems
    assert (problem.kind, problem.recording) == ("missing", "Z/2.AVI") and f"no {what} z/2.avi" in problem.detail
