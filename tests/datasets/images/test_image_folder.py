"""Folders of one's own: classes by folder, drivers by labels.csv."""

import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_shapes
from tests.datasets.entries import assert_entry
from vskd.datasets.images.image_folder import index
from vskd.datasets.splits.audit import check_problems
from vskd.datasets.summary import index_summary
from vskd.errors import DataError

ImageFile = Callable[..., Path]


@pytest.fixture
def flat(tmp_path: Path, image_file: ImageFile) -> Path:
    """Two classes, no parts; one image lies deeper."""
    root = tmp_path / "flat"
    for number, name in enumerate(("cat/1.png", "cat/2.jpg", "Dog/1.png", "Dog/garden/3.jpeg")):
        image_file(root / name, seed=number)
    return root


def table(root: Path, *lines: str) -> None:
    (root / "labels.csv").write_text("\n".join(lines) + "\n")


def test_classes_are_the_folders(flat: Path) -> None:
    found = index(flat)
    assert found.labels == ("Dog", "cat")
    assert [(r.id, r.label, r.trial, r.part, r.subject) for r in found] == [
        ("Dog/1", 0, "1", "", "unknown"),
        ("Dog/garden/3", 0, "garden", "", "unknown"),
        ("cat/1", 1, "1", "", "unknown"),
        ("cat/2", 1, "1", "", "unknown"),
    ]
    assert found.problems == ()


def test_parts_by_any_of_their_names(tmp_path: Path, image_file: ImageFile) -> None:
    for number, (part, name) in enumerate((p, n) for p in ("train", "val", "Test") for n in ("a", "b")):
        image_file(tmp_path / part / name / "1.png", seed=number)
    assert [(r.id, r.part) for r in index(tmp_path)] == [
        ("Test/a/1", "test"),
        ("Test/b/1", "test"),
        ("train/a/1", "train"),
        ("train/b/1", "train"),
        ("val/a/1", "valid"),
        ("val/b/1", "valid"),
    ]
    (tmp_path / "validation" / "a").mkdir(parents=True)
    with pytest.raises(DataError, match="two folders for one part"):
        index(tmp_path)


def test_a_class_that_a_part_lacks_is_named(tmp_path: Path, image_file: ImageFile) -> None:
    for name in ("train/a/1.png", "train/b/1.png", "test/a/1.png"):
        image_file(tmp_path / name)
    (problem,) = index(tmp_path).problems
    assert (problem.kind, problem.path) == ("missing", str(tmp_path / "test"))
    assert "no folder of the class 'b'" in problem.detail
    (tmp_path / "test" / "b").mkdir()
    (problem,) = index(tmp_path).problems
    assert problem.detail == "a class folder without images"


def test_layouts_that_make_no_sense(tmp_path: Path, image_file: ImageFile) -> None:
    with pytest.raises(DataError, match=r"has the class folders \(none\)"):
        index(tmp_path)
    image_file(tmp_path / "cat" / "1.png")
    with pytest.raises(DataError, match="at least two that differ"):
        index(tmp_path)
    (tmp_path / "CAT").mkdir(exist_ok=True)
    with pytest.raises(DataError, match="at least two that differ"):
        index(tmp_path)
    image_file(tmp_path / "train" / "cat" / "1.png")
    with pytest.raises(DataError, match=r"mixes parts \(train\) and other folders \(CAT, cat\)"):
        index(tmp_path)


def test_folders_without_images(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "readme.txt").write_text("x")
    with pytest.raises(DataError, match="holds no JPEG or PNG images in its folders cat, dog"):
        index(tmp_path)


def test_labels_csv_names_drivers_and_frames(flat: Path) -> None:
    table(
        flat,
        "path,label,driver,clip,frame",
        "cat/1.png,cat,ann,a.mp4,17",
        "cat/2.jpg,,ann,,",
        "Dog/1.png,dog,bob,b.mp4,3",
        "Dog/garden/3.jpeg,Dog,,,",
    )
    found = index(flat)
    assert [(r.id, r.subject, r.group, r.clip, r.position) for r in found] == [
        ("Dog/1", "bob", "bob", "b.mp4", 3),
        ("Dog/garden/3", "unknown", "unknown", "", None),
        ("cat/1", "ann", "ann", "a.mp4", 17),
        ("cat/2", "ann", "ann", "", None),
    ]
    assert found.problems == ()


def test_everything_wrong_in_labels_csv_is_named(flat: Path) -> None:
    table(
        flat,
        "path,label,driver",
        "cat/1.png,dog,ann",
        "cat/2.jpg,cat,ann",
        "cat/2.jpg,cat,ann",
        "cat/9.png,cat,ann",
        "Dog/1.png,horse,bob",
    )
    found = index(flat)
    assert len(found) == 0
    assert [(p.kind, p.recording) for p in found.problems] == [
        ("duplicate", "Dog/1"),
        ("duplicate", "cat/1"),
        ("duplicate", "cat/2"),
        ("missing", "cat/9"),
        ("unpaired", "Dog/garden/3"),
    ]
    details = [p.detail for p in found.problems]
    assert "two classes for one image: its folder says Dog" in details[0] and "horse" in details[0]
    assert "two classes for one image: its folder says cat" in details[1] and "line 2" in details[1]
    assert "line 3, 4: one image twice" in details[2]
    assert "line 5: there is no image cat/9.png" in details[3]
    with pytest.raises(DataError, match="3 duplicate"):
        check_problems(found)


@pytest.mark.parametrize("row", ["cat/1.png,a.mp4,later", "cat/1.png,,4", "cat/1.png,a.mp4,-4"])
def test_frame_numbers_need_a_clip(flat: Path, row: str) -> None:
    table(flat, "path,clip,frame", row)
    with pytest.raises(DataError, match=r"labels\.csv, line 2: frame '.*' is no number of a frame in a clip"):
        index(flat)


def test_labels_csv_needs_paths(flat: Path) -> None:
    table(flat, "file,label", "cat/1.png,cat")
    with pytest.raises(DataError, match="has no column path"):
        index(flat)


def test_spoiled_files_are_named(flat: Path) -> None:
    (flat / "cat" / "1.png").write_bytes(b"")
    found = index(flat)
    assert [(p.kind, p.recording) for p in found.problems] == [("corrupt", "cat/1")]
    assert len(found) == 3


def twin_forms(root: Path, image_file: Callable[..., Path]) -> None:
    """Class folders and images as macOS writes them in one part and as Linux writes them in the other."""
    for number, (part, form) in enumerate((("train", "NFD"), ("test", "NFC"))):
        for name in ("caf\u00e9", "th\u00e9"):
            written = unicodedata.normalize(form, f"{name}/m\u00fcsli{number}.png")
            image_file(root / part / written, seed=10 * number + len(name))


def test_forms_of_unicode_are_one_name(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    twin_forms(tmp_path, image_file)
    found = index(tmp_path)
    assert found.labels == ("caf\u00e9", "th\u00e9")
    assert found.problems == ()
    assert found.recordings[0].id == "test/caf\u00e9/m\u00fcsli1" and len(found) == 4
    lines = [
        "path,label,driver",
        *(unicodedata.normalize("NFC", f"train/{name}/m\u00fcsli0.png,{name},Jos\u00e9") for name in found.labels),
        *(unicodedata.normalize("NFD", f"test\\{name}\\m\u00fcsli1.png,{name},Jos\u00e9") for name in found.labels),
    ]
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    found = index(tmp_path)
    assert found.problems == () and len(found) == 4
    assert found.subjects == ("Jos\u00e9",)


def test_both_forms_of_one_name_are_a_duplicate(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    for name in ("cat/\u00e9.png", "cat/e\u0301.png", "dog/1.png"):
        image_file(tmp_path / name)
    found = index(tmp_path)
    assert [r.id for r in found] == ["dog/1"]
    assert [(p.kind, p.recording) for p in found.problems] == [("duplicate", "cat/\u00e9")]


def test_paths_with_backslashes_are_matched(image_folder_root: Path) -> None:
    table = image_folder_root / "labels.csv"
    expected = index(image_folder_root)
    table.write_text(table.read_text().replace("/", "\\"))
    assert index(image_folder_root) == expected
    assert not expected.problems


@pytest.mark.parametrize("names", [("Cat", "cat"), ("cat", "cat "), ("a  b", "a b"), ("CAF\u00c9", "cafe\u0301")])
def test_classes_that_differ_in_spelling_only_are_refused(
    tmp_path: Path, image_file: Callable[..., Path], names: tuple[str, str]
) -> None:
    for name in (*names, "dog"):
        image_file(tmp_path / name / "1.png")
    with pytest.raises(DataError, match="names that differ in upper and lower case or spaces only are one class"):
        index(tmp_path)


def test_what_machines_left_is_no_class_and_no_image(image_folder_root: Path) -> None:
    expected = index(image_folder_root)
    photo = (image_folder_root / "train" / "cat" / "0.png").read_bytes()
    for name in (
        *("@eaDir/1.png", "train/@eaDir/1.png", "train/__MACOSX/1.png", "train/.thumbnails/1.png"),
        *("train/cat/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", "train/cat/._0.png", "train/cat/Thumbs.db"),
        *("train/cat/.DS_Store", "train/cat/#recycle/0.png"),
    ):
        (image_folder_root / name).parent.mkdir(parents=True, exist_ok=True)
        (image_folder_root / name).write_bytes(photo)
    assert index(image_folder_root) == expected


def test_linked_classes_and_images_are_read_and_circles_end(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    for name in ("store/cat/1.png", "store/deep/2.png", "data/dog/1.png"):
        image_file(tmp_path / name)
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "store" / "cat")
    (tmp_path / "data" / "dog" / "more").symlink_to(tmp_path / "store" / "deep")
    (tmp_path / "store" / "cat" / "up").symlink_to(tmp_path / "store")
    found = index(tmp_path / "data")
    assert [r.id for r in found] == ["cat/1", "dog/1", "dog/more/2"]


def test_names_that_are_no_utf8_are_named(image_folder_root: Path, image_file: Callable[..., Path]) -> None:
    expected = index(image_folder_root)
    image_file(image_folder_root / "train" / "cat" / os.fsdecode(b"\xe9.png"))
    image_file(image_folder_root / "train" / os.fsdecode(b"\xe9") / "1.png")
    found = index(image_folder_root)
    assert found.recordings == expected.recordings
    said = {Path(p.path).name: p.detail for p in found.problems}
    assert said == {
        r"\xe9.png": "its name is no UTF-8; rename the file",
        r"\xe9": r"'\xe9' is no class of image-folder, which has cat, dog",
    }
    json.dumps(index_summary(found), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_a_missing_image(tmp_path: Path, path: str) -> None:
    write_shapes(tmp_path, drivers=2, each=1)
    with (tmp_path / "labels.csv").open("a", encoding="utf-8") as table:
        table.write(f"{path},1,1,1\n")
    assert [p.kind for p in index(tmp_path).problems] == ["missing"]


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("image-folder", tmp_path)


def test_classes_stand_in_alphabetical_order(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    for name in (f"{label}/1.png" for label in "hgfedcba"):
        image_file(tmp_path / name)
    assert index(tmp_path).labels == tuple("abcdefgh")


def test_what_lines_say_of_one_image_is_told_in_order(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    for name in (f"{label}/1.png" for label in "ab"):
        image_file(tmp_path / name)
    rows = [f"a/1.png,{label}" for label in ("z", "y", "x", "w", "v", "z")]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    details = [p.detail for p in index(tmp_path).problems if p.kind == "duplicate"]
    assert len(details) == 1 and details[0].endswith("line 2, 3, 4, 5, 6, 7 v, w, x, y, z")


def test_a_name_may_hold_a_backslash_where_files_may(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    for name in ("a/b\\c.png", "z/1.png"):
        image_file(tmp_path / name)
    (tmp_path / "labels.csv").write_text("path\na/b\\c.png\nz\\1.png\n")
    found = index(tmp_path)
    assert [r.id for r in found] == ["a/b\\c", "z/1"] and not found.problems
