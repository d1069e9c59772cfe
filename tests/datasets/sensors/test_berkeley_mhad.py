"""Berkeley MHAD: every trial of the layout, nothing in silence, and the order of actions that others get wrong."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.entries import assert_entry
from vskd.datasets.recording import Index, Recording
from vskd.datasets.sensors.berkeley_mhad import ABSENT, LABELS, STREAMS, camera_clock, index
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.splits.protocol import load_protocol
from vskd.errors import DataError
from vskd.preprocessing.sensor.signal_facts import signal_facts


def write_trial(
    root: Path, subject: int, action: int, trial: int, sensors: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
) -> None:
    """One trial as the publisher writes it: x, y, z in g and seconds since 1970, handed over in bursts."""
    random = np.random.default_rng([subject, action, trial])
    start = 1.3e9 + 1000 * subject + 60 * action + 10 * trial
    for sensor in sensors:
        time = np.arange(90) / 31.0
        swing = (0.1 * sensor, 0, 0.9) + 0.3 * np.sin(2 * np.pi * (0.5 + 0.2 * action) * time)[:, None] * (1, 0.5, 0.2)
        late = random.uniform(0, 0.03, time.shape)
        rows = np.column_stack([swing + random.normal(0, 0.02, swing.shape), start + time + late])
        folder = root / "Accelerometer" / f"Shimmer{sensor:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"acc_h{sensor:02d}_s{subject:02d}_a{action:02d}_r{trial:02d}.txt"
        np.savetxt(folder / name, rows, fmt=["%.6f"] * 4)


def write_sample(root: Path) -> None:
    """A few trials on both sides of the published protocol."""
    for subject in (1, 6, 7, 8):
        for action in (1, 4):
            for trial in (1, 2):
                write_trial(root, subject, action, trial)


def problems(found: Index, kind: str) -> list[tuple[str, str]]:
    return [(p.recording, Path(p.path).name) for p in found.problems if p.kind == kind]


def test_what_is_missing_empty_twice_or_unknown_is_named(tmp_path: Path) -> None:
    write_trial(tmp_path, 1, 1, 1)
    write_trial(tmp_path, 2, 3, 4, sensors=(1, 2))
    sensors = tmp_path / "Accelerometer"
    (sensors / "Shimmer01" / "acc_h01_s01_a01_r01.txt").write_text("")
    (sensors / "Shimmer01" / "acc_h7_s01_a01_r01.txt").write_text("1 2 3 4\n")
    (sensors / "Shimmer01" / "acc_h1_s13_a01_r01.txt").write_text("1 2 3 4\n")
    (sensors / "Shimmer01" / "notes.txt").write_text("")
    (sensors / "Shimmer02" / "copy").mkdir()
    (sensors / "Shimmer02" / "copy" / "ACC_H2_S1_A1_R1.TXT").write_text("1 2 3 4\n")
    found = index(tmp_path)
    assert [r.id for r in found] == ["s01_a01_r01", "s02_a03_r04"]
    assert list(found.recordings[0].streams) == sorted(set(STREAMS) - {"accelerometer-left-wrist"})
    assert list(found.recordings[1].streams) == ["accelerometer-left-wrist", "accelerometer-right-wrist"]
    assert problems(found, "corrupt") == [("s01_a01_r01", "acc_h01_s01_a01_r01.txt")]
    assert problems(found, "duplicate") == [("s01_a01_r01", "ACC_H2_S1_A1_R1.TXT")]
    assert sorted(problems(found, "unknown")) == [
        ("", "notes.txt"),
        ("s01_a01_r01", "acc_h7_s01_a01_r01.txt"),
        ("s13_a01_r01", "acc_h1_s13_a01_r01.txt"),
    ]
    missing = problems(found, "missing")
    assert ("s02_a03_r04", "acc_h06_s02_a03_r04.txt") in missing
    assert ("s01_a01_r02", tmp_path.name) in missing
    assert sum(name == "" for name, _ in missing) == 10, "a subject without any file is one line"


def test_a_folder_above_or_below_is_pointed_at(tmp_path: Path) -> None:
    write_trial(tmp_path / "data", 1, 1, 1)
    for given in (tmp_path, tmp_path / "data" / "Accelerometer"):
        with pytest.raises(DataError, match=rf"Pass --data {tmp_path / 'data'}\.$"):
            index(given)


def test_positions_are_streams(tmp_path: Path) -> None:
    write_trial(tmp_path, 8, 11, 5)
    (recording,) = index(tmp_path)
    assert (recording.subject, recording.trial, LABELS[recording.label]) == ("8", "5", "stand up")
    wrist = recording.stream("accelerometer-right-wrist")
    assert wrist.path.parent.name == "Shimmer02"
    assert (wrist.placement, wrist.range_limit, wrist.unit, wrist.calibrated) == ("right wrist", 2.0, "g", False)


def _every_trial() -> Iterator[Recording]:
    for subject in range(1, 13):
        for action in range(1, 12):
            for trial in range(1, 6):
                name = f"s{subject:02d}_a{action:02d}_r{trial:02d}"
                if name not in ABSENT:
                    yield Recording(name, str(subject), str(trial), action - 1, str(subject), {})


def test_sizes_of_the_published_protocols() -> None:
    """On the complete data set, whose trials are known by name: 383 train and 275 test."""
    complete = Index("berkeley-mhad", Path(), LABELS, tuple(_every_trial()))
    assert len(complete) == 658
    split = load_protocol("berkeley-mhad", "cross-subject").split(complete)
    assert (len(split.train), len(split.test)) == (383, 275)
    split = load_protocol("berkeley-mhad", "cross-subject-val").split(complete)
    assert [len(ids) for ids in split.parts.values()] == [328, 55, 275]
    alone = load_protocol("berkeley-mhad", "leave-one-subject-out")
    assert [len(alone.split(complete, fold).test) for fold in alone.fold_names(complete)] == [
        *(55, 54, 55, 54, 55, 55, 55, 55, 55, 55, 55, 55)
    ]


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Index:
    root = shared_data / "berkeley-mhad"
    if not root.is_dir():
        pytest.skip(f"needs Berkeley MHAD: {root} is no folder; see `vskd datasets info berkeley-mhad`")
    return index(root)


def test_the_real_files(real: Index, caplog: pytest.LogCaptureFixture) -> None:
    """Subjects 1 to 10: all of the training part, and 165 of the 275 that test; the difference is said."""
    assert len(real) == 548 and real.subjects == tuple(map(str, range(1, 11)))
    assert Counter(name for r in real for name in r.streams) == dict.fromkeys(STREAMS, 548)
    split = load_protocol("berkeley-mhad", "cross-subject").split(real)
    assert (len(split.train), len(split.test)) == (383, 165)
    assert "has 548 of the 658 usable recordings" in caplog.text
    details = [p.detail for p in real.problems]
    assert "subject 11: none of its 55 recordings" in details
    assert sum("nor is it in the published data set" in d for d in details) == 2


def test_the_order_of_sitting_and_standing_is_the_publisher_s(real: Index) -> None:
    """Only sitting down and standing up again is repeated, so it lasts far longer; a published loader calls it last."""
    seconds: dict[str, list[float]] = {label: [] for label in LABELS}
    for recording in real:
        if recording.subject in ("1", "5") and recording.label >= 8:
            times = read_stream(recording.stream("accelerometer-left-wrist")).times
            seconds[LABELS[recording.label]].append(times[-1] - times[0])
    middle = {label: float(np.median(found)) for label, found in seconds.items() if found}
    assert middle["sit down then stand up"] > 12
    assert middle["sit down"] < 5 and middle["stand up"] < 5
    elsewhere = ("sit down", "stand up", "sit down then stand up")
    assert elsewhere != LABELS[8:], "whar-datasets' order of a09, a10, a11"


def test_sensors_and_cameras_share_a_clock(real: Index) -> None:
    for recording in real.recordings[:60:7]:
        camera = np.loadtxt(camera_clock(real.root, recording.id))[:, 1]
        for stream in recording.streams.values():
            timed = read_stream(stream)
            assert timed.absolute
            assert abs(timed.times[0] - camera[0]) < 0.5


def test_what_the_real_sensors_cannot_do_is_measured(real: Index) -> None:
    by_id = real.by_id()
    right = by_id["s08_a09_r03"].stream("accelerometer-right-wrist")
    facts = signal_facts(read_stream(right), stream=right.name, unit=right.unit, range_limit=right.range_limit)
    assert (facts.glitches, facts.largest) == (1, pytest.approx(28.248, abs=1e-3))
    jacks = by_id["s01_a02_r01"].stream("accelerometer-right-wrist")
    assert 0 < signal_facts(read_stream(jacks), stream=jacks.name, unit="g", range_limit=2.0).saturated < 0.5
    burst = read_stream(by_id["s09_a11_r01"].stream("accelerometer-left-hip"))
    assert burst.rate_hz == 31.0 and "1483 Hz" in burst.clock.facts[0]


def test_a_recording_whose_files_are_all_empty_is_none(tmp_path: Path) -> None:
    write_trial(tmp_path, 1, 1, 1)
    write_trial(tmp_path, 1, 1, 2, sensors=(1, 2))
    for sensor in (1, 2):
        (tmp_path / "Accelerometer" / f"Shimmer{sensor:02d}" / f"acc_h{sensor:02d}_s01_a01_r02.txt").write_text("")
    found = index(tmp_path)
    assert [r.id for r in found] == ["s01_a01_r01"] and [name for name, _ in problems(found, "corrupt")] == [
        "s01_a01_r02",
        "s01_a01_r02",
    ]


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("berkeley-mhad", tmp_path)


def test_recordings_are_in_the_order_of_people_whatever_sensor_they_have(tmp_path: Path) -> None:
    write_trial(tmp_path, 2, 1, 1, sensors=(1,))
    write_trial(tmp_path, 1, 1, 1, sensors=(2,))
    assert [r.id for r in index(tmp_path)] == ["s01_a01_r01", "s02_a01_r01"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("acc_h00_s01_a01_r01", "sensor 0 is not of berkeley-mhad (1..6)"),
        ("acc_h07_s01_a01_r01", "sensor 7 is not of berkeley-mhad (1..6)"),
        ("acc_h06_s12_a11_r05", ""),
        ("acc_h06_s13_a11_r05", "subject 13 is not of berkeley-mhad (1..12)"),
        ("acc_h06_s12_a12_r05", "action 12 is not of berkeley-mhad (1..11)"),
        ("acc_h06_s12_a11_r06", "trial 6 is not of berkeley-mhad (1..5)"),
        ("acc_h06_s12_a11_r00", "trial 0 is not of berkeley-mhad (1..5)"),
    ],
)
def test_numbers_in_names(tmp_path: Path, name: str, what: str) -> None:
    write_trial(tmp_path, 1, 1, 1)
    (tmp_path / "Accelerometer" / "Shimmer06" / f"{name}.txt").write_text("1 2 3 4\n" * 9)
    found = index(tmp_path)
    assert [p.detail for p in found.problems if p.kind == "unknown"] == ([what] if what else [])
    assert len(found) == (1 if what else 2)
