"""Samples with their clock: order of the file, even times, bridged gaps."""

from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.timed import Timed, bridgeable, read_timed

AXES = ("x", "y", "z")
START = 1309539264.0


def swing(times: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(2 * times), np.cos(3 * times), 0.9 + 0.1 * np.sin(times)])


def written(path: Path, times: np.ndarray, stamps: np.ndarray) -> Path:
    np.savetxt(path, np.column_stack([swing(times).T, START + stamps]), fmt="%.6f")
    return path


def read(path: Path, nominal: float = 31.0) -> Timed:
    return read_timed(path, axes=AXES, rate_hz=nominal, columns=(0, 1, 2), time_column=3)


def test_late_stamps_move_no_sample(tmp_path: Path) -> None:
    times = np.arange(200) / 31.25
    random = np.random.default_rng(0)
    stamps = times + random.uniform(0, 0.04, 200) * (random.random(200) < 0.5)
    timed = read(written(tmp_path / "a.txt", times, stamps))
    assert timed.rate_hz == pytest.approx(31.25, rel=2e-3) and timed.absolute
    np.testing.assert_allclose(timed.times - START, times, atol=0.03)
    np.testing.assert_allclose(timed.signal, swing(times), atol=1e-5)
    assert timed.bridged("a") is timed.signal


def test_a_gap_is_bridged_by_a_line_or_cuts(tmp_path: Path) -> None:
    whole = np.arange(300) / 31.25
    kept = np.delete(np.arange(300), np.arange(100, 116))  # half a second
    timed = read(written(tmp_path / "a.txt", whole[kept], whole[kept]))
    assert timed.clock.breaks == (100,)
    assert [piece.shape[1] for piece in timed.pieces()] == [100, 184]
    bridged = timed.bridged("a.txt")
    assert bridged.shape[1] == 300
    wanted = swing(whole)
    wanted[:, 99:117] = np.linspace(wanted[:, 99], wanted[:, 116], 18).T
    np.testing.assert_allclose(bridged, wanted, atol=0.01)


def test_too_long_a_gap_is_refused_of_a_whole_recording(tmp_path: Path) -> None:
    whole = np.arange(300) / 31.25
    kept = np.delete(np.arange(300), np.arange(100, 140))
    timed = read(written(tmp_path / "a.txt", whole[kept], whole[kept]))
    with pytest.raises(DataError, match=r"a\.txt: 1 gaps in time, the longest 1\.3 s.*sliding windows"):
        timed.bridged("a.txt")


def test_bursts_of_a_radio_link_leave_the_device_s_rate(tmp_path: Path) -> None:
    """All samples of 3 s arrive within half a second."""
    times = np.arange(93) / 31.0
    timed = read(written(tmp_path / "a.txt", times, times / 6))
    assert timed.rate_hz == 31.0
    assert timed.clock.facts == ("samples came in bursts: the stamps make 186 Hz, the device's 31 Hz are taken",)
    elsewhere = read(written(tmp_path / "b.txt", times, times * 31 / 40))  # another device than was thought
    assert elsewhere.rate_hz == pytest.approx(40, rel=1e-3)


def test_without_a_column_of_times_the_nominal_rate_counts(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", swing(np.arange(50) / 20).T)
    timed = read_timed(tmp_path / "a.npy", axes=AXES, rate_hz=20.0)
    assert (timed.rate_hz, timed.absolute, timed.times[-1]) == (20.0, False, 49 / 20)


@pytest.mark.parametrize(
    ("row", "told"), [("0.1 0.2 0.9", "has 3 columns and no column 3"), ("0.1 0.2 0.9 noon", "cannot be read as times")]
)
def test_a_column_that_is_no_clock_is_named(tmp_path: Path, row: str, told: str) -> None:
    (tmp_path / "a.txt").write_text(f"{row}\n" * 20)
    with pytest.raises(DataError, match=told):
        read(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("gaps", "seconds", "whole"),
    [((1.0,), 4.0, True), ((1.01,), 40.0, False), ((0.5, 0.5), 4.0, True), ((0.5, 0.5), 3.9, False)],
)
def test_a_second_and_a_quarter_of_the_recording_are_bridged(
    gaps: tuple[float, ...], seconds: float, whole: bool
) -> None:
    assert bridgeable(gaps, seconds) is whole


def test_many_gaps_are_told_together() -> None:
    times = np.arange(200) / 50.0
    times[50:] += 0.9
    times[100:] += 0.8
    timed = Timed(swing(times).astype(np.float32), 50.0, times, clock=Clock(50.0, (50, 100), (0.92, 0.82), (), 0.02))
    with pytest.raises(DataError, match=r"a: 2 gaps in time, the longest 0\.92 s, together 31% of the recording"):
        timed.bridged("a")


def test_what_is_stated_of_a_file_reaches_it(tmp_path: Path) -> None:
    times = np.arange(100) / 20
    np.savetxt(tmp_path / "a.txt", np.column_stack([swing(times).T, 1000 * times]), fmt="%.6f")
    reading = Reading(factors=(2.0, 1.0, 1.0), time_unit_s=1e-3, rows=(10, 60))
    timed = read_timed(tmp_path / "a.txt", axes=AXES, rate_hz=25.0, columns=(0, 1, 2), time_column=3, reading=reading)
    np.testing.assert_allclose(timed.signal, swing(times)[:, 10:60] * [[2], [1], [1]], atol=1e-5)
    assert timed.rate_hz == pytest.approx(20) and not timed.absolute
    np.testing.assert_allclose(timed.times, times[10:60], atol=1e-6)


def test_stamps_that_say_a_day_are_seconds_since_1970(tmp_path: Path) -> None:
    times = np.arange(60) / 31.25
    assert read(written(tmp_path / "a.txt", times, times)).times[0] == pytest.approx(START, abs=1e-3)
    short = read(written(tmp_path / "b.txt", times[:3], times[:3]))  # too few to fit a clock to
    assert (short.rate_hz, short.absolute, short.times.tolist()) == (31.0, False, [0.0, 1 / 31, 2 / 31])
