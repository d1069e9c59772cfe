"""The store of poses: made once, taken up again after a kill, and never made up. The networks are stood in for."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.preprocessing.video.clips import write_clip
from vskd.errors import DataError
from vskd.files import WriteError
from vskd.preprocessing.sensor.joints import joints_shape, read_joints
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.stores import pose_store
from vskd.preprocessing.stores.checksum import seal
from vskd.preprocessing.stores.pose_store import LIST, PoseReport, PoseSettings, PoseSource, build_poses, read_poses
from vskd.preprocessing.video.frames import Span
from vskd.preprocessing.video.pose_geometry import Picture, Square
from vskd.preprocessing.video.pose_landmarks import JOINTS, Body

SETTINGS = PoseSettings({"a.tflite": "0" * 64})


def no_one(grey: int) -> bool:
    return False


@dataclass
class Stage:
    """Somebody whose joints say how bright the frame is; in the frames that are `empty`, by that brightness, nobody."""

    empty: Callable[[int], bool] = no_one
    looks: int = 0

    def find(self, picture: Picture) -> list[Square]:
        return [Square(30.0, 20.0, 10.0, 0.1)]

    def look(self, picture: Picture, square: Square) -> Body | None:
        self.looks += 1
        grey = int(picture[-1, -1, 0])
        if self.empty(grey):
            return None
        joints = np.add.outer(np.arange(JOINTS, dtype=float), [grey, 0.5 * grey, 1.0])
        shares = np.linspace(0, 1, JOINTS)
        return Body(joints, joints / 100, shares, 1 - shares, 0.75, square, np.zeros(2), np.zeros(2))


@pytest.fixture
def sources(tmp_path: Path) -> list[PoseSource]:
    paths = [write_clip(tmp_path / f"{name}.mp4", frames) for name, frames in (("one", 12), ("two", 9))]
    return [PoseSource(f"s/{path.stem}", path, 30.0) for path in paths]


def build(sources: list[PoseSource], out: Path, stage: Stage | None = None, **changes: object) -> PoseReport:
    settings = changes.pop("settings", SETTINGS)
    allowed = {"max_empty": 0.5, **changes}
    return build_poses(sources, out, stage or Stage(), settings, **allowed)  # type: ignore[arg-type]


def test_every_frame_has_joints_confidences_and_a_box(sources: list[PoseSource], tmp_path: Path) -> None:
    report = build(sources, tmp_path / "poses")
    assert (report.stored, report.reused, report.frames, report.empty, report.failures) == (2, 0, 21, 0, ())
    data, box = read_poses(tmp_path / "poses" / "s%2Fone.h5")
    assert (data.dtype, data.shape, box.shape) == (np.float32, (12, 33, 8), (12, 5))
    grey = data[:, 0, 0]
    assert (np.diff(grey) > 3).all(), "each frame is brighter by 6"
    pixels = np.stack([grey + 5, grey / 2 + 5, np.full(12, 6)], axis=1)
    np.testing.assert_allclose(data[:, 5, :6], np.hstack([pixels, pixels / 100]), rtol=1e-6)
    np.testing.assert_allclose(data[3, :, 6] + data[3, :, 7], 1, atol=1e-6)
    np.testing.assert_allclose(box[4], [30, 20, 10, 0.1, 0.75], rtol=1e-6)


def test_frames_without_a_person_are_nan_and_counted(sources: list[PoseSource], tmp_path: Path) -> None:
    stage = Stage(empty=lambda grey: 25 < grey < 45)
    report = build(sources, tmp_path / "poses", stage)
    data, box = read_poses(tmp_path / "poses" / "s%2Ftwo.h5")
    empty = np.isnan(data).all(axis=(1, 2))
    assert empty.sum() == 3 and report.empty == 6
    np.testing.assert_array_equal(np.isnan(box).all(axis=1), empty)
    assert np.isfinite(data[~empty]).all()


def test_a_skeleton_reads_either_space_and_bridges_what_is_missing(sources: list[PoseSource], tmp_path: Path) -> None:
    build(sources, tmp_path / "poses", Stage(empty=lambda grey: 25 < grey < 45))
    path = tmp_path / "poses" / "s%2Ftwo.h5"
    image, world = read_joints(path, "image"), read_joints(path, "world")
    assert image.shape == world.shape == (33, 3, 9) and joints_shape(path, "image") == (33, 3)
    np.testing.assert_allclose(world, image / 100, rtol=1e-5)
    steps = np.diff(image[0, 0])
    assert np.isfinite(image).all() and np.ptp(steps) < 3, "straight through the frames in which nobody was found"
    least = read_joints(path, "image", 0.5)
    np.testing.assert_allclose(least[3], np.nanmean(least[16:], axis=0), rtol=1e-5)  # of joint 3 nobody is sure
    with pytest.raises(DataError, match="poses are in image or world, not 'depth'"):
        read_joints(path, "depth")


def test_videos_without_a_person_are_left_out_or_stop_it(sources: list[PoseSource], tmp_path: Path) -> None:
    stage = Stage(empty=lambda grey: grey > 40)  # 6 of 12 frames, 3 of 9
    with pytest.raises(DataError, match=r"1 of 2 videos are left out.*nobody is found in 6 of its 12 frames"):
        build(sources, tmp_path / "poses", stage, max_empty=0.4)
    assert not (tmp_path / "poses" / LIST).exists()
    looks = stage.looks
    report = build(sources, tmp_path / "poses", stage, max_empty=0.4, max_bad_fraction=0.5)
    assert stage.looks == looks, "what was found is kept"
    assert (report.stored, [failure.id for failure in report.failures]) == (1, ["s/one"])
    listed = json.loads((tmp_path / "poses" / LIST).read_text())
    assert set(listed["recordings"]) == {"s/two"} and "nobody is found" in listed["left_out"]["s/one"]
    assert build(sources, tmp_path / "poses", stage, max_empty=0.5).stored == 2


def test_what_is_there_is_not_made_again(sources: list[PoseSource], tmp_path: Path) -> None:
    build(sources, tmp_path / "poses")
    stage = Stage()
    assert build(sources, tmp_path / "poses", stage).reused == 2 and stage.looks == 0
    write_clip(sources[0].path, 10)
    assert build(sources, tmp_path / "poses", stage).reused == 1
    assert len(read_poses(tmp_path / "poses" / "s%2Fone.h5")[0]) == 10
    largest = replace(SETTINGS, person="largest")
    assert build(sources, tmp_path / "poses", settings=largest).reused == 0
    slower = [replace(source, rate_hz=25.0) for source in sources]
    assert build(slower, tmp_path / "poses", settings=largest).reused == 0


@pytest.mark.parametrize("name", ["data", "box"])
def test_damage_is_found_and_mended(sources: list[PoseSource], tmp_path: Path, name: str) -> None:
    build(sources, tmp_path / "poses")
    path = tmp_path / "poses" / "s%2Fone.h5"
    with h5py.File(path, "r+") as file:
        file[name][0] = 7.0
    with pytest.raises(DataError, match="is damaged"):
        read_poses(path)
    assert build(sources, tmp_path / "poses").reused == 1
    assert read_poses(path)[0][0, 0, 0] != 7.0


def test_after_a_kill_it_goes_on(sources: list[PoseSource], tmp_path: Path) -> None:
    """Killed in the second video: the first is kept, nothing half-written is, and no list says that it is complete."""
    out = tmp_path / "poses"
    child = os.fork()
    if not child:
        first = len(build(sources[:1], tmp_path / "warm").failures)  # imports what is needed before the clock runs
        stage = Stage(empty=lambda grey: stage.looks > 15 + first and os.kill(os.getpid(), signal.SIGKILL) is None)
        build(sources, out, stage)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == ["s%2Fone.h5"]
    stage = Stage()
    report = build(sources, out, stage)
    assert (report.stored, report.reused) == (2, 1) and stage.looks == 9
    assert {path.name for path in out.iterdir()} == {"s%2Fone.h5", "s%2Ftwo.h5", LIST}


def test_broken_videos_and_depth_clips_are_named(sources: list[PoseSource], tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    (tmp_path / "depth.mat").write_bytes(b"x")
    more = [PoseSource(name, tmp_path / name, 30.0) for name in ("bad.mp4", "depth.mat")]
    report = build([*sources, *more], tmp_path / "poses", max_bad_fraction=0.5)
    assert {failure.id: failure.problem.split(": ")[1][:20] for failure in report.failures} == {
        "bad.mp4": "not a readable video",
        "depth.mat": "is a depth clip",
    }
    with pytest.raises(DataError, match="there are no videos"):
        build([], tmp_path / "poses")


def test_a_video_that_does_not_say_its_rate_is_named(sources: list[PoseSource], tmp_path: Path) -> None:
    """Joints are smoothed by it."""
    unsaid = [replace(source, rate_hz=0.0) for source in sources[:1]]
    report = build([*unsaid, *sources[1:]], tmp_path / "poses", max_bad_fraction=0.5)
    (failure,) = report.failures
    assert failure.id == sources[0].id and "does not say its frame rate" in failure.problem


def test_a_file_in_the_way_is_named(sources: list[PoseSource], tmp_path: Path) -> None:
    (tmp_path / "poses").write_text("x")
    with pytest.raises(WriteError, match="poses"):
        build(sources, tmp_path / "poses")


def test_the_same_videos_give_the_same_bytes(sources: list[PoseSource], tmp_path: Path) -> None:
    build(sources, tmp_path / "a")
    time.sleep(0.01)
    build(sources, tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_recordings_that_are_parts_of_a_video_have_its_frames(sources: list[PoseSource], tmp_path: Path) -> None:
    parts = [
        replace(sources[0], id=f"p{k}", reading=Reading(seconds=(0.1 * k - 0.01, 0.1 * k + 0.19))) for k in (0, 1, 2)
    ]
    build([sources[0], *parts], tmp_path / "poses")
    whole = read_poses(tmp_path / "poses" / "s%2Fone.h5")[0]
    for k in (0, 1, 2):
        np.testing.assert_array_equal(read_poses(tmp_path / "poses" / f"p{k}.h5")[0], whole[3 * k : 3 * k + 6])
    moved = [replace(parts[0], reading=parts[1].reading), *parts[1:]]
    assert build(moved, tmp_path / "poses").reused == 2


def test_what_the_list_says(sources: list[PoseSource], tmp_path: Path) -> None:
    build(sources, tmp_path / "poses", Stage(empty=lambda grey: 25 < grey < 45))
    listed = json.loads((tmp_path / "poses" / LIST).read_text())
    assert listed["settings"] == {"models": SETTINGS.models, "person": "nearest", "schema": 1}
    for source, name, frames in zip(sources, ("s%2Fone.h5", "s%2Ftwo.h5"), (12, 9), strict=True):
        size = source.path.stat().st_size
        assert listed["recordings"][source.id] == {"file": name, "video_bytes": size, "frames": frames, "empty": 3}
    assert listed["left_out"] == {}


def test_of_videos_in_which_nobody_is_ever_found_there_is_none(sources: list[PoseSource], tmp_path: Path) -> None:
    """Whatever is allowed; and nothing is left out unless that is allowed."""
    nobody = Stage(empty=lambda grey: True)
    with pytest.raises(DataError, match=r"2 of 2 videos are left out, more than the allowed 100%: .*12 of its 12"):
        build(sources, tmp_path / "poses", nobody, max_empty=1.0, max_bad_fraction=1.0)
    half = Stage(empty=lambda grey: grey > 40)  # 6 of 12 frames, 3 of 9
    assert build(sources, tmp_path / "half", half, max_empty=0.5).stored == 2
    with pytest.raises(DataError, match="1 of 2 videos are left out, more than the allowed 0%"):
        build(sources, tmp_path / "half", half, max_empty=0.49)


def test_what_is_no_file_of_poses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.h5: no such file\. Run `vskd preprocess pose` again"):
        read_poses(tmp_path / "absent.h5")
    for shape, box in (((12, 33), (12, 5)), ((12, 32, 8), (12, 5)), ((12, 33, 8), (11, 5)), ((12, 33, 8), (12, 4))):
        with h5py.File(tmp_path / "odd.h5", "w") as file:
            for name, size in (("data", shape), ("box", box)):
                seal(file.create_dataset(name, data=np.zeros(size, np.float32)))
        with pytest.raises(DataError, match=r"odd\.h5: is no file of poses"):
            read_poses(tmp_path / "odd.h5")


def test_a_depth_clip_in_capitals_is_one(tmp_path: Path) -> None:
    (tmp_path / "depth.MAT").write_bytes(b"x")
    with pytest.raises(DataError, match="is a depth clip"):
        build([PoseSource("a", tmp_path / "depth.MAT", 30.0)], tmp_path / "poses")
    assert PoseSource("a", tmp_path, 30.0).part == () and PoseSource("a", tmp_path, 30.0).span is None
    part = PoseSource("a", tmp_path, 30.0, Reading(seconds=(1.0, 2.5)))
    assert part.part == (1.0, 2.5) and part.span == Span(1.0, 2.5, 30.0)


def test_how_poses_are_made_reaches_the_networks_and_waits_for_others(
    sources: list[PoseSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    real, lock = pose_store.bodies, pose_store.only_writer

    def followed(frames: object, networks: object, **how: object) -> object:
        asked.append((how["rate_hz"], how["person"]))
        return real(frames, networks, **how)  # type: ignore[arg-type]

    def locked(*words: Path, wait: bool) -> object:
        asked.append((words, wait))
        return lock(*words, wait=wait)

    monkeypatch.setattr(pose_store, "bodies", followed)
    monkeypatch.setattr(pose_store, "only_writer", locked)
    out = tmp_path / "poses"
    build([replace(sources[0], rate_hz=25.0)], out, settings=replace(SETTINGS, person="largest"))
    assert asked == [((tmp_path / ".poses.lock", out), True), (25.0, "largest")]
    with h5py.File(out / "s%2Fone.h5") as file:
        assert (file["data"].compression, file["data"].shuffle) == ("gzip", True)


def test_while_poses_are_made_anew_no_list_says_that_they_are_complete(
    sources: list[PoseSource], tmp_path: Path
) -> None:
    build(sources, tmp_path / "poses")
    stage = Stage()
    write_clip(sources[1].path, 11)

    def stopped(grey: int) -> bool:
        raise KeyboardInterrupt

    stage.empty = stopped
    with pytest.raises(KeyboardInterrupt):
        build(sources, tmp_path / "poses", stage)
    assert not (tmp_path / "poses" / LIST).exists() and (tmp_path / "poses" / "s%2Fone.h5").exists()


def test_the_order_of_models_does_not_matter() -> None:
    text = PoseSettings({"b": "2", "a": "1"}).text()
    assert text == PoseSettings({"a": "1", "b": "2"}).text()
    assert text == '{"models": {"a": "1", "b": "2"}, "person": "nearest", "schema": 1}'
