"""`sync.csv` in a folder: whoever opens the data set sees what sensor and video have in common."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.sensors.source import window_source
from vskd.datasets.sync.apply import apply_sync
from vskd.datasets.sync.table import SyncRow, write_sync
from vskd.errors import DataError
from vskd.preprocessing.sensor.joined import joined
from vskd.preprocessing.stores.frame_store import FrameSource, clip_frames
from vskd.preprocessing.stores.window_store import read_source
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.video.frames import read_frames


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path) -> Path:
    """The synthetic world with a line for its first recording: the sensor began 0.4 s earlier and ends 0.2 s later."""
    root = tmp_path / "world"
    shutil.copytree(synthetic_root, root)
    seconds = sensor_seconds(root)
    write_sync(root / "sync.csv", [SyncRow("a1_s1_t1", "accelerometer", "rgb", 0.4, 0, 9, seconds, seconds - 0.6)])
    return root


def sensor_seconds(root: Path) -> float:
    stream = get_dataset("synthetic").index(root).by_id()["a1_s1_t1"].stream("accelerometer")
    return read_stream(stream).signal.shape[1] / stream.rate_hz


def test_streams_are_cut_wherever_they_are_read(world: Path, synthetic_root: Path) -> None:
    cut = get_dataset("synthetic").index(world).by_id()
    whole = get_dataset("synthetic").index(synthetic_root).by_id()
    for name in ("accelerometer", "gyroscope"):
        stream, other = cut["a1_s1_t1"].stream(name), whole["a1_s1_t1"].stream(name)
        signal = read_stream(other).signal
        kept = signal[:, 20 : signal.shape[1] - 10]
        np.testing.assert_array_equal(read_stream(stream).signal, kept)
        np.testing.assert_array_equal(read_source(window_source("x", stream)).signal, kept)
    video = cut["a1_s1_t1"].stream("rgb")
    assert video.cut is not None and video.cut.start_s == 0
    frames = list(clip_frames(FrameSource("x", video.path, "", video.rate_hz, video.cut), size=32, fit="centre-crop"))
    every = list(read_frames(video.path, size=32))
    assert len(frames) == np.ceil(video.cut.end_s * video.rate_hz - 1e-9) < len(every)
    np.testing.assert_array_equal(np.stack(frames), np.stack(every)[: len(frames)])
    assert cut["a1_s1_t2"] == _same_paths(whole["a1_s1_t2"], world, synthetic_root)


def _same_paths(recording: Recording, root: Path, other: Path) -> Recording:
    from dataclasses import replace

    moved = {n: replace(s, path=root / s.path.relative_to(other)) for n, s in recording.streams.items()}
    return replace(recording, streams=moved)


def test_two_watches_are_joined_by_the_clock_of_the_video(tmp_path: Path) -> None:
    """Both saw the same pulse; the second one began 0.3 s later and runs 1 % slow."""
    seconds = np.arange(0, 6, 0.02)
    for name, began, scale in (("one", 0.0, 1.0), ("two", 0.3, 0.99)):
        world = began + seconds / scale
        pulse = np.exp(-(((world - 3.0) / 0.2) ** 2))
        np.save(tmp_path / f"{name}.npy", np.stack([pulse] * 3, axis=1))
    paths = {n: tmp_path / f"{n}.npy" for n in ("one", "two")}
    streams = {n: Stream(n, "sensor", p, 50.0, "g", ("x", "y", "z"), time_column=3) for n, p in paths.items()}
    video = Stream("rgb", "video", tmp_path / "x.mp4", 30.0, "uint8")
    recording = Recording("r", "1", "1", 0, "1", {**streams, "rgb": video})
    rows = [
        SyncRow("r", "one", "rgb", 0.0, 0.0, 9, 6.0, 5.0),
        SyncRow("r", "two", "rgb", -0.3 * 0.99, -10_000.0, 9, 6.0, 5.0),
    ]
    found = apply_sync(Index("x", tmp_path, ("a",), (recording,)), rows, tmp_path / "sync.csv")
    (cut,) = found.recordings
    from dataclasses import replace

    parts = [read_stream(replace(cut.stream(n), time_column=None)) for n in ("one", "two")]
    both = joined(parts, ["one", "two"], "r", 50.0)
    np.testing.assert_allclose(both.signal[0], both.signal[3], atol=0.02)
    assert both.times[int(both.signal[0].argmax())] == pytest.approx(3.0, abs=0.02)


def test_a_sensor_with_a_clock_of_its_own_is_a_problem(tmp_path: Path) -> None:
    def sensor(name: str) -> Stream:
        return Stream(name, "sensor", tmp_path / f"{name}.csv", 50.0, "g", ("x", "y", "z"), time_column=3)

    video = Stream("rgb", "video", tmp_path / "x.mp4", 30.0, "uint8")
    recording = Recording("r", "1", "1", 0, "1", {"one": sensor("one"), "two": sensor("two"), "rgb": video})
    row = SyncRow("r", "one", "rgb", 0.5, 0, 9, 6.0, 5.0)
    found = apply_sync(Index("x", tmp_path, ("a",), (recording,)), [row], tmp_path / "sync.csv")
    (problem,) = found.problems
    assert problem.kind == "missing" and problem.path.endswith("sync.csv")  # named, and no reason to refuse training
    assert "says when one began, and nothing of two" in problem.detail
    assert found.recordings[0].stream("two").cut is None and found.recordings[0].stream("one").cut is not None


def test_recordings_that_are_not_there_are_named(world: Path) -> None:
    write_sync(world / "sync.csv", [SyncRow("a9_s1_t1", "accelerometer", "rgb", 0, 0, 9, 4, 3)])
    with pytest.raises(DataError, match=r"sync.csv: the folder holds no such .*a9_s1_t1 \(accelerometer\)"):
        get_dataset("synthetic").index(world)


@pytest.mark.parametrize(("ends", "common"), [(2.001, True), (2.0, False), (1.0, False)])
def test_sensors_without_a_common_moment_of_the_video_are_refused(tmp_path: Path, ends: float, common: bool) -> None:
    """One covers the video until `ends`, the other from its second 2 on."""
    streams = {n: Stream(n, "sensor", tmp_path / n, 50.0, "g", ("x",), time_column=1) for n in ("one", "two")}
    video = Stream("rgb", "video", tmp_path / "x.mp4", 30.0, "uint8")
    recording = Recording("r", "1", "1", 0, "1", {**streams, "rgb": video})
    rows = [SyncRow("r", "one", "rgb", 0.0, 0.0, 9, ends, 5.0), SyncRow("r", "two", "rgb", -2.0, 0.0, 9, 3.0, 5.0)]
    index = Index("x", tmp_path, ("a",), (recording,))
    if common:
        assert apply_sync(index, rows, tmp_path / "sync.csv").recordings[0].stream("rgb").cut == Cut(2.0, ends)
    else:
        with pytest.raises(DataError, match=r"the sensors of r have no moment of the video in common\. Correct it"):
            apply_sync(index, rows, tmp_path / "sync.csv")


def test_streams_and_recordings_that_are_not_there_are_named(tmp_path: Path) -> None:
    index = Index("x", tmp_path, ("a",), ())
    rows = [SyncRow(f"r{n}", "one", "rgb", 0.0, 0.0, 9, 3.0, 5.0) for n in range(3)]
    with pytest.raises(DataError, match=r"r0 \(one\), r0 \(rgb\), r1 \(one\), r1 \(rgb\), r2 \(one\) and 1 more"):
        apply_sync(index, rows, tmp_path / "sync.csv")


def test_who_shares_a_clock_with_a_sensor_of_the_table(tmp_path: Path) -> None:
    """Columns of the same file do, with stamps or without, and files that both have no stamps."""

    def sensor(name: str, file: str, clock: int | None) -> Stream:
        return Stream(name, "sensor", tmp_path / file, 50.0, "g", ("x",), time_column=clock)

    video = Stream("rgb", "video", tmp_path / "x.mp4", 30.0, "uint8")
    beside = {
        "rgb": video,
        "pose": dataclasses.replace(video, kind="skeleton"),
        "face": dataclasses.replace(video, kind="image"),
    }
    row = SyncRow("r", "one", "rgb", 0.5, 0, 9, 6.0, 5.0)
    for own, other, shared in (
        (sensor("one", "a", 3), sensor("two", "a", 3), True),
        (sensor("one", "a", 3), sensor("two", "b", 3), False),
        (sensor("one", "a", None), sensor("two", "b", None), True),
        (sensor("one", "a", 3), sensor("two", "b", None), False),
        (sensor("one", "a", None), sensor("two", "b", 3), False),
    ):
        recording = Recording("r", "1", "1", 0, "1", {"two": other, "one": own, **beside})
        found = apply_sync(Index("x", tmp_path, ("a",), (recording,)), [row], tmp_path / "sync.csv")
        (cut,) = found.recordings
        assert cut.stream("one").cut == Cut(0.5, 5.5) and cut.stream("two").cut == (Cut(0.5, 5.5) if shared else None)
        assert (cut.stream("rgb").cut, cut.stream("pose").cut, cut.stream("face").cut) == (Cut(0, 5), Cut(0, 5), None)
        assert len(found.problems) == (not shared)
