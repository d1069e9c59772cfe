"""What the UCF data sets share: classes by folder, groups by file name, and what has none."""

import re
from pathlib import Path

import pytest

from tests.datasets.video.clips import copy_clips
from vskd.datasets.images.class_folders import Classes
from vskd.datasets.recording import Index
from vskd.datasets.video.ucf import index_groups
from vskd.datasets.video.ucf50 import index as ucf50_index
from vskd.errors import DataError

NAME = re.compile(r"v_\w+_g(?P<group>\d+)_c(?P<clip>\d+)")
NAMES = ["YoYo/v_YoYo_g07_c01.avi", "YoYo/v_YoYo_g07_c02.avi", "Fencing/v_fencing_g07_c01.avi"]


def test_a_group_is_one_of_all_classes_and_factors_are_added(tmp_path: Path) -> None:
    copy_clips(tmp_path, NAMES)
    ours = ucf50_index(tmp_path)
    assert {r.subject for r in ours} == {"7"} and len(ours) == 3
    seen: list[int] = []

    def factors(folder: Path, clips: list[object], _: object) -> dict[str, dict[str, str]]:
        seen.append(len(clips))
        return {"v_YoYo_g07_c02": {"list": "test"}}

    found = of_two(tmp_path, factors)
    assert seen == [3]
    assert {r.id: dict(r.factors).get("list") for r in found if r.id.startswith("v_YoYo")} == {
        "v_YoYo_g07_c01": None,
        "v_YoYo_g07_c02": "test",
    }


def of_two(root: Path, factors: object = None) -> Index:
    classes = Classes("ucf", ("Fencing", "YoYo"), {"fencing": 0, "yoyo": 1}, True)
    more = () if factors is None else (factors,)
    return index_groups(root, classes, NAME, "Get it", *more)  # type: ignore[arg-type]


def test_a_name_without_a_group_is_unknown_and_left_out(tmp_path: Path) -> None:
    copy_clips(tmp_path, [*NAMES, "YoYo/mine.avi"])
    found = of_two(tmp_path)
    assert len(found) == 3
    (problem,) = found.problems
    assert problem.kind == "unknown" and "its name tells no group" in problem.detail


def test_a_folder_without_classes_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        of_two(tmp_path)
    assert caught.value.action == "Get it" and str(tmp_path) in caught.value.problem
    with pytest.raises(DataError, match=r"nowhere does not exist.*Give the folder that holds ucf with --data"):
        of_two(tmp_path / "nowhere")


def test_what_a_name_says_is_subject_trial_group_and_clip(tmp_path: Path) -> None:
    copy_clips(tmp_path, ["YoYo/v_YoYo_g07_c02.avi", "Fencing/v_fencing_g12_c10.avi"])
    assert [(r.id, r.subject, r.trial, r.group, r.clip, r.label) for r in of_two(tmp_path)] == [
        ("v_YoYo_g07_c02", "7", "2", "YoYo 7", "YoYo 7", 1),
        ("v_fencing_g12_c10", "12", "10", "Fencing 12", "Fencing 12", 0),
    ]


def test_class_folders_without_any_clip_are_problems_and_no_refusal(tmp_path: Path) -> None:
    for name in ("YoYo", "Fencing", "ucfTrainTestlist", "Annotation"):
        (tmp_path / name).mkdir()
    (tmp_path / "YoYo" / "v_YoYo_g01_c01.xgtf").write_text("x")
    found = of_two(tmp_path)
    assert len(found) == 0 and [p.kind for p in found.problems] == ["missing", "missing"]
