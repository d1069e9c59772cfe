"""Known shifts of real and simulated pairs are found again, and nothing is written of what is not known."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.sync import estimate as module
from vskd.datasets.sync.estimate import Measured, Pair, chosen_stream, curves_of, measure, rows_of, true_rate, uncut
from vskd.errors import DataError
from vskd.preprocessing.sensor.signals import read_sensor
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sync.align import Alignment, align
from vskd.preprocessing.sync.curve import motion_curve, sensor_curve
from vskd.preprocessing.sync.cut import Cut

SENSOR, DEPTH = "Inertial/{}_inertial.mat", "DepthVideo/{}_depth.mp4"
RATE = 19.6
"""Frames per second of UTD-MHAD's videos, by the lengths of its recordings; its files say 30."""


def pair(number: int, offset: float, confidence: float = 5.0, *, sensor_s: float = 4.0, video_s: float = 3.0) -> Pair:
    video = Stream("rgb", "video", Path("x.mp4"), 30.0, "uint8")
    recording = Recording(f"r{number}", str(number % 2), "1", 0, "1", {"rgb": video}, factors={"session": "a"})
    return Pair(recording, sensor_s, video_s, Alignment(offset, 0.0, confidence, 0.8))


def measured(*pairs: Pair) -> Measured:
    return Measured("accelerometer", "rgb", pairs, {}, ())


def test_known_shifts_of_real_pairs_are_found(utd_mhad_root: Path) -> None:
    """A cut beginning of the sensor moves the offset by as much; benchmarks/sync.py does this with all recordings."""
    errors = []
    for number, name in enumerate(("a15_s6_t3", "a16_s7_t2", "a24_s2_t1", "a3_s7_t4")):
        sensor, depth = SENSOR.format(name), DEPTH.format(name)
        signal = read_sensor(utd_mhad_root / sensor, axes=("x", "y", "z"), columns=(0, 1, 2))
        video, first = motion_curve(utd_mhad_root / depth, 30.0), 4 * number + 10
        timed = [Timed(signal[:, n:], 50.0, np.arange(signal.shape[1] - n) / 50) for n in (0, first)]
        whole, cut = (align(sensor_curve(one), video, video_scale=30 / RATE) for one in timed)
        assert whole.clear and cut.clear
        errors.append(abs(whole.offset_s - cut.offset_s - first / 50))
    assert max(errors) < 0.06


def test_the_simulated_world_needs_no_correction(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    some = dataclasses.replace(index, recordings=index.recordings[:8])
    found = measure(some, "accelerometer", "rgb")
    clear = [p.alignment.offset_s for p in found.pairs if p.alignment.clear]
    assert len(found.pairs) == 8 and len(clear) >= 2
    assert np.abs(clear).max() < 0.1


def test_what_is_not_clear_is_refused_by_name() -> None:
    found = measured(pair(1, 0.1), pair(2, 0.9, 1.2), pair(3, 0.2))
    with pytest.raises(DataError, match=r"1 of 3 recordings have no clear peak .*: r2\. Take medians"):
        rows_of(found)
    assert [row.recording for row in rows_of(found, clear_only=True)] == ["r1", "r3"]


def test_groups_share_the_median_of_their_clear_recordings() -> None:
    pairs = [pair(n, offset, c) for n, (offset, c) in enumerate([(0.1, 9), (0.5, 9), (0.2, 9), (0.5, 9), (0.3, 9)])]
    found = measured(*pairs, pair(6, 2.0, 1.0))
    rows = rows_of(found, median="subject", clear_only=True)
    assert {row.recording: row.offset_s for row in rows} == {"r0": 0.2, "r2": 0.2, "r4": 0.2, "r6": 0.2}
    assert rows[0].by == "median of 3 of subject 0"
    with pytest.raises(DataError, match=r"in groups by subject\): r1, r3"):
        rows_of(found, median="subject")
    assert {row.offset_s for row in rows_of(found, median="all")} == {0.3}
    assert len(rows_of(found, median="session")) == 6
    with pytest.raises(DataError, match=r"r0 has no 'device' to group by\. Choose one of: all, subject, trial"):
        rows_of(found, median="device")


def test_figures_without_a_common_moment_are_not_known() -> None:
    with pytest.raises(DataError, match="1 of 1 recordings"):
        rows_of(measured(pair(1, 7.0)))


def test_the_true_rate_of_videos_shows_in_the_lengths() -> None:
    frames = np.arange(40, 100, 2)
    lengths = [pair(n, 0, sensor_s=k / 20 + 0.3, video_s=k / 30) for n, k in enumerate(frames)]
    assert true_rate(measured(*lengths)) == pytest.approx(20.0)
    assert true_rate(measured(*lengths[:10])) is None  # too few to say
    agreeing = [pair(n, 0, sensor_s=k / 30 + 0.3, video_s=k / 30) for n, k in enumerate(frames)]
    assert true_rate(measured(*agreeing)) is None
    random = np.random.default_rng(0)
    alike = [pair(n, 0, sensor_s=4 + random.normal(), video_s=3 + random.normal()) for n in range(60)]
    assert true_rate(measured(*alike)) is None


def test_streams_are_chosen_or_asked_for(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    assert chosen_stream(index, "sensor", None) == "accelerometer"
    assert chosen_stream(index, "sensor", "gyroscope") == "gyroscope"
    with pytest.raises(DataError, match=r"no video stream 'deep'\. Choose with --video: .*rgb"):
        chosen_stream(index, "video", "deep")


def test_files_that_cannot_be_read_and_recordings_without_a_partner_are_named(
    synthetic_root: Path, tmp_path: Path
) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    one, two, three = index.recordings[:3]
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    bad = dataclasses.replace(two.stream("rgb"), path=tmp_path / "bad.mp4")
    two = dataclasses.replace(two, streams={**two.streams, "rgb": bad})
    three = dataclasses.replace(three, streams={"accelerometer": three.stream("accelerometer")})
    found = measure(Index("x", synthetic_root, index.labels, (one, two, three)), "accelerometer", "rgb")
    assert [p.recording.id for p in found.pairs] == [one.id]
    assert list(found.unreadable) == [two.id] and found.unpaired == (three.id,)
    with pytest.raises(DataError, match="no recording has both"):
        measure(Index("x", synthetic_root, index.labels, (three,)), "accelerometer", "rgb")


def test_an_earlier_cut_does_not_count(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    (recording, *_) = index.recordings
    streams = {n: dataclasses.replace(s, cut=Cut(0.5, 1.0)) for n, s in recording.streams.items()}
    again = uncut(dataclasses.replace(index, recordings=(dataclasses.replace(recording, streams=streams),)))
    assert again.recordings[0] == recording
    assert curves_of(recording, "accelerometer", "rgb")[0].seconds > 1.0


def test_the_usual_streams_are_the_only_ones_of_their_kind(tmp_path: Path) -> None:
    """Of sensors the only accelerometer; two that could be meant are listed."""

    def index(*names: str) -> Index:
        streams = {n: Stream(n, "video" if n in ("rgb", "depth") else "sensor", tmp_path, 30.0, "g") for n in names}
        return Index("x", tmp_path, (), (Recording("r", "1", "1", 0, "1", streams),))

    assert chosen_stream(index("gyroscope", "acc-wrist", "rgb"), "sensor", None) == "acc-wrist"
    assert chosen_stream(index("gyroscope", "rgb"), "video", None) == "rgb"
    with pytest.raises(DataError, match=r"2 video streams that could be meant\. Choose with --video: depth, rgb"):
        chosen_stream(index("rgb", "depth"), "video", None)
    with pytest.raises(DataError, match=r"0 sensor streams that could be meant\. Choose with --sensor: gyroscope"):
        chosen_stream(index("gyroscope"), "sensor", None)
    with pytest.raises(DataError, match=r"0 video streams.*there is none"):
        chosen_stream(index("gyroscope"), "video", None)


def test_limits_and_rates_reach_the_comparison(synthetic_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    found = Alignment(0.1, 0.0, 1.0, 0.8)
    monkeypatch.setattr(module, "align", lambda one, other, **words: (asked.append(words), found)[1])
    index = get_dataset("synthetic").index(synthetic_root)
    some = dataclasses.replace(index, recordings=index.recordings[:1])
    (rate,) = {r.stream("rgb").rate_hz for r in some}
    seen = measure(some, "accelerometer", "rgb")
    measure(some, "accelerometer", "rgb", max_offset_s=3.0, video_rate_hz=rate / 2)
    assert asked == [{"max_offset_s": 10.0, "video_scale": 1.0}, {"max_offset_s": 3.0, "video_scale": 2.0}]
    assert seen.unclear == (index.recordings[0].id,) and seen.sensor == "accelerometer"
    one, other = curves_of(some.recordings[0], "accelerometer", "rgb")
    assert (seen.pairs[0].sensor_s, seen.pairs[0].video_s) == (one.seconds, other.seconds)


def test_a_video_that_does_not_say_its_rate_is_named(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    recording = index.recordings[0]
    unsaid = {**recording.streams, "rgb": dataclasses.replace(recording.stream("rgb"), rate_hz=0.0)}
    some = dataclasses.replace(index, recordings=(dataclasses.replace(recording, streams=unsaid),))
    seen = measure(some, "accelerometer", "rgb")
    assert not seen.pairs and "does not say its frame rate" in seen.unreadable[recording.id]


def test_medians_are_of_three_recordings_and_of_drift_too() -> None:
    pairs = [pair(n, 0.1 * n) for n in (4, 2, 0)]
    drifting = [
        dataclasses.replace(p, alignment=dataclasses.replace(p.alignment, drift_ppm=ppm))
        for p, ppm in zip(pairs, (10.0, 20.0, 90.0), strict=True)
    ]
    rows = rows_of(measured(*drifting), median="all")
    assert [row.recording for row in rows] == ["r0", "r2", "r4"], "in order"
    assert {(row.offset_s, row.drift_ppm, row.by) for row in rows} == {(0.2, 20.0, "median of 3")}
    with pytest.raises(DataError, match="2 of 2 recordings have no clear peak"):
        rows_of(measured(*drifting[:2]), median="all")
    with pytest.raises(DataError, match=r"1 of 1 recordings.*\(less than 1\.5 times the second one\): r9"):
        rows_of(measured(pair(9, 0.1, 1.4)), clear_only=True)
    assert [row.by for row in rows_of(measured(pair(9, 0.1)))] == ["own"]
