from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from tests.datasets.video.clips import copy_clips
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.video.ucf11 import LABELS, index
from vskd.errors import DataError


def write_sample(root: Path) -> None:
    """Three of the classes, seven groups of two clips, in the published layout."""
    names = {"basketball": "shooting", "biking": "biking", "walking": "walk_dog"}
    copy_clips(
        root,
        [
            f"{label}/v_{name}_{group:02d}/v_{name}_{group:02d}_{clip:02d}.mpg"
            for label, name in names.items()
            for group in range(1, 8)
            for clip in (1, 2)
        ],
    )
    (root / "walking" / "Annotation").mkdir()
    (root / "walking" / "Annotation" / "v_walk_dog_01_01.xgtf").write_text("<viper/>")


def test_groups_are_told_by_names_and_never_straddle(tmp_path: Path) -> None:
    write_sample(tmp_path)
    found = index(tmp_path)
    first = found.by_id()["v_walk_dog_03_02"]
    assert (first.subject, first.trial, first.group) == ("3", "2", "walking 3")
    assert (found.labels[first.label], len(found), found.subjects) == ("walking", 42, tuple("1234567"))
    protocol = load_protocol("ucf11", "leave-5-groups-out")
    assert protocol.fold_names(found) == ("1-2-3-4-5", "6-7")
    split = protocol.split(found, "6-7")
    assert {found.by_id()[i].subject for i in split.test} == {"6", "7"} and len(split.train) == 30
    assert len(load_protocol("ucf11", "leave-one-group-out").fold_names(found)) == 7


def test_other_names_are_left_out_by_name(tmp_path: Path) -> None:
    write_sample(tmp_path)
    copy_clips(tmp_path, ["biking/holiday.mpg"])
    found = index(tmp_path)
    assert [Path(p.path).name for p in found.problems if p.kind == "unknown"] == ["holiday.mpg"]
    assert len(found) == 42


def test_one_clip_in_two_classes_is_refused_by_name(tmp_path: Path) -> None:
    write_sample(tmp_path)
    copy_clips(tmp_path, ["diving/v_biking_01_01.mpg"])
    (twin,) = [p for p in index(tmp_path).problems if p.kind == "duplicate"]
    assert twin.recording == "v_biking_01_01" and "two classes for one clip" in twin.detail


def test_the_folder_around_it_will_do(tmp_path: Path) -> None:
    write_sample(tmp_path / "UCF11_updated_mpg")
    assert len(index(tmp_path)) == 42
    with pytest.raises(DataError, match="no folder of a class of ucf11"):
        index(tmp_path / "UCF11_updated_mpg" / "biking")


def test_the_real_clip(shared_data: Path) -> None:
    found = index(shared_data / "ucf11-sample")
    (clip,) = found
    assert (clip.id, clip.subject, found.labels[clip.label]) == ("v_biking_01_01", "1", "biking")
    assert len(LABELS) == 11


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("ucf11", tmp_path)
