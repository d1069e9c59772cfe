from pathlib import Path

import pytest

from vskd.datasets.images.image_listing import Listing
from vskd.datasets.video.clip_folders import ClipFile
from vskd.datasets.video.split_lists import factors_of, lines_of, list_folder, merge, name_missing_lists
from vskd.errors import DataError


def test_clips_of_no_list_are_unused_and_absent_ones_are_counted(tmp_path: Path) -> None:
    listing = Listing()
    clips = [ClipFile(name, tmp_path / f"{name}.avi", 0) for name in ("a", "b", "c")]
    said = factors_of({"split1": {"a": "train", "b": "test", "x": "test", "y": "train"}}, clips, tmp_path, listing)
    assert said == {"a": {"split1": "train"}, "b": {"split1": "test"}, "c": {"split1": "unused"}}
    (problem,) = listing.problems
    assert problem.kind == "missing" and "2 of the 4 clips of split1 are not here: x, y" in problem.detail


def test_a_clip_on_both_sides_is_refused_by_line(tmp_path: Path) -> None:
    said = {"a": "train"}
    merge(tmp_path / "l.txt", 3, said, "a", "train")
    with pytest.raises(DataError, match=r"l.txt, line 4: a trains and tests"):
        merge(tmp_path / "l.txt", 4, said, "a", "test")


def test_lists_are_found_in_the_folder_around_it_and_beside_it(tmp_path: Path) -> None:
    inner = tmp_path / "UCF-101"
    inner.mkdir()
    assert list_folder("lists", inner) is None
    (tmp_path / "lists").mkdir()
    assert list_folder("lists", inner) == tmp_path / "lists"
    (tmp_path / "lists" / "a.txt").write_text("one 1\r\n\r\ntwo\n", encoding="utf-8-sig")
    assert list(lines_of(tmp_path / "lists" / "a.txt")) == [(1, ["one", "1"]), (3, ["two"])]


def test_a_list_in_the_folder_is_taken_first_then_in_the_root_then_beside(tmp_path: Path) -> None:
    inner, root = tmp_path / "a" / "inner", tmp_path / "root"
    for place in (inner, root, tmp_path / "a"):
        (place / "lists").mkdir(parents=True)
    for place in (inner, root, tmp_path / "a"):
        assert list_folder("lists", inner, root) == place / "lists"
        (place / "lists").rmdir()
    assert list_folder("lists", inner, root) is None
    (root / "lists").write_text("no folder")
    assert list_folder("lists", inner, root) is None


def test_lists_without_a_stranger_name_no_problem_and_missing_ones_are_named(tmp_path: Path) -> None:
    listing = Listing()
    clips = [ClipFile("a", tmp_path / "a.avi", 0)]
    assert factors_of({"split1": {"a": "test"}, "split2": {}}, clips, tmp_path, listing) == {
        "a": {"split1": "test", "split2": "unused"}
    }
    assert listing.problems == []
    strangers = dict.fromkeys("zyxwv", "train")
    factors_of({"split3": strangers}, clips, tmp_path, listing)
    assert listing.problems[0].detail == "5 of the 5 clips of split3 are not here: v, w, x and 2 more"
    name_missing_lists(tmp_path, ["one.txt", "two.txt"], listing)
    assert (listing.problems[1].kind, listing.problems[1].path) == ("missing", str(tmp_path))
    assert listing.problems[1].detail.startswith("without one.txt, two.txt no official split fits")
