"""Poses as streams: found in the folder of any data set, and what is wrong with them named."""

import json
import shutil
from pathlib import Path

import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.poses import pose_folder
from vskd.datasets.recording import Index, Problem

ID = "a1_s1_t1"


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path) -> Path:
    """The synthetic world with a pose of one recording; the file is not looked into."""
    root = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    folder = pose_folder(root, "rgb")
    folder.mkdir(parents=True)
    (folder / f"{ID}.h5").write_bytes(b"pose")
    write_list(root)
    return root


def write_list(root: Path, **changes: object) -> None:
    size = (root / "RGB" / f"{ID}_color.mp4").stat().st_size
    row = {"file": f"{ID}.h5", "video_bytes": size, "frames": 9, "empty": 1}
    content = {"settings": {}, "recordings": {ID: row}, "left_out": {}, **changes}
    (pose_folder(root, "rgb") / "poses.json").write_text(json.dumps(content))


def listed(root: Path) -> Index:
    return get_dataset("synthetic").index(root)


def problems(root: Path) -> list[Problem]:
    return [p for p in listed(root).problems if "pose" in p.detail]


def test_a_pose_is_two_streams_of_its_recording(world: Path) -> None:
    found = listed(world)
    image, world_ = (found.by_id()[ID].stream(f"pose-rgb{space}") for space in ("", "-world"))
    assert (image.kind, image.unit, image.axes, image.variable) == ("skeleton", "px", ("x", "y", "z"), "image")
    assert (world_.kind, world_.unit, world_.variable) == ("skeleton", "m", "world")
    assert image.path == world_.path == pose_folder(world, "rgb") / f"{ID}.h5"
    assert image.rate_hz == found.by_id()[ID].stream("rgb").rate_hz
    assert len(found.with_streams(["pose-rgb"])) == 1 and not problems(world)


def test_without_poses_nothing_changes(synthetic_root: Path, world: Path) -> None:
    shutil.rmtree(world / "poses")
    assert not any(name.startswith("pose") for recording in listed(world) for name in recording.streams)
    (world / "poses" / "rgb").mkdir(parents=True)  # of a run that was killed
    assert not any(name.startswith("pose") for recording in listed(world) for name in recording.streams)


def test_a_pose_of_another_video_is_left_out(world: Path) -> None:
    with (world / "RGB" / f"{ID}_color.mp4").open("ab") as file:
        file.write(b"more")
    assert "pose-rgb" not in listed(world).by_id()[ID].streams
    (problem,) = problems(world)
    assert problem.recording == ID and "a pose of another video" in problem.detail


def test_what_is_listed_and_not_there_is_named(world: Path) -> None:
    (pose_folder(world, "rgb") / f"{ID}.h5").unlink()
    (problem,) = problems(world)
    assert (problem.kind, problem.recording) == ("missing", ID) and "vskd preprocess pose" in problem.detail


def test_unknown_recordings_and_videos_without_a_person_are_named(world: Path) -> None:
    row = {"file": "x.h5", "video_bytes": 3, "frames": 9, "empty": 1}
    write_list(world, recordings={"a9_s9_t9": row}, left_out={ID: "nobody is found in 9 of its 9 frames"})
    details = {p.recording: p.detail for p in problems(world)}
    assert "of which there is no video" in details["a9_s9_t9"]
    assert details[ID] == "no pose of rgb: nobody is found in 9 of its 9 frames"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"recordings": {"a": {}}, "left_out": {}}'])
def test_a_list_that_cannot_be_read_is_named(world: Path, content: str) -> None:
    (pose_folder(world, "rgb") / "poses.json").write_text(content)
    (problem,) = problems(world)
    assert problem.kind == "corrupt" and problem.path.endswith("poses.json")


def test_what_is_wrong_with_poses_stands_among_the_other_problems(world: Path) -> None:
    (world / "RGB" / "a1_s2_t1_color.mp4").unlink()
    (pose_folder(world, "rgb") / "poses.json").write_text("{")
    assert [p.kind for p in listed(world).problems] == ["corrupt", "unpaired"]
    other = pose_folder(world, "abc")
    other.mkdir()
    (other / "poses.json").write_text("[")
    assert [p.path.split("/")[-2] for p in listed(world).problems[:2]] == ["abc", "rgb"]
