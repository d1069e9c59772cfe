"""Samples with their clock: order of the file, even times, bridged gaps."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

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
    """All samples of 3 s arrive within half a second, ten at a time."""
    times = np.arange(93) / 31.0
    timed = read(written(tmp_path / "a.txt", times, np.repeat(times[::10] / 6, 10)[: len(times)]))
    assert timed.rate_hz == 31.0
    assert timed.clock.facts == ("samples came in bursts: the stamps make 190 Hz, the device's 31 Hz are taken",)
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


def test_the_stream_and_the_array_that_are_named(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(20, 6))
    for times in (False, True):
        table = np.column_stack([values, np.arange(20) / 10]) if times else values
        head = "ax,ay,az,gx,gy,gz" + (",time" if times else "")
        np.savetxt(tmp_path / "a.csv", table, fmt="%.6f", delimiter=",", header=head, comments="")
        timed = read_timed(
            tmp_path / "a.csv", axes=AXES, rate_hz=10.0, stream="gyroscope", time_column=6 if times else None
        )
        np.testing.assert_allclose(timed.signal, values[:, 3:].T, atol=1e-5)
        assert read_timed(tmp_path / "a.csv", axes=AXES, rate_hz=10.0).signal[0, 0] == pytest.approx(
            values[0, 0], abs=1e-5
        )
        assert timed.rate_hz == pytest.approx(10.0) and (timed.clock.period_s > 0) is times
    savemat(tmp_path / "a.mat", {"other": values[:, :3] + 9, "mine": values[:, :3]})
    for reading in (None, Reading()):
        timed = read_timed(
            tmp_path / "a.mat", axes=AXES, rate_hz=10.0, variable="mine", columns=(2, 1, 0), reading=reading
        )
        np.testing.assert_allclose(timed.signal, values[:, 2::-1].T, atol=1e-5)


@pytest.mark.parametrize("reading", [None, Reading()])
def test_local_times_are_said_to_be(tmp_path: Path, reading: Reading | None) -> None:
    for zone in ("", "Z"):
        (tmp_path / "a.csv").write_text("\n".join(f"{n},0,1,2024-06-01T10:00:{n:02d}{zone}" for n in range(30)))
        timed = read_timed(
            tmp_path / "a.csv", axes=AXES, rate_hz=1.0, columns=(0, 1, 2), time_column=3, reading=reading
        )
        assert timed.local is (zone == "") and timed.absolute and timed.times[0] == pytest.approx(1717236000.0)
        assert timed.first_row_s == pytest.approx(1717236000.0)


def test_the_first_row_counts_though_it_is_empty(tmp_path: Path) -> None:
    times = np.arange(60) / 20
    rows = [f"{x:.5f} {y:.5f} {z:.5f} {t:.3f}" for (x, y, z), t in zip(swing(times).T, times, strict=True)]
    rows[10] = f";;;{times[10]:.3f}"
    (tmp_path / "a.csv").write_text("\n".join(row.replace(" ", ";") for row in rows))
    reading = Reading(rows=(10, 60), time_unit_s=1.0)
    timed = read_timed(tmp_path / "a.csv", axes=AXES, rate_hz=20.0, columns=(0, 1, 2), time_column=3, reading=reading)
    assert timed.times[0] == pytest.approx(0.55, abs=1e-6) and timed.first_row_s == pytest.approx(0.5, abs=1e-6)


def test_a_bridge_ends_at_the_last_sample() -> None:
    """One gap of three samples among twenty; and times that begin anywhere."""
    times = 7.0 + np.delete(np.arange(23), [10, 11, 12]) / 10
    values = np.stack([times, 2 * times]).astype(np.float32)
    whole = Timed(values, 10.0, times, clock=Clock(10.0, (10,), (0.4,), (), 0.1)).bridged("a")
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, np.outer([1, 2], 7 + np.arange(23) / 10), rtol=1e-6)
