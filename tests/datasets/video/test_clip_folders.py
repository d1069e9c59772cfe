from pathlib import Path

import pytest

from tests.datasets.video.clips import copy_clips, write_clip
from vskd.datasets.images.class_folders import classes_of
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.splits.split import UNKNOWN
from vskd.datasets.video.clip_folders import (
    ClipFacts,
    ClipFile,
    add_clip,
    folder_of_classes,
    list_clips,
)
from vskd.errors import DataError

CLASSES = classes_of("pets", ("Cat", "dog"), unique_names=True)


def test_clips_are_listed_sorted_and_what_is_odd_is_named(tmp_path: Path) -> None:
    copy_clips(tmp_path, ["cat/b/2.avi", "cat/1.avi", "cat/3.mp4", "bird/1.avi"])
    (tmp_path / "cat" / "notes.txt").write_text("x")
    (tmp_path / "cat" / "marks.xgtf").write_text("x")
    listing = Listing()
    clips = list(list_clips(tmp_path, "train", CLASSES, tmp_path, listing, beside=(".xgtf",)))
    assert [(c.id, c.label, c.part) for c in clips] == [("1", 0, "train"), ("3", 0, "train"), ("2", 0, "train")]
    assert [(p.kind, Path(p.path).name) for p in listing.problems] == [
        ("unknown", "bird"),
        ("unknown", "notes.txt"),
        ("missing", tmp_path.name),
    ]


def test_a_clip_becomes_a_recording_or_a_problem(tmp_path: Path) -> None:
    listing = Listing()
    add_clip(ClipFile("a", write_clip(tmp_path / "a.avi"), 1, "test"), ClipFacts("7", "2", "dog 7"), listing)
    add_clip(ClipFile("b", tmp_path / "b.avi", 0), ClipFacts(), listing)
    (made,) = listing.recordings
    assert (made.subject, made.trial, made.group, made.part, made.label) == ("7", "2", "dog 7", "test", 1)
    assert made.stream("rgb").kind == "video" and made.stream("rgb").rate_hz == 25
    assert [(p.kind, p.recording) for p in listing.problems] == [("corrupt", "b")]
    assert ClipFacts().subject == ClipFacts().group == UNKNOWN


def test_the_folder_of_the_classes_is_found(tmp_path: Path) -> None:
    (tmp_path / "inner" / "CAT").mkdir(parents=True)
    assert folder_of_classes(tmp_path, CLASSES, "") == tmp_path / "inner"
    (tmp_path / "other" / "dog").mkdir(parents=True)
    with pytest.raises(DataError, match="more than once: inner, other"):
        folder_of_classes(tmp_path, CLASSES, "")
    (tmp_path / "dog").mkdir()
    assert folder_of_classes(tmp_path, CLASSES, "") == tmp_path
    with pytest.raises(DataError, match=r"no folder of a class of pets \(such as Cat, dog\)"):
        folder_of_classes(tmp_path / "dog", CLASSES, "unpack it")


def test_ids_of_names_that_repeat_are_paths_and_a_class_without_clips_is_named(tmp_path: Path) -> None:
    copy_clips(tmp_path, ["in/cat/b/1.avi", "in/cat/a.mpg"])
    (tmp_path / "in/cat/b/1.avi").rename(tmp_path / "in/cat/b/1.AVI")
    (tmp_path / "in" / "DOG").mkdir()
    (tmp_path / "in" / "Notes").mkdir()
    listing = Listing()
    paths = classes_of("pets", ("Cat", "dog"), unique_names=False)
    clips = list(list_clips(tmp_path / "in", "", paths, tmp_path, listing, beside={"Notes"}))
    assert [c.id for c in clips] == ["in/cat/a.mpg", "in/cat/b/1.AVI"]
    assert [(p.kind, Path(p.path).name, p.detail) for p in listing.problems] == [
        ("missing", "DOG", "a class folder without clips")
    ]


def test_the_published_part_of_facts_is_taken_before_the_folder_s(tmp_path: Path) -> None:
    listing = Listing()
    facts = ClipFacts(clip="source", part="valid", factors={"split1": "train"})
    add_clip(ClipFile("a", write_clip(tmp_path / "a.mpg"), 1, "test"), facts, listing)
    (made,) = listing.recordings
    assert (made.part, made.clip, made.factors, made.trial) == ("valid", "source", {"split1": "train"}, "1")
    assert (made.stream("rgb").unit, made.stream("rgb").path) == ("uint8", tmp_path / "a.mpg")


@pytest.mark.parametrize("ending", ["avi", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "webm", "wmv"])
def test_every_usual_ending_is_that_of_a_video(tmp_path: Path, ending: str) -> None:
    for folder in ("cat", "dog"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.{ending}").write_bytes(b"x")
    listing = Listing()
    assert [c.id for c in list_clips(tmp_path, "", CLASSES, tmp_path, listing)] == ["cat", "dog"]
    assert listing.problems == []
