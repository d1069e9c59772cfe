"""MMAct's untrimmed sessions on generated files in exactly its layout, in both orders of folders."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.entries import assert_entry
from tests.datasets.sensors.test_mmact import FIRST_S, RATES, stamp, write_csv
from vskd.datasets.recording import Index
from vskd.datasets.sensors.mmact import LABELS
from vskd.datasets.sensors.mmact_untrimmed import index
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.splits.audit import audit_split, check_problems
from vskd.datasets.splits.contents import of_samples
from vskd.datasets.splits.protocol import load_protocol
from vskd.errors import DataError
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.probe import probe_video

DAY = "2018/10/16"


@dataclass(frozen=True)
class Session:
    """Where its files lie: as the README of the challenge says, or as its code does."""

    root: Path
    subject: int = 1
    scene: int = 1
    session: int = 1
    code: bool = True

    @property
    def place(self) -> str:
        return f"subject{self.subject}/scene{self.scene}/session{self.session}"

    def annotate(self, *intervals: tuple[float, float, str]) -> Path:
        who, scene, session = f"subject{self.subject}", f"scene{self.scene}", f"session{self.session}"
        path = self.root / "untrimmed" / f"sessions/{scene}/{who}/{scene}_{who}_{session}.txt"
        if not self.code:
            path = self.root / "untrimmed" / f"annotation/trainval/{self.place}/{who}_{scene}_{session}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{DAY} {clock(start)}-{DAY} {clock(end)}-{label}\n" for start, end, label in intervals]
        path.write_text("".join(rows))
        return path

    def sensor(self, folder: str = "acc_watch_clip", name: str = "watch_1.csv", **changes: float) -> Path:
        path = self.root / "untrimmed/sensors" / folder / self.place / name
        return write_csv(path, RATES[folder], scale=9.80665 if "acc" in folder else 1.0, **changes)

    def film(self, video: Path, end: float, camera: int = 1) -> Path:
        other = f"scene{self.scene}/subject{self.subject}/session{self.session}"
        folder = self.root / f"untrimmed/video/trainval/cam{camera}" / (other if self.code else self.place)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{stamp(end, fraction=False).replace('_', '-').replace(':', '')}.mp4"
        return Path(shutil.copyfile(video, path))


def clock(seconds: float) -> str:
    whole = FIRST_S + int(seconds // 1)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{round(seconds % 1 * 1000):03d}"


def details(found: Index, kind: str) -> list[str]:
    return sorted(p.detail for p in found.problems if p.kind == kind)


def write_sample(root: Path) -> None:
    """Two classes in two people's sessions 1 to 3."""
    for subject in (1, 17):
        for session in (1, 2, 3):
            one = Session(root, subject, session=session)
            one.sensor(seconds=6.0, pace=0.5 + 0.1 * session)
            one.annotate((0.5, 2.6, "standing"), (3.0, 5.5, "walking"))


@pytest.mark.parametrize("code", [True, False])
def test_intervals_are_recordings_that_are_parts_of_files(tmp_path: Path, code: bool) -> None:
    one = Session(tmp_path, 3, 2, 4, code)
    path = one.sensor(seconds=8.0)
    one.annotate((1.0, 3.5, "standing"), (4.25, 6.0, "talking_on_phone_desk"))
    found = index(tmp_path)
    first, second = found
    assert first.id == "subject03_scene2_session4_001_standing"
    assert (first.subject, first.trial, first.group) == ("3", "4", "3")
    assert first.factors == {"scene": "2", "session": "4"}
    assert [found.labels[r.label] for r in found] == ["standing", "talking_on_phone_desk"] and found.labels == LABELS
    assert not found.problems
    for recording, (start, end) in ((first, (1.0, 3.5)), (second, (4.25, 6.0))):
        stream = recording.stream("accelerometer-watch")
        assert stream.path == path and stream.reading is not None
        timed = read_stream(stream)
        rows = np.loadtxt(path, delimiter=",", usecols=(1, 2, 3))
        begins = 0.1 * np.random.default_rng(list(str(path).encode())).random()  # of the file, see `write_csv`
        times = begins + np.arange(len(rows)) / 100
        inside = rows[(times >= start - 0.02) & (times < end + 0.02)]
        assert abs(timed.signal.shape[1] - 100 * (end - start)) <= 3
        offset = next(k for k in range(6) if np.allclose(inside[k], timed.signal[:, 0], atol=1e-5))
        np.testing.assert_allclose(timed.signal.T, inside[offset : offset + timed.signal.shape[1]], atol=1e-5)


def test_of_several_files_the_one_that_covers_the_interval(tmp_path: Path) -> None:
    one = Session(tmp_path)
    paths = [one.sensor(name=f"{k}.csv", seconds=4.0) for k in (1, 2)]
    later = paths[1].read_text().replace(":37:2", ":38:2").replace(":37:3", ":38:3")  # a minute later
    paths[1].write_text(later)
    one.annotate((1.0, 3.0, "standing"), (61.0, 63.0, "walking"), (3.0, 61.0, "running"), (30.0, 40.0, "talking"))
    found = index(tmp_path)
    assert [r.stream("accelerometer-watch").path for r in found] == paths
    assert (
        details(found, "missing")
        == ["no file covers this interval"] * 2 + ["no single accelerometer-watch file covers this interval"] * 2
    )


def test_videos_end_at_the_time_of_their_names(tmp_path: Path, video: Path) -> None:
    one = Session(tmp_path)
    frames = list(read_frames(video, size=None))
    rate = probe_video(video).rate_hz
    seconds = len(frames) / rate
    one.film(video, end=10.0, camera=2)
    one.annotate((10 - seconds + 0.19, 10 - 0.21, "standing"))
    (recording,) = index(tmp_path)
    stream = recording.stream("rgb-cam2")
    assert stream.placement == "camera 2" and stream.reading is not None
    np.testing.assert_allclose(stream.reading.seconds, (0.19, seconds - 0.21), atol=0.002)
    assert stream.cut is not None and stream.reading.seconds == (stream.cut.start_s, stream.cut.end_s)
    part = list(read_frames(stream.path, size=None, span=Span(*stream.reading.seconds, stream.rate_hz)))
    skipped = round(0.2 * rate)
    np.testing.assert_array_equal(part, frames[skipped:-skipped])


def test_parts_of_one_video_are_not_the_same_content(tmp_path: Path, video: Path) -> None:
    one = Session(tmp_path)
    one.film(video, end=10.0)
    one.annotate((9.0, 9.4, "standing"), (9.4, 9.8, "walking"))
    streams = {r.id: r.stream("rgb-cam1") for r in index(tmp_path)}
    assert len(set(of_samples(streams).values())) == 2


def split_lines(subject: int, sessions: Sequence[int]) -> str:
    rows = [f"20181016-133728,20181016-133948,trainval/cam1/subject{subject}/scene1/session{k}/" for k in sessions]
    return "\n".join(rows) + "\n"


def test_files_of_splits_are_parts(tmp_path: Path) -> None:
    write_sample(tmp_path)
    folder = tmp_path / "untrimmed/splits"
    folder.mkdir()
    (folder / "untrimmed_x-session_train.txt").write_text(split_lines(1, (1, 2)) + split_lines(17, (1,)))
    (folder / "untrimmed_x-session_val.txt").write_text(split_lines(1, (3,)) + split_lines(17, (1, 3)) + "nothing\n")
    found = index(tmp_path)
    parts = {(r.subject, r.trial): r.part for r in found}
    assert parts == {
        **{("1", "1"): "train", ("1", "2"): "train", ("1", "3"): "valid"},
        **{("17", "1"): "train", ("17", "2"): "", ("17", "3"): "valid"},
    }
    assert details(found, "missing") == ["this session is in no file of splits"]
    assert details(found, "duplicate") == ["line 2: is in another part too"]
    assert details(found, "unknown") == ["line 4: no START,END,folder"]


@pytest.mark.parametrize("protocol", ["cross-session", "cross-subject"])
def test_protocols(tmp_path: Path, protocol: str) -> None:
    write_sample(tmp_path)
    found = index(tmp_path)
    check_problems(found, 0.0)
    split = load_protocol("mmact-untrimmed", protocol).split(found)
    audit_split(split, found, streams=["accelerometer-watch"])
    by_id = found.by_id()
    told = {by_id[i].factors["session"] if protocol == "cross-session" else by_id[i].subject for i in split.test}
    assert told == {"cross-session": {"3"}, "cross-subject": {"17"}}[protocol]
    assert len(split.train) + len(split.test) == 12 if protocol == "cross-session" else 12


def test_lines_that_say_no_interval_are_named(tmp_path: Path) -> None:
    one = Session(tmp_path)
    one.sensor(seconds=4.0)
    path = one.annotate((1.0, 2.0, "standing"), (2.0, 1.0, "walking"), (1.0, 2.0, "flying"))
    path.write_text(path.read_text() + "some text\n\n")
    found = index(tmp_path)
    assert len(found) == 1
    assert details(found, "unknown") == [
        "line 2: no START-END-label",
        "line 3: 'flying' is no class of MMAct",
        "line 4: no START-END-label",
    ]


def test_empty_and_broken_files_are_named(tmp_path: Path) -> None:
    one = Session(tmp_path)
    one.sensor(seconds=4.0)
    one.annotate((1.0, 2.0, "standing"))
    one.sensor("gyro_clip", "a.csv").write_text("")
    one.sensor("acc_phone_clip", "b.csv").write_text("x\ny\n")
    bad = tmp_path / "untrimmed/video/trainval/cam1/subject1/scene1/session1/20181016-133948.mp4"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"no video")
    found = index(tmp_path)
    assert details(found, "missing") == ["it is empty (0 bytes)"]
    assert "its first or last row has no time stamp" in details(found, "corrupt")
    assert any("not a readable video" in detail for detail in details(found, "corrupt"))


def test_trimmed_files_and_other_annotations_do_not_disturb(tmp_path: Path) -> None:
    """The same annotation in both published places counts once; another one is named."""
    one = Session(tmp_path)
    one.sensor(seconds=4.0)
    text = one.annotate((1.0, 2.0, "standing")).read_text()
    Session(tmp_path, code=False).annotate((1.0, 2.0, "standing"))
    write_csv(tmp_path / "acc_watch_clip/subject1/scene1/session1/walking.csv", 100.0)
    assert len(index(tmp_path)) == 1 and not index(tmp_path).problems
    other = Session(tmp_path, code=False).annotate((1.0, 3.0, "standing"))
    assert other.read_text() != text
    (detail,) = details(index(tmp_path), "duplicate")
    assert detail.startswith("its session is annotated by")


def test_nothing_annotated_is_no_data_set(tmp_path: Path) -> None:
    Session(tmp_path).sensor()
    with pytest.raises(DataError, match="holds no mmact-untrimmed recordings"):
        index(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        index(tmp_path / "absent")


def test_a_header_before_the_first_stamp_is_passed_over(tmp_path: Path) -> None:
    one = Session(tmp_path)
    one.sensor("acc_phone_clip", "a.csv", seconds=4.0)
    one.annotate((1.0, 2.0, "standing"))
    found = index(tmp_path)
    stream = found.recordings[0].stream("accelerometer-phone")
    assert not found.problems and read_stream(stream).signal.shape[1] == pytest.approx(100, abs=3)


def test_a_file_may_begin_and_end_a_tenth_of_a_second_within_an_interval(tmp_path: Path) -> None:
    """The file's first stamp is at most 0.1 s, its last just below 4.0 s; see `write_csv`."""
    one = Session(tmp_path)
    path = one.sensor(seconds=4.0)
    stamps = [line.split(",")[0] for line in path.read_text().splitlines()]
    first, last = (float(text[-9:]) - FIRST_S % 60 for text in (stamps[0], stamps[-1]))
    one.annotate(
        (first - 0.09, 2.0, "standing"), (first - 0.12, 2.0, "walking"),
        (1.0, last + 0.09, "running"), (1.0, last + 0.12, "talking"),
    )  # fmt: skip
    found = index(tmp_path)
    assert [r.id[-8:] for r in found] == ["standing", "_running"]
    early, late = (r.stream("accelerometer-watch").reading for r in found)
    assert early is not None and early.seconds == pytest.approx((0.0, 2.0 - first), abs=2e-3)
    assert late is not None and late.seconds == pytest.approx((1.0 - first, last - first), abs=2e-3)


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("mmact-untrimmed", tmp_path)


def test_a_video_of_no_camera_is_named(tmp_path: Path, video: Path) -> None:
    one = Session(tmp_path)
    one.sensor(seconds=4.0)
    one.annotate((1.0, 2.0, "standing"))
    for folder in ("cam5/subject1/scene1/session1", "subject1/scene1/session1"):
        place = tmp_path / "untrimmed/video/trainval" / folder
        place.mkdir(parents=True)
        shutil.copyfile(video, place / "20181016-133948.mp4")
    found = index(tmp_path)
    assert details(found, "unknown") == ["MMAct has cameras 1 to 4", "no folder of its path says the cam"]


def test_a_video_whose_name_is_no_time_begins_nobody_knows_when(tmp_path: Path, video: Path) -> None:
    one = Session(tmp_path)
    one.sensor(seconds=4.0)
    one.annotate((1.0, 2.0, "standing"))
    path = one.film(video, end=10.0)
    path.rename(path.with_name("film.mp4"))
    assert details(index(tmp_path), "unknown") == ["nothing says when this video begins"]


@pytest.mark.parametrize("word", ["subject", "scene", "session"])
def test_a_file_whose_path_does_not_say_whose_it_is_is_named(tmp_path: Path, word: str) -> None:
    one = Session(tmp_path)
    one.annotate((1.0, 2.0, "standing"))
    path = one.sensor(seconds=4.0)
    write_csv(path.parents[3] / "/".join(p for p in one.place.split("/") if word not in p) / "watch.csv", 100.0)
    assert details(index(tmp_path), "unknown") == [f"nothing in its path says the {word}"]


def test_lines_with_times_that_are_none_or_of_no_length(tmp_path: Path) -> None:
    one = Session(tmp_path)
    one.sensor(seconds=4.0)
    path = one.annotate((1.0, 2.0, "standing"), (1.5, 1.5, "walking"))
    path.write_text(path.read_text() + path.read_text().splitlines()[0].replace("2018/10", "2018/13") + "\n")
    found = index(tmp_path)
    assert [r.id[-8:] for r in found] == ["standing"]
    assert details(found, "unknown") == ["line 2: no START-END-label", "line 3: no START-END-label"]


def test_recordings_are_in_the_order_of_people_and_files_in_that_of_time(tmp_path: Path) -> None:
    for subject, scene in ((10, 1), (2, 2), (1, 3)):
        one = Session(tmp_path, subject, scene)
        for name, minute in (("b.csv", 0), ("a.csv", 1)):
            path = one.sensor(name=name, seconds=4.0)
            path.write_text(
                path.read_text().replace(":37:2", f":3{7 + minute}:2").replace(":37:3", f":3{7 + minute}:3")
            )
        one.annotate((1.0, 3.0, "standing"), (61.0, 63.0, "walking"))
    found = index(tmp_path)
    assert [r.id[:16] for r in found] == [
        f"subject{n}_scene{s}" for n, s in (("01", 3), ("02", 2), ("10", 1)) for _ in "12"
    ]
    assert [r.stream("accelerometer-watch").path.name for r in found] == ["b.csv", "a.csv"] * 3
    for recording in found:
        reading = recording.stream("accelerometer-watch").reading
        assert reading is not None and reading.seconds == tuple(round(s, 3) for s in reading.seconds or ())


def test_a_video_may_begin_and_end_a_second_within_an_interval(tmp_path: Path, video: Path) -> None:
    """Its name is its end, to a second."""
    one = Session(tmp_path)
    one.film(video, end=20.0)
    seconds = len(list(read_frames(video, size=None))) / probe_video(video).rate_hz
    begin = 20.0 - seconds
    one.annotate(
        (begin - 0.9, 19.9, "standing"),
        (begin - 1.1, 19.9, "walking"),
        (19.0, 20.9, "running"),
        (19.0, 21.1, "talking"),
    )
    assert [r.id[-8:] for r in index(tmp_path)] == ["standing", "_running"]
