"""MMAct on generated files in exactly its layout, name variants included, and the one real file through the reader."""

import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.entries import assert_entry
from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Problem, Recording
from vskd.datasets.sensors.mmact import ABSENT, LABELS, MERGED, class_of, classes_in, index
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.synthetic.settings import FRAME_RATE_HZ
from vskd.errors import DataError, ProtocolError
from vskd.preprocessing.sensor.joints import read_joints

FIRST_S = 13 * 3600 + 37 * 60 + 28
HEADERS = {
    "acc_watch_clip": "",
    "acc_phone_clip": "time,x,y,z\n",
    "gyro_clip": "",
    "orientation_clip": "time,azimuth,pitch,roll\n",
}


def stamp(seconds: float, *, fraction: bool = True) -> str:
    whole = FIRST_S + int(seconds)
    text = f"20181016_{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{text}.{round(seconds % 1 * 1e6):06d}" if fraction else text


def write_csv(path: Path, rate: float, *, seconds: float = 3.0, pace: float = 1.0, scale: float = 9.80665) -> Path:
    """Rows as a phone writes them: mostly even, some stamps late, one without a fraction."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(list(str(path).encode()))
    times = np.arange(int(seconds * rate)) / rate + 0.1 * random.random()
    values = scale * ((0.1, -0.9, 0.2) + 0.2 * np.sin(2 * np.pi * pace * times)[:, None] * (1, 0.5, 0.3))
    values += 0.01 * scale * random.normal(size=values.shape)
    late = times + np.where(random.random(len(times)) < 0.03, 0.03, 0.0)
    head = HEADERS[next(part for part in path.parts if part in HEADERS)]
    rows = [
        f"{stamp(t, fraction=k != 20)},{x:.6f},{y:.6f},{z:.6f}"
        for k, (t, (x, y, z)) in enumerate(zip(late, values, strict=True))
    ]
    path.write_text(head + "\n".join(rows) + "\n")
    return path


RATES = {"acc_watch_clip": 100.0, "acc_phone_clip": 100.0, "gyro_clip": 50.0, "orientation_clip": 50.0}


def write_execution(root: Path, subject: int, scene: int, session: int, action: str, **changes: float) -> None:
    """The four sensor files of one execution."""
    for folder, rate in RATES.items():
        path = root / folder / f"subject{subject}" / f"scene{scene}" / f"session{session}" / f"{action}.csv"
        write_csv(path, rate, scale=9.80665 if "acc" in folder else 1.0, **changes)


def write_pose(root: Path, task: str, subject: int, scene: int, session: int, action: str, frames: int = 12) -> Path:
    """A file of poses: 17 joints of COCO as x, y and confidence, of a person who waves and one who stands behind."""
    path = root / f"trimmed/pose/{task}/trainval/subject{subject}/cam1/scene{scene}/session{session}/{action}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng([subject, scene, session, len(action)])
    standing = random.uniform((800, 300), (1000, 900), (17, 2))
    content = {}
    for frame in range(frames):
        waving = standing + [0, 40] * np.sin(frame / len(action) + np.arange(17))[:, None]
        people = [np.column_stack([one, np.full(17, 0.8)]).ravel().round(2).tolist() for one in (waving, standing / 4)]
        content[f"frame_{frame:04d}"] = {"person1": people[0], **({"person2": people[1]} if frame % 2 else {})}
    path.write_text(json.dumps(content))
    return path


PLACES = (
    *((1, 1, 1), (1, 3, 1), (1, 3, 4), (1, 4, 1), (17, 1, 1)),
    *((17, 1, 5), (17, 2, 1), (1, 2, 5), (1, 3, 5), (17, 4, 2)),
)


def write_sample(root: Path) -> None:
    """Two classes in so many scenes and sessions that each protocol has something in each of its parts."""
    for number, (subject, scene, session) in enumerate(PLACES):
        for action, pace in (("using_phone", 0.7), ("talking_on_phone", 2.0)):
            write_execution(root, subject, scene, session, action, pace=pace, seconds=2.0 + 0.1 * number)


def of_kind(found: Index, kind: str) -> list[Problem]:
    return [p for p in found.problems if p.kind == kind]


def test_classes() -> None:
    assert (len(LABELS), len(MERGED), len(set(LABELS))) == (37, 35, 37)
    assert len(classes_in(1, 1)) == 26 and len(classes_in(11, 4)) == 28 and len(classes_in(11, 3)) == 9
    names = {class_of(c.removesuffix("_desk"), 3 if c.endswith("desk") else 1) for c in LABELS}
    assert names == set(LABELS)
    files = {c.removesuffix("_desk") for c in LABELS}
    assert len(files) == 35, "35 names of files make 37 classes"


def test_phones_at_the_desk_are_classes_of_their_own_or_merged(tmp_path: Path) -> None:
    for scene in (1, 3):
        write_execution(tmp_path, 2, scene, 1, "using_phone")
    labels = [LABELS[r.label] for r in index(tmp_path)]
    assert labels == ["using_phone", "using_phone_desk"]
    merged = get_dataset("mmact-35").index(tmp_path)
    assert (merged.dataset, {merged.labels[r.label] for r in merged}) == ("mmact-35", {"using_phone"})


@pytest.mark.parametrize("above", ["", "sensors", "sensor", "Sensor_trimmed", "trimmed_acc"])
@pytest.mark.parametrize("subject", ["subject1", "subject01", "Subject1"])
def test_every_published_root_and_padding(tmp_path: Path, above: str, subject: str) -> None:
    write_csv(tmp_path / above / "acc_watch_clip" / subject / "scene1" / "session2" / "carrying.csv", 100.0)
    (recording,) = index(tmp_path)
    assert recording.id == "subject01_scene1_session2_carrying"
    assert (recording.subject, recording.trial, recording.factors) == ("1", "2", {"scene": "1", "session": "2"})
    stream = recording.stream("accelerometer-watch")
    assert (stream.unit, stream.rate_hz, stream.placement) == ("m/s^2", 100.0, "right wrist")


def test_the_capitalised_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "acc_watch_clip" / "subject14" / "scene1" / "session2" / "Carrying_light.csv", 100.0)
    (recording,) = index(tmp_path)
    assert LABELS[recording.label] == "carrying_light", "a published list calls it waving_hand"


def test_videos_in_either_order_of_folders_and_once_for_each_task(tmp_path: Path, video: Path) -> None:
    write_execution(tmp_path, 1, 3, 4, "drinking")
    tail = "scene3/session4/drinking.mp4"
    for place in ("cross_scene/trainval/subject1/cam1", "cross_view/trainval/subject1/cam1", "video/cam2/subject1"):
        (tmp_path / place / tail).parent.mkdir(parents=True)
        shutil.copyfile(video, tmp_path / place / tail)
    write_pose(tmp_path, "cross_view", 1, 3, 4, "drinking")
    write_pose(tmp_path, "cross_scene", 1, 3, 4, "drinking")
    found = index(tmp_path)
    (recording,) = found
    seen = {"accelerometer-watch", "gyroscope", "orientation", "rgb-cam1", "rgb-cam2", "pose-cam1"}
    assert seen <= set(recording.streams)
    pose = recording.stream("pose-cam1")
    assert (pose.kind, pose.unit, pose.axes, pose.placement) == ("skeleton", "px", ("x", "y"), "camera 1")
    assert read_joints(pose.path).shape == (17, 2, 12)
    assert [recording.stream(f"rgb-cam{n}").placement for n in (1, 2)] == ["camera 1", "camera 2"]
    assert {p.kind for p in found.problems} == {"missing"}


@pytest.mark.parametrize(
    ("place", "detail"),
    [
        ("video/cam5/subject1/scene3/session4/drinking.mp4", "MMAct has cameras 1 to 4"),
        ("video/cam0/subject1/scene3/session4/drinking.mp4", "MMAct has cameras 1 to 4"),
        ("video/cam1/subject1/scene5/session4/drinking.mp4", "scene 5 is not of MMAct (1..4)"),
        ("video/cam1/subject1/scene3/session6/drinking.mp4", "session 6 is not of MMAct (1..5)"),
        ("video/cam1/subject1/scene3/drinking.mp4", "no folder of its path says the session"),
        ("video/subject1/scene3/session4/drinking.mp4", "its place is not one of this data set's"),
        ("acc_watch_clip/subject1/scene3/session4/drinking.txt", "its place is not one of this data set's"),
    ],
)
def test_files_of_no_camera_scene_or_session_are_named(tmp_path: Path, video: Path, place: str, detail: str) -> None:
    write_execution(tmp_path, 1, 3, 4, "drinking")
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(video, tmp_path / place)
    found = index(tmp_path)
    assert [p.detail for p in of_kind(found, "unknown")] == [detail]
    assert not [name for name in found.recordings[0].streams if name.startswith("rgb")]


def test_what_is_empty_twice_unknown_or_untrimmed_is_named(tmp_path: Path) -> None:
    write_execution(tmp_path, 1, 1, 1, "walking")
    base = tmp_path / "acc_watch_clip" / "subject1" / "scene1" / "session1"
    (base / "running.csv").write_text("")
    (base / "flying.csv").write_text("x")
    write_csv(tmp_path / "sensor" / "acc_watch_clip" / "subject01" / "scene1" / "session1" / "walking.csv", 100.0)
    for path in (
        "acc_watch_clip/subject21/scene1/session1/walking.csv",
        "acc_watch_clip/subject1/session1/walking.csv",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    late = tmp_path / "untrimmed/video/trainval/cam1/subject1/scene1/session1/20181016-133948.mp4"
    late.parent.mkdir(parents=True)
    late.write_text("x")
    found = index(tmp_path)
    assert [r.id for r in found] == ["subject01_scene1_session1_walking"]
    assert [p.recording for p in of_kind(found, "duplicate")] == ["subject01_scene1_session1_walking"]
    details = sorted(p.detail for p in of_kind(found, "unknown"))
    assert details == [
        "'flying' is no class of MMAct",
        "1 files of untrimmed recordings, which are the data set mmact-untrimmed",
        "no folder of its path says the scene",
        "subject 21 is not of MMAct (1..20)",
    ]
    missing = of_kind(found, "missing")
    assert any("is empty (0 bytes)" in p.detail and p.recording.endswith("running") for p in missing)
    assert sum(p.detail.startswith("subject ") for p in missing) == 19
    assert "subject01_scene3_session1: none of its 9 executions" in {p.detail for p in missing}
    lacking = {p.recording for p in missing if p.detail == "no file of this execution"}
    assert len(lacking) == 24 and "subject01_scene1_session1_carrying" in lacking


def test_the_session_that_was_never_published_is_said_to_be_so(tmp_path: Path) -> None:
    write_execution(tmp_path, 8, 1, 1, "walking")
    details = {p.detail for p in index(tmp_path).problems}
    assert "subject08_scene2_session5: none of its 26 executions (nor is it in the published data set)" in details


@pytest.mark.parametrize("path", ["acc2_clip/subject1/a.csv", "gyro_clip/subject1-1.subject1.checking_time.csv"])
def test_version_2_is_recognised_and_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("x")
    with pytest.raises(DataError, match=r"holds MMAct V2 of 2022 .*Give the folder of MMAct of 2019"):
        index(tmp_path)


def test_only_untrimmed_recordings_are_no_data_set_here(tmp_path: Path) -> None:
    path = tmp_path / "sessions/scene1/subject1/scene1_subject1_session1.txt"
    path.parent.mkdir(parents=True)
    path.write_text("2018/10/16 13:33:45.170-2018/10/16 13:33:49.891-standing\n")
    with pytest.raises(DataError, match="its 1 files are of untrimmed recordings, the data set mmact-untrimmed"):
        index(tmp_path)


def _published() -> Iterator[Recording]:
    """All 8,968 executions. Which six single ones are absent is not published; these agree with the published sizes."""
    absent = {
        *((1, 1, 1, "carrying"), (2, 2, 1, "closing"), (3, 4, 2, "fall"), (4, 2, 3, "running"), (5, 1, 5, "pulling")),
        (17, 1, 1, "walking"),
    }
    for subject, scene, session in itertools.product(range(1, 21), range(1, 5), range(1, 6)):
        for name in classes_in(subject, scene):
            if (subject, scene, session) != ABSENT and (subject, scene, session, name) not in absent:
                factors = {"scene": str(scene), "session": str(session)}
                number, who = f"s{subject}c{scene}k{session}{name}", str(subject)
                yield Recording(number, who, str(session), LABELS.index(name), who, {}, factors=factors)


def test_sizes_of_the_published_protocols() -> None:
    """In executions; the protocols assert them by themselves, so that to split is to check."""
    complete = Index("mmact", Path(), LABELS, tuple(_published()))
    assert len(complete) == 8968
    sizes = {}
    for name in ("cross-subject", "cross-session", "cross-scene"):
        split = load_protocol("mmact", name).split(complete)
        sizes[name] = (len(split.train), len(split.test))
    assert sizes == {"cross-subject": (7109, 1859), "cross-session": (7195, 1773), "cross-scene": (6296, 2672)}
    by_id = complete.by_id()
    scene = load_protocol("mmact", "cross-scene").split(complete)
    assert Counter(by_id[i].factors["scene"] for i in scene.test) == {"2": 2672}


def test_the_challenge_divides_all_executions() -> None:
    complete = Index("mmact-35", Path(), MERGED, tuple(_published()))
    split = load_protocol("mmact-35", "challenge-cross-scene").split(complete)
    assert sum(map(len, split.parts.values())) == 8968
    by_id = complete.by_id()
    held = {f"{by_id[i].factors['scene']}-{by_id[i].factors['session']}" for i in split.validation}
    assert held == {"3-4", "4-1", "4-2"}


@pytest.mark.parametrize(("dataset", "name"), [("mmact", "cross-view"), ("mmact-35", "challenge-cross-view")])
def test_cross_view_is_refused_with_a_reason(dataset: str, name: str) -> None:
    with pytest.raises(
        ProtocolError, match=r"the same in every view, so that training and test would hold the same CSV"
    ):
        load_protocol(dataset, name)


def test_sensors_of_an_execution_share_a_clock(tmp_path: Path) -> None:
    write_execution(tmp_path, 1, 1, 1, "walking")
    (recording,) = index(tmp_path)
    read = {name: read_stream(stream) for name, stream in recording.streams.items()}
    assert all(timed.absolute for timed in read.values())
    starts = [timed.times[0] for timed in read.values()]
    assert max(starts) - min(starts) < 0.11
    assert {name: round(timed.rate_hz) for name, timed in read.items()} == {
        **{"accelerometer-phone": 100, "accelerometer-watch": 100, "gyroscope": 50, "orientation": 50}
    }
    assert read["accelerometer-watch"].signal.shape == (3, 300)


def test_the_real_file(shared_data: Path, tmp_path: Path) -> None:
    """Single stamps come 10 to 55 ms late while the values are in order: no row moves, the clock is even."""
    sample = shared_data / "mmact-sample" / "carrying.csv"
    if not sample.is_file():
        pytest.skip(f"needs {sample}")
    place = tmp_path / "acc_watch_clip" / "subject1" / "scene1" / "session1"
    place.mkdir(parents=True)
    shutil.copyfile(sample, place / "carrying.csv")
    (recording,) = index(tmp_path)
    timed = read_stream(recording.stream("accelerometer-watch"))
    values = np.loadtxt(sample, delimiter=",", usecols=(1, 2, 3))
    np.testing.assert_array_equal(timed.signal, values.T.astype(np.float32))
    assert timed.signal.shape == (3, 890) and timed.clock.breaks == ()
    assert timed.rate_hz == pytest.approx(99.6, abs=0.5)
    assert np.ptp(np.diff(timed.times)) < 1e-6
    assert np.median(np.linalg.norm(timed.signal, axis=0)) == pytest.approx(9.86, abs=0.01)


@pytest.mark.parametrize(
    ("path", "untrimmed"),
    [
        ("a/20181016-133948.mp4", 1),
        ("20181016-133948/subject1/scene1/session1/a.mp4", 0),
        ("x/Sessions/a.txt", 1),
        ("x/sessions", 0),
    ],
)
def test_untrimmed_files_are_known_by_their_folder_or_name(tmp_path: Path, path: str, untrimmed: int) -> None:
    write_execution(tmp_path, 1, 1, 1, "walking")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("x")
    told = [p.detail for p in of_kind(index(tmp_path), "unknown") if "untrimmed" in p.detail]
    assert len(told) == untrimmed


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("mmact", tmp_path)
    assert_entry("mmact-35", tmp_path)


@pytest.mark.parametrize("word", ["subject", "scene", "session"])
def test_a_file_whose_path_does_not_say_whose_it_is_is_named(tmp_path: Path, word: str) -> None:
    write_execution(tmp_path, 1, 1, 1, "walking")
    place = "/".join(part for part in ("subject1", "scene1", "session1") if word not in part)
    write_csv(tmp_path / "acc_watch_clip" / place / "walking.csv", 100.0)
    assert [p.detail for p in of_kind(index(tmp_path), "unknown")] == [f"no folder of its path says the {word}"]


def test_recordings_and_their_streams_are_in_order(tmp_path: Path, video: Path) -> None:
    for subject in (10, 2):
        write_execution(tmp_path, subject, 1, 1, "walking")
        place = tmp_path / f"a_video/cam1/subject{subject}/scene1/session1"
        place.mkdir(parents=True)
        shutil.copyfile(video, place / "walking.mp4")
    found = index(tmp_path)
    assert [r.subject for r in found] == ["2", "10"]
    assert all(list(r.streams) == sorted(r.streams) and len(r.streams) == 5 for r in found)
    assert {r.stream("rgb-cam1").rate_hz for r in found} == {FRAME_RATE_HZ}, "as the files say"


def test_who_performs_the_later_classes() -> None:
    assert [len(classes_in(subject, 1)) for subject in (1, 10, 11, 20)] == [26, 26, 28, 28]
    assert [len(classes_in(subject, 3)) for subject in (10, 11)] == [9, 9]
