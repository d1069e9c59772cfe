from pathlib import Path

import pytest

from vskd.datasets.images.auc import CLASSES
from vskd.datasets.images.published_folders import LABEL_SWAP, LABELS, has_published_layout, index_published_folders


def test_layout_is_recognised_by_one_class_folder(tmp_path: Path) -> None:
    assert not has_published_layout(tmp_path)
    (tmp_path / "train" / "something").mkdir(parents=True)
    assert not has_published_layout(tmp_path)
    (tmp_path / "test" / "texting - left").mkdir(parents=True)
    assert has_published_layout(tmp_path)


def test_classes_are_in_the_order_of_their_folders() -> None:
    assert list(LABELS) == sorted(LABELS) and len(LABELS) == 10
    for one, other in LABEL_SWAP.items():
        assert other == (one.replace("left", "right") if "left" in one else one.replace("right", "left")) != one


@pytest.mark.parametrize("part", ["train", "test"])
def test_an_absent_part_is_named(auc_root: Path, part: str) -> None:
    (auc_root / part).rename(auc_root / "away")
    (problem,) = index_published_folders(auc_root, CLASSES).problems
    assert (problem.kind, problem.detail) == ("missing", f"the part '{part}' is not here")


def test_a_part_valid_is_optional(auc_root: Path) -> None:
    (auc_root / "test").rename(auc_root / "valid")
    assert {r.part for r in index_published_folders(auc_root, CLASSES)} == {"train", "valid"}


def test_one_table_of_drivers_is_of_all_parts_and_none_leaves_them_unknown(auc_root: Path, tmp_path: Path) -> None:
    for table in auc_root.glob("*_labels.csv"):
        table.unlink()
    bare = index_published_folders(auc_root, CLASSES)
    assert {r.subject for r in bare} == {"unknown"} and {r.part for r in bare} == {"train", "test"}
    for number, recording in enumerate(bare):  # names of their own
        path = recording.stream("image").path
        path.rename(path.with_name(f"{number}.jpg"))
    bare = index_published_folders(auc_root, CLASSES)
    rows = [f"p{r.label},{bare.labels[r.label]},{r.stream('image').path.name}" for r in bare]
    table = tmp_path / "drivers.csv"
    table.write_text("\n".join(["subject,classname,img", *rows[1:]]))
    told = index_published_folders(auc_root, CLASSES, table)
    assert [r.id for r in told] == [r.id for r in bare][1:]
    assert all(r.subject == f"p{r.label}" for r in told)
    assert [(p.kind, p.recording) for p in told.problems] == [("unpaired", bare.recordings[0].id)]


@pytest.mark.parametrize("left", ["train", "test"])
def test_a_table_of_a_part_is_of_that_part_alone(auc_root: Path, left: str) -> None:
    for table in auc_root.glob("*_labels.csv"):
        table.unlink()
    for number, recording in enumerate(index_published_folders(auc_root, CLASSES)):  # names of their own
        path = recording.stream("image").path
        path.rename(path.with_name(f"{number}.jpg"))
    bare = index_published_folders(auc_root, CLASSES)
    rows = [f"p{r.label},{bare.labels[r.label]},{r.stream('image').path.name}" for r in bare if r.part == left]
    (auc_root / f"{left}_labels.csv").write_text("\n".join(["subject,classname,img", *rows]))
    told = index_published_folders(auc_root, CLASSES)
    assert {r.id: r.subject for r in told} == {r.id: f"p{r.label}" if r.part == left else "unknown" for r in bare}
    assert told.problems == ()
