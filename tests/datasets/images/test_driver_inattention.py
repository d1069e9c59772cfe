"""The annotated infrared frames: names, copies, boxes, and everything that can be wrong with an annotation."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from vskd.datasets.images.driver_inattention import LABELS, index, parse_name
from vskd.datasets.recording import Index, Problem
from vskd.datasets.splits.audit import check_problems
from vskd.errors import DataError

Make = Callable[..., Path]
HASH = "0123456789abcdef" * 2


def only_problem(found: Index) -> Problem:
    """The one problem beside a part's absence."""
    (problem,) = [p for p in found.problems if "not here" not in p.detail]
    return problem


def annotations(root: Path, part: str = "train") -> Path:
    return root / part / "_annotations.txt"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"gA_4_s2_ir_face_mp4-440_jpg.rf.{HASH}.jpg", ("gA_4_s2-440", "gA_4_s2", "4", "2", 440)),
        (
            f"gB_10_s1_2019-03-11T15-24-54-01-00_ir_face_mp4-7_jpg.rf.{HASH}.jpg",
            ("gB_10_s1_2019-03-11T15-24-54-01-00-7", "gB_10_s1_2019-03-11T15-24-54-01-00", "10", "1", 7),
        ),
        (
            f"gB_6_s5_2019-03-13T13-37-1101-00_ir_face_mp4-327_jpg.rf.{HASH}.jpg",
            ("gB_6_s5_2019-03-13T13-37-1101-00-327", "gB_6_s5_2019-03-13T13-37-1101-00", "6", "5", 327),
        ),
    ],
)
def test_names_hold_driver_session_and_frame(name: str, expected: tuple[object, ...]) -> None:
    frame = parse_name(name)
    assert frame is not None
    assert (frame.id, frame.clip, frame.subject, frame.session, frame.number) == expected


@pytest.mark.parametrize(
    "name",
    [
        "IMG_0001.jpg",
        f"gA_4_s2_ir_face_mp4-440_jpg.rf.{HASH[:-1]}.jpg",
        f"gA_4_s2_ir_face_mp4-x_jpg.rf.{HASH}.jpg",
        f"gA_4_ir_face_mp4-440_jpg.rf.{HASH}.jpg",
        f"gA_4_s2_ir_face_mp4-440_jpg.rf.{HASH}.jpg.bak",
    ],
)
def test_other_names_are_none(name: str) -> None:
    assert parse_name(name) is None


def test_a_recording_is_a_frame_with_its_driver_clip_box_and_part(make_inattention: Make) -> None:
    found = index(make_inattention(("train", 3, 2, 40, 0), ("valid", 7, 1, 5, 2)))
    first, second = found.recordings
    assert (first.id, first.subject, first.group, first.trial) == ("gA_3_s2-40", "3", "3", "2")
    assert (first.label, first.clip, first.position, first.part) == (0, "gA_3_s2", 40, "train")
    stream = first.stream("image")
    assert (stream.kind, stream.rate_hz, stream.unit, stream.box) == ("image", 0.0, "uint8", (4, 2, 20, 14))
    assert (second.subject, second.label, second.part) == ("7", 2, "valid")
    assert found.problems == () and found.labels == LABELS


def test_copies_of_a_source_frame_are_recordings_of_their_own(make_inattention: Make) -> None:
    root = make_inattention(("train", 3, 2, 40, 0), ("train", 3, 2, 40, 0), ("train", 3, 2, 41, 0))
    found = index(root)
    assert [r.id for r in found] == ["gA_3_s2-40", "gA_3_s2-40~2", "gA_3_s2-41"]
    assert {(r.clip, r.position) for r in found.recordings[:2]} == {("gA_3_s2", 40)}
    paths = [r.stream("image").path for r in found.recordings[:2]]
    assert paths == sorted(paths), "the file names decide, not the order of the annotations"
    assert found.problems == ()


def test_a_source_frame_in_two_parts_is_refused(make_inattention: Make) -> None:
    found = index(make_inattention(("train", 3, 2, 40, 0), ("test", 3, 2, 40, 0)))
    assert [r.part for r in found] == ["train"]
    problem = only_problem(found)
    assert (problem.kind, problem.recording) == ("duplicate", "gA_3_s2-40")
    assert "in the part 'train' too" in problem.detail
    with pytest.raises(DataError, match="1 duplicate file"):
        check_problems(found)


@pytest.mark.parametrize(
    ("row", "kind", "detail"),
    [
        (" 4,2,20,14,9", "unknown", "line 2: class 9 is no class of driver-inattention, which has 0..5"),
        (" 4,2,20,14,-1", "unknown", "class -1 is no class"),
        (" 4,2,20,14,7 1,1,9,9,-1", "unknown", "class -1 is no class"),
        ("", "unpaired", "line 2: an image without box and class"),
        (" 4,2,20,14", "corrupt", "line 2: '4,2,20,14' is not x1,y1,x2,y2,class"),
        (" 4,2,twenty,14,1", "corrupt", "is not x1,y1,x2,y2,class"),
        (" 40,2,60,14,1", "corrupt", "the box 40, 2, 60, 14 lies outside the image of 32 x 18 pixels"),
        (" 4,2,4,14,1", "corrupt", "the box 4, 2, 4, 14 has no area"),
        (" 4,2,20,14,1 1,1,8,8,2", "duplicate", "two classes for one image (1, 2)"),
    ],
)
def test_every_wrong_line_is_named_and_its_image_left_out(
    make_inattention: Make, row: str, kind: str, detail: str
) -> None:
    root = make_inattention(("train", 1, 1, 1, 0), ("train", 1, 1, 2, 1))
    edit(annotations(root), " 4,2,20,14,1", row)
    found = index(root)
    assert [r.id for r in found] == ["gA_1_s1-1"]
    problem = only_problem(found)
    assert (problem.kind, problem.recording) == (kind, "gA_1_s1-2")
    assert detail in problem.detail
    assert problem.path.endswith(".jpg")


def test_of_several_boxes_of_a_class_the_largest_counts(make_inattention: Make) -> None:
    root = make_inattention(("train", 1, 1, 1, 3))
    edit(annotations(root), " 4,2,20,14,3", " 25,10,31,17,3 4,2,28,14,3 1,13,20,17,3 0,0,9,9,3")
    (recording,) = index(root)
    assert recording.stream("image").box == (4, 2, 28, 14)


def test_a_box_over_the_edge_is_kept_as_it_is(make_inattention: Make) -> None:
    root = make_inattention(("train", 1, 1, 1, 3))
    edit(annotations(root), " 4,2,20,14,3", " 4.5,-2,40,14,3")
    (recording,) = index(root)
    assert recording.stream("image").box == (4.5, -2, 40, 14)


@pytest.mark.parametrize(("label", "what"), [(1, "one image twice"), (4, "two classes for one image (1, 4)")])
def test_an_image_named_by_two_lines(make_inattention: Make, label: int, what: str) -> None:
    root = make_inattention(("train", 1, 1, 1, 1))
    text = annotations(root).read_text()
    annotations(root).write_text(text + text.replace(",1\n", f",{label}\n"))
    with pytest.raises(DataError, match="holds no driver-inattention images"):
        index(root)
    root2 = annotations(root).parent
    (root2 / "_annotations.txt").write_text(text * 2 + "\n")
    text_of_other = text.replace("mp4-1_", "mp4-2_")
    (root2 / text_of_other.split()[0]).write_bytes((root2 / text.split()[0]).read_bytes())
    annotations(root).write_text(text + text.replace(",1\n", f",{label}\n") + text_of_other)
    problem = only_problem(index(root))
    assert (problem.kind, problem.recording) == ("duplicate", "gA_1_s1-1")
    assert what in problem.detail and "line 1, 2" in problem.detail


def test_images_without_a_line_and_lines_without_an_image(make_inattention: Make) -> None:
    root = make_inattention(("train", 1, 1, 1, 0), ("train", 1, 1, 2, 0), ("train", 1, 1, 3, 0))
    lines = annotations(root).read_text().splitlines()
    annotations(root).write_text("\n".join(lines[:2]))
    (root / "train" / lines[0].split()[0]).unlink()
    found = index(root)
    assert [r.id for r in found] == ["gA_1_s1-2"]
    assert [(p.kind, p.recording) for p in found.problems] == [("missing", "gA_1_s1-1"), ("unpaired", "gA_1_s1-3")]
    assert "line 1: there is no such image" in found.problems[0].detail


def test_spoiled_image_files_are_named(make_inattention: Make, image_file: Callable[..., Path]) -> None:
    root = make_inattention(*(("train", 1, 1, frame, 0) for frame in range(1, 5)))
    paths = {r.id: r.stream("image").path for r in index(root)}
    paths["gA_1_s1-1"].write_bytes(b"")
    paths["gA_1_s1-2"].write_bytes(b"no image at all, but bytes")
    image_file(paths["gA_1_s1-3"], size=(1, 1))
    found = index(root)
    assert [r.id for r in found] == ["gA_1_s1-4"]
    assert [(p.kind, p.recording) for p in found.problems] == [("corrupt", f"gA_1_s1-{n}") for n in (1, 2, 3)]
    for problem, detail in zip(found.problems, ("is empty", "neither a JPEG", "is 1 x 1 pixels"), strict=True):
        assert detail in problem.detail
    with pytest.raises(DataError, match="3 corrupt"):
        check_problems(found)


def test_images_of_other_names_are_unknown(make_inattention: Make, image_file: Callable[..., Path]) -> None:
    root = make_inattention(("train", 1, 1, 1, 0))
    image_file(root / "train" / "IMG_1.jpg")
    annotations(root).write_text(annotations(root).read_text() + "IMG_1.jpg 1,1,9,9,0\n")
    problem = only_problem(index(root))
    assert (problem.kind, problem.recording) == ("unknown", "IMG_1.jpg")


def test_class_numbers_go_by_the_names_of_the_class_file(make_inattention: Make) -> None:
    root = make_inattention(("train", 1, 1, 1, 0), ("valid", 1, 1, 2, 0))
    (root / "valid" / "_classes.txt").write_text("\n".join(reversed(LABELS)))
    assert [r.label for r in index(root)] == [0, 5]
    (root / "valid" / "_classes.txt").write_text("Awake\nAsleep\n")
    with pytest.raises(DataError, match="names the classes Awake, Asleep and should name DangerousDriving"):
        index(root)
    (root / "valid" / "_classes.txt").unlink()
    found = index(root)
    assert [r.label for r in found] == [0, 0]
    assert "class numbers are taken in the published order" in only_problem(found).detail


def test_folders_that_are_not_the_data_set(make_inattention: Make, tmp_path: Path) -> None:
    root = make_inattention(("train", 1, 1, 1, 0))
    for wrong in (root.parent, root / "train"):
        with pytest.raises(DataError, match=rf"but {root} may\. Pass --data {root}"):
            index(wrong)
    annotations(root).unlink()
    with pytest.raises(DataError, match=r"train has no _annotations\.txt"):
        index(root)
    annotations(root).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"_annotations\.txt: not a readable text file"):
        index(root)


def test_parts_that_are_not_there_are_named(make_inattention: Make) -> None:
    found = index(make_inattention(("train", 1, 1, 1, 0), parts=("train", "valid")))
    (problem,) = found.problems
    assert (problem.kind, problem.recording) == ("missing", "") and "'test' is not here" in problem.detail
    check_problems(found)


def test_the_real_frames(inattention_data: Path) -> None:
    """Every frame at hand is listed, and the facts of the published training and validation parts hold."""
    found = index(inattention_data)
    assert {p.kind for p in found.problems} <= {"missing"}
    parts = Counter(r.part for r in found)
    assert (parts["train"], parts["valid"]) in {(6830, 1922), (11948, 1922)}
    assert [Counter(r.label for r in found if r.part == "valid")[n] for n in range(6)] == [609, 252, 56, 799, 125, 81]
    if parts["train"] == 6830:
        labels = Counter(r.label for r in found if r.part == "train")
        assert [labels[n] for n in range(6)] == [2132, 965, 200, 2842, 440, 251]
        assert all("~" not in r.id for r in found)
    assert len({r.clip for r in found}) == 30 and found.subjects == tuple(map(str, range(1, 11)))
    assert {len({r.label for r in found if r.subject == s}) for s in found.subjects} == {6}
    for recording in found:
        assert recording.stream("image").box is not None


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("driver-inattention", tmp_path)


def test_of_lines_of_one_image_the_first_is_read_and_a_fault_behind_makes_it_no_other(make_inattention: Make) -> None:
    root = make_inattention(("train", 1, 1, 1, 1), ("train", 1, 1, 2, 1))
    line = next(row for row in annotations(root).read_text().splitlines() if "mp4-1_" in row)
    annotations(root).write_text(annotations(root).read_text() + line.split()[0] + " nonsense\n")
    assert (only_problem(index(root)).kind, "line 1, 3: one image twice" in only_problem(index(root)).detail) == (
        "duplicate",
        True,
    )


def test_copies_are_numbered_by_the_names_of_their_files(make_inattention: Make) -> None:
    """Not in the order of the annotations."""
    root = make_inattention(*(("train", 3, 2, 40, 0) for _ in range(3)))
    lines = annotations(root).read_text().splitlines()
    annotations(root).write_text("\n".join(reversed(lines)))
    found = index(root)
    assert [r.id for r in found] == ["gA_3_s2-40", "gA_3_s2-40~2", "gA_3_s2-40~3"]
    assert [r.stream("image").path.name for r in found] == sorted(line.split()[0] for line in lines)
