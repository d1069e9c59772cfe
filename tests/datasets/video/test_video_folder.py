from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from tests.datasets.video.clips import copy_clips, write_clip
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.video.video_folder import index
from vskd.errors import DataError, ProtocolError


def write_sample(root: Path) -> None:
    """Two classes in three parts, of six groups; each group has a clip of either class, and is in one part."""
    rows = ["path,group"]
    for label in ("jump", "run"):
        for group, part in zip("abcdef", ("train", "train", "train", "valid", "test", "test"), strict=True):
            name = f"{part}/{label}/{group}.mp4"
            copy_clips(root, [name])
            rows.append(f"{name},{group}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_parts_and_groups(tmp_path: Path) -> None:
    write_sample(tmp_path)
    found = index(tmp_path)
    clip = found.by_id()["test/run/e.mp4"]
    assert (found.labels, clip.part, clip.subject, clip.group) == (("jump", "run"), "test", "e", "e")
    assert load_protocol("video-folder", "official").split(found).test == tuple(
        f"test/{label}/{group}.mp4" for label in ("jump", "run") for group in "ef"
    )
    assert len(load_protocol("video-folder", "leave-5-groups-out").split(found, "f").test) == 2


@pytest.mark.parametrize("ending", [".mp4", ".avi", ".mkv", ".mpg"])
def test_each_clip_has_the_frame_rate_that_its_file_states(tmp_path: Path, ending: str) -> None:
    rates = {f"{label}/{rate}{ending}": rate for label in ("jump", "run") for rate in (24, 30)}
    for name, rate in rates.items():
        write_clip(tmp_path / name, rate=rate)
    assert {r.id: round(r.stream("rgb").rate_hz, 2) for r in index(tmp_path)} == rates


def test_without_groups_there_is_no_random_split_and_the_refusal_says_what_to_add(tmp_path: Path) -> None:
    copy_clips(tmp_path, [f"{label}/{n}.avi" for label in ("jump", "run") for n in range(3)])
    found = index(tmp_path)
    (problem,) = found.problems
    assert problem.kind == "missing" and problem.path.endswith("labels.csv") and "path and group" in problem.detail
    for protocol in ("leave-one-group-out", "leave-5-groups-out"):
        with pytest.raises(
            ProtocolError, match=r"nobody knows whose 6 .*datasets info video-folder` says how\) in the data set's CSV"
        ):
            load_protocol("video-folder", protocol).split(found, "1")
    with pytest.raises(ProtocolError, match="leaves the part 'train' empty"):
        load_protocol("video-folder", "official").split(found)


def test_the_table_is_checked_line_by_line(tmp_path: Path) -> None:
    copy_clips(tmp_path, [f"{label}/{n}.avi" for label in ("jump", "run") for n in range(4)])
    (tmp_path / "labels.csv").write_text(
        "path,label,group\njump\\0.avi,jump,a\njump/1.avi,run,a\nrun/0.avi,,b\nrun/1.avi,,b\nrun/1.avi,,c\nrun/9.avi,,c\n"
    )
    found = index(tmp_path)
    assert [(r.id, r.group) for r in found] == [("jump/0.avi", "a"), ("run/0.avi", "b")]
    assert sorted((p.kind, p.recording) for p in found.problems) == [
        ("duplicate", "jump/1.avi"),
        ("duplicate", "run/1.avi"),
        ("missing", "run/9.avi"),
        *(("unpaired", f"{label}/{n}.avi") for label, n in (("jump", 2), ("jump", 3), ("run", 2), ("run", 3))),
    ]


def test_one_name_in_two_classes_and_names_that_are_not_ascii(tmp_path: Path) -> None:
    copy_clips(tmp_path, ["laufen/1.avi", "Sprünge/1.avi", "Sprünge/跳.mp4", "Sprünge/clip.mp4", "Sprünge/clip.avi"])
    found = index(tmp_path)
    assert [r.id for r in found] == [
        "Sprünge/1.avi",
        "Sprünge/clip.avi",
        "Sprünge/clip.mp4",
        "Sprünge/跳.mp4",
        "laufen/1.avi",
    ]
    assert {p.kind for p in found.problems} == {"missing"}


def test_groups_of_a_table_and_lines_without_one(tmp_path: Path) -> None:
    copy_clips(tmp_path, ["jump/0.avi", "run/0.avi"])
    (tmp_path / "labels.csv").write_text("path,group\njump/0.avi,anna\nrun/0.avi,\n")
    assert [(r.subject, r.group) for r in index(tmp_path)] == [("anna", "anna"), ("unknown", "unknown")]


def test_class_folders_without_videos_are_no_data_set(tmp_path: Path) -> None:
    for label in ("jump", "run"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "notes.txt").write_text("x")
    with pytest.raises(DataError, match="holds no videos in its folders jump, run"):
        index(tmp_path)


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("video-folder", tmp_path)


def test_classes_stand_in_alphabetical_order(tmp_path: Path) -> None:
    for name in (f"{label}/1.avi" for label in "hgfedcba"):
        copy_clips(tmp_path, [name])
    assert index(tmp_path).labels == tuple("abcdefgh")


def test_what_lines_say_of_one_clip_is_told_in_order(tmp_path: Path) -> None:
    for name in (f"{label}/1.avi" for label in "ab"):
        copy_clips(tmp_path, [name])
    rows = [f"a/1.avi,{label}" for label in ("z", "y", "x", "w", "v", "z")]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    details = [p.detail for p in index(tmp_path).problems if p.kind == "duplicate"]
    assert len(details) == 1 and details[0].endswith("line 2, 3, 4, 5, 6, 7 v, w, x, y, z")
