"""`vskd preprocess pose`: from videos to the teacher of a watch; the networks are stood in for, once they are real."""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from tests.datasets.sensors.test_mmact import PLACES, write_pose, write_sample
from tests.preprocessing.stores.test_pose_store import Stage
from vskd.datasets import catalog
from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index
from vskd.distillation.run import RunFolder
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.stores.pose_store import PoseReport, PoseSettings, PoseSource, read_poses
from vskd.preprocessing.stores.store import StoreFailure
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.pose_geometry import Picture, Square
from vskd.preprocessing.video.pose_landmarks import JOINTS, Body
from vskd.preprocessing.video.pose_networks import MODELS

WATCH = """
name: watch
dataset: {name: mmact, protocol: cross-subject}
student:
  sees: {modality: window, streams: [accelerometer-watch], length: 32, encoding: {method: raw, limit: 20.0}}
  network: cnn1d
  training: {epochs: 1, validation: none, select: last}
teachers:
- sees: {modality: skeleton, streams: [pose-cam1], length: 16, least_confidence: 0.5}
  network: cnn1d
  training: {epochs: 1, validation: none, select: last}
- sees: {modality: skeleton, streams: [pose-rgb-cam1], length: 16}
  network: cnn1d
  training: {epochs: 1, validation: none, select: last}
distiller: dask
"""


class Mover(Stage):
    """Somebody whose joints say where the frame is bright; now and then nobody."""

    def look(self, picture: Picture, square: Square) -> Body | None:
        body = super().look(picture, square)
        if body is None or int(picture.sum()) % 7 == 3:
            return None
        rows = picture.mean(axis=(1, 2))
        joints = np.stack([np.resize(rows, JOINTS), np.resize(rows[::-1], JOINTS), np.arange(JOINTS)], axis=1)
        return replace(body, joints=joints.astype(float))


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synthetic_root, tmp_path / "world"))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stage], None]:
    """Put `Stage` in the networks' place."""
    import vskd.preprocessing.video.pose_networks as networks

    def put(one: Stage) -> None:
        monkeypatch.setattr(networks, "read_models", lambda path: {})
        monkeypatch.setattr(networks, "LiteRTPose", lambda models, threads: one)

    return put


def words(world: Path, *more: object) -> list[object]:
    return ["preprocess", "pose", "synthetic", "--data", world, "--model", "MODELS", *more]


def test_poses_become_streams(vskd: Any, stage: Any, world: Path) -> None:
    stage(Stage())
    answer = vskd(*words(world))
    assert answer.code == 0, answer.err
    frames = int(answer.out.split(" frames")[0].split()[-1])
    place = world / "poses" / "rgb"
    assert answer.out == (
        f"{place}: 24 recordings (0 were there already), {frames} frames, nobody found in 0 of them\n"
    )
    assert json.loads(vskd(*words(world, "--json")).out) == {
        **{"path": str(place), "stored": 24, "reused": 24, "frames": frames, "empty": 0, "failures": []}
    }
    streams = json.loads(vskd("datasets", "index", "synthetic", "--data", world, "--json").out)["streams"]
    found = {name: (one["recordings"], one["unit"]) for name, one in streams.items() if name.startswith("pose")}
    assert found == {"pose-rgb": (24, ["px"]), "pose-rgb-world": (24, ["m"])}


def write_mmact(root: Path, clips: Path) -> None:
    """MMAct in its published layout: watch, phone, poses and videos; what the videos show does not matter."""
    write_sample(root)
    executions = [(*place, action) for place in PLACES for action in ("using_phone", "talking_on_phone")]
    for (subject, scene, session, action), clip in zip(executions, sorted(clips.iterdir()), strict=False):
        write_pose(root, "cross_scene", subject, scene, session, action, frames=20)
        video = root / f"cross_scene/trainval/subject{subject}/cam1/scene{scene}/session{session}/{action}.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(clip, video)


def test_teachers_of_poses_teach_a_watch(vskd: Any, stage: Any, world: Path, tmp_path: Path) -> None:
    """MMAct's road but the networks: poses, two teachers that see them, their student, and the student's evaluation."""
    stage(Mover())
    root = tmp_path / "MMACT"
    write_mmact(root, world / "RGB")
    more = ["--stream", "rgb-cam1", "--model", "M", "--max-empty", 0.9]
    answer = vskd("preprocess", "pose", "mmact", "--data", root, *more)
    assert answer.code == 0, answer.err
    recipe, run = tmp_path / "watch.yaml", tmp_path / "RUN"
    recipe.write_text(WATCH)
    answer = vskd("distill", "--recipe", recipe, "--data", root, "--out", run)
    assert answer.code == 0, answer.err
    assert RunFolder.open(run).role == "student"
    answer = vskd("evaluate", run, "--json")
    assert answer.code == 0, answer.err
    assert 0 <= json.loads((run / "results.json").read_text())["mean_average_precision"] <= 1


def test_several_people_and_limits_are_words(vskd: Any, stage: Any, world: Path) -> None:
    stage(Stage(empty=lambda grey: True))
    answer = vskd(*words(world, "--person", "largest", "--max-empty", 0.2))
    assert (answer.code, answer.out) == (1, "")
    assert "24 of 24 videos are left out" in answer.err and "--max-empty" in answer.err


@pytest.mark.parametrize(
    ("more", "code", "needles"),
    [
        ((), 1, ["MODELS", "pip download mediapipe==0.10.21 --no-deps"]),
        (("--stream", "accelerometer"), 1, ["'accelerometer' is of the kind sensor, not video"]),
        (("--person", "first"), 2, ["--person", "vskd preprocess pose --help"]),
    ],
)
def test_mistakes(vskd: Any, world: Path, more: tuple[str, ...], code: int, needles: list[str]) -> None:
    answer = vskd(*words(world, *more))
    assert (answer.code, answer.out) == (code, "")
    assert all(needle in answer.err for needle in needles), answer.err
    assert not (world / "poses").exists()


def write(path: Path, frames: Iterable[Picture]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def test_real_networks_on_a_real_clip(vskd: Any, world: Path, pose_model: Path, shared_data: Path) -> None:
    """Ten frames of a child on a bicycle in the place of a video of the world, and an empty picture in another's."""
    clip = shared_data / "ucf11-sample/UCF11_updated_mpg/biking/v_biking_01/v_biking_01_01.mpg"
    if not clip.is_file():
        pytest.skip(f"needs {clip}")
    first, other, *rest = sorted((world / "RGB").iterdir())
    for path in rest:
        path.unlink()
    write(first, islice(read_frames(clip, size=None), 4, 14))
    write(other, [np.full((240, 320, 3), 90, np.uint8)] * 3)
    command = ["preprocess", "pose", "synthetic", "--data", world, "--model", pose_model, "--max-bad-fraction", 0.5]
    answer = vskd(*command)
    assert answer.code == 0, answer.err
    assert ": 1 recordings" in answer.out and "1 left out" in answer.out
    assert other.name in answer.out and "INFO" not in answer.err
    data, _ = read_poses(world / "poses" / "rgb" / "a1_s1_t1.h5")
    assert data.shape == (10, 33, 8) and np.isfinite(data[:, 0, 0]).sum() >= 8


@pytest.fixture
def asked(record: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks of the library."""
    import vskd.preprocessing.stores.pose_store as store
    import vskd.preprocessing.video.pose_networks as networks

    failure = StoreFailure("b", "b.mp4", "nobody is found")
    seen = {"build": record(store, "build_poses", PoseReport(Path("POSES"), 4, 3, 20, 2, (failure,))), "networks": []}
    monkeypatch.setattr(networks, "read_models", lambda path: f"models of {path}")
    monkeypatch.setattr(networks, "LiteRTPose", lambda *words: seen["networks"].append(words) or "networks")
    return seen


def test_every_option_reaches_the_library(
    vskd: Any, asked: dict[str, Any], synthetic_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = Reading(seconds=(1.0, 2.5))
    recording = get_dataset("synthetic").index(synthetic_root).recordings[0]
    stream = replace(recording.stream("rgb"), rate_hz=12.5, reading=reading)
    index = Index("x", synthetic_root, ("a",), (replace(recording, streams={"cam": stream}),))
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda data: index))
    more = ("--stream", "cam", "--person", "largest", "--max-empty", 0.25, "--threads", 3, "--max-bad-fraction", 0.125)
    answer = vskd(*words(Path("DATA"), *more, "--out", "OUT"))
    assert answer.code == 0, answer.err
    assert asked["networks"] == [("models of MODELS", 3)]
    (call,) = asked["build"]
    assert call == {
        "sources": [PoseSource(recording.id, stream.path, 12.5, reading)],
        **{"out": Path("OUT"), "networks": "networks", "settings": PoseSettings(dict(MODELS), "largest")},
        **{"max_empty": 0.25, "max_bad_fraction": 0.125},
    }
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["POSES: 4 recordings (3 were there already), 20 frames, nobody found in 2 of them"],
        ["1 left out:"],
        ["recording", "problem", "file"],
        ["b", "nobody is found", "b.mp4"],
    ]


def test_where_nothing_is_said(vskd: Any, asked: dict[str, Any], synthetic_root: Path) -> None:
    content = json.loads(vskd(*words(synthetic_root, "--json")).out)
    assert content["failures"] == [{"id": "b", "path": "b.mp4", "problem": "nobody is found"}]
    assert asked["networks"] == [("models of MODELS", 1)]
    (call,) = asked["build"]
    assert call["out"] == synthetic_root / "poses" / "rgb" and call["settings"].person == "nearest"
    assert (call["max_empty"], call["max_bad_fraction"], len(call["sources"])) == (0.5, 0.02, 24)
