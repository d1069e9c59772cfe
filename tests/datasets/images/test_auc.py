"""AUC: the published folders, with and without lighting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from vskd.datasets.images.auc import LABELS, index
from vskd.errors import DataError


def test_lighting_is_the_trial_and_names_may_repeat(auc_root: Path) -> None:
    found = index(auc_root)
    assert len(found) == 2 * 10 * 2 and found.problems == ()
    first = found.recordings[0]
    assert (first.id, first.trial, first.part) == ("test/drinking/day/1", "day", "test")
    assert {r.trial for r in found} == {"day", "night"}
    assert {(r.subject, r.group) for r in found} == {("unknown", "unknown")}


def test_images_directly_in_a_class_folder(auc_root: Path, image_file: Callable[..., Path]) -> None:
    image_file(auc_root / "train" / "makeup" / "7.png", seed=77)
    (recording,) = [r for r in index(auc_root) if r.id == "train/makeup/7"]
    assert (recording.trial, LABELS[recording.label]) == ("1", "makeup")


def test_labels_files_with_drivers(auc_root: Path) -> None:
    lines = [f"{'p1' if n % 2 else 'p2'},{name},1.jpg" for n, name in enumerate(LABELS)]
    (auc_root / "train_labels.csv").write_text("\n".join(["subject,classname,img", *lines]))
    found = index(auc_root)
    drivers = {r.label: r.subject for r in found if r.part == "train"}
    assert drivers == {n: "p1" if n % 2 else "p2" for n in range(10)}
    assert {r.subject for r in found if r.part == "test"} == {"unknown"}
    assert found.problems == ()


def test_labels_files_without_names_are_counted(auc_root: Path) -> None:
    lines = [name for name in LABELS for _ in range(2)]
    table = auc_root / "test_labels.csv"
    table.write_text("\n".join(["classname", *lines]))
    assert index(auc_root).problems == ()
    table.write_text("\n".join(["classname", *lines, "makeup", "dancing"]))
    found = index(auc_root)
    assert len(found) == 40
    assert [(p.kind, p.detail) for p in found.problems] == [
        ("missing", "it lists 3 images of 'makeup', 2 are here"),
        ("unknown", "1 lines name no class of auc"),
    ]


def test_one_stem_twice_is_a_duplicate(auc_root: Path, image_file: Callable[..., Path]) -> None:
    image_file(auc_root / "train" / "makeup" / "day" / "1.png")
    found = index(auc_root)
    (problem,) = found.problems
    assert (problem.kind, problem.recording) == ("duplicate", "train/makeup/day/1")
    assert "one image twice" in problem.detail and len(found) == 39


def test_state_farm_s_codes_are_no_classes_of_auc(auc_root: Path) -> None:
    (auc_root / "train" / "c0").mkdir()
    (problem,) = index(auc_root).problems
    assert (problem.kind, problem.recording) == ("unknown", "train/c0")
    with pytest.raises(DataError, match=f"Pass --data {auc_root}"):
        index(auc_root.parent)


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("auc", tmp_path)
