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
