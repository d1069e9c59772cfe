"""Folders of one's own: classes by folder, drivers by labels.csv."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.datasets.images.image_folder import index
from vskd.datasets.splits.audit import check_problems
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
