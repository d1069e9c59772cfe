from pathlib import Path

import pytest

from vskd.datasets.images.image_listing import Listing
from vskd.datasets.video.clip_folders import ClipFile
from vskd.datasets.video.split_lists import factors_of, lines_of, list_folder, merge
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
