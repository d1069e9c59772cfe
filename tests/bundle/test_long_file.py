"""Hours of signal, block by block: the windows are those of the file as a whole."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle import long_file
from vskd.bundle.contract import SensorContract, StreamContract
from vskd.bundle.long_file import LongRecording, as_long, open_long
from vskd.bundle.predict import contract_windows
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError, DataError

ROWS = 700


def sliding(rate: float = 50.0, **changes: object) -> SensorContract:
    more = {"window_mode": "sliding", "window_rate_hz": rate, "stride": 24, "max_samples": 10**9}
    return sensor_contract(**more, **changes)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_file, "LONG_BYTES", 100)
    monkeypatch.setattr(long_file, "BLOCK_ROWS", 150)
    monkeypatch.setattr(long_file, "PIECE", 100)


def signal(rows: int = ROWS) -> npt.NDArray[np.float64]:
    """A wrist that moves and rests in turns."""
    return np.concatenate([wrist(100, seed=k) for k in range(-(-rows // 100))])[:rows]


def write(path: Path, stamps: npt.NDArray[np.float64] | None, values: npt.NDArray[np.float64], head: str = "") -> Path:
    clock = [] if stamps is None else [f"{t:.3f}," for t in stamps]
    rows = [f"{clock[n] if clock else ''}{x:.5f},{y:.5f},{z:.5f}" for n, (x, y, z) in enumerate(values)]
    names = "x,y,z" if stamps is None else "time_s,x,y,z"
    path.write_text(f"{head}{names}\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def all_windows(recording: LongRecording, contract: SensorContract) -> tuple[np.ndarray, np.ndarray]:
    parts = list(recording.windows(contract))
    windows, times = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    assert len(windows) == recording.count_windows(contract)
    return windows, times


@pytest.mark.parametrize("rate", [50.0, 25.0, 40.0])
@pytest.mark.parametrize("with_clock", [True, False])
def test_windows_are_those_of_the_whole_file(tmp_path: Path, rate: float, with_clock: bool) -> None:
    contract = sliding(rate)
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50 if with_clock else None, signal())
    options = {"unit": "g"} if with_clock else {"unit": "g", "rate_hz": 50.0}
    long = open_long(path, contract, **options)
    assert long.rate_hz == 50 and long.segments == ((0, ROWS),)
    windows, times = all_windows(long, contract)
    whole = contract_windows(read_recording(path, contract, **options), contract)
    np.testing.assert_allclose(windows, whole, rtol=0, atol=3e-6)
    starts = np.arange(len(whole)) * 24 / rate
    np.testing.assert_allclose(times, np.stack([starts, starts + 32 / rate], axis=1), atol=1e-6)


@pytest.mark.parametrize("gap_at", [40, 140, 149, 150, 151, 160, 165, 166, 171, 299, 300, 316, 317, 690])
def test_a_gap_is_found_wherever_it_lies(tmp_path: Path, gap_at: int) -> None:
    contract = sliding()
    stamps = np.arange(ROWS) / 50 + np.where(np.arange(ROWS) >= gap_at, 20.0, 0.0)
    path = write(tmp_path / "a.csv", stamps, signal())
    long = open_long(path, contract, unit="g")
    assert long.segments == ((0, gap_at), (gap_at, ROWS))
    recorded = read_recording(path, contract, unit="g")
    assert recorded.breaks == (gap_at,)
    windows, times = all_windows(long, contract)
    np.testing.assert_allclose(windows, contract_windows(recorded, contract), rtol=0, atol=1e-6)
    np.testing.assert_allclose(times, all_windows(as_long(recorded), contract)[1], atol=2e-3)
    assert any("a gap " in note for note in long.notes)


def test_rows_with_empty_cells_and_stamps_in_ms(tmp_path: Path) -> None:
    contract = sliding()
    values = signal()
    rows = [f"{20 * n},{x:.5f},{y:.5f},{z:.5f}" for n, (x, y, z) in enumerate(values)]
    for k in [*range(145, 170), 400]:
        rows[k] = f"{20 * k},,,"
    path = tmp_path / "a.csv"
    path.write_text("timestamp_ms,x,y,z\n" + "\n".join(rows))
    long, recorded = open_long(path, contract, unit="g"), read_recording(path, contract, unit="g")
    assert long.segments == ((0, 145), (145, ROWS - 26)) and recorded.breaks == (145,)
    windows, times = all_windows(long, contract)
    np.testing.assert_allclose(windows, contract_windows(recorded, contract), rtol=0, atol=1e-6)
    assert times[-1, 1] == pytest.approx(all_windows(as_long(recorded), contract)[1][-1, 1], abs=0.03)


def test_a_glitch_is_in_no_window_and_said(tmp_path: Path) -> None:
    contract, values = sliding(), signal()
    values[321] = 60.0
    long = open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), contract, unit="g")
    assert long.segments == ((0, 321), (321, 322), (322, ROWS))
    windows, _ = all_windows(long, contract)
    assert np.abs(windows).max() < 5 and any("near data row 322 are beyond" in note for note in long.notes)


def test_a_block_of_a_dead_sensor_is_left_out_and_said(tmp_path: Path) -> None:
    contract, values = sliding(), signal()
    values[300:450] = values[300]
    long = open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), contract, unit="g")
    assert any("data rows 301 to 450 are left out" in note for note in long.notes)
    assert sum(b - a for a, b in long.segments) == ROWS - 150
    _, times = all_windows(long, contract)
    assert not ((times[:, 0] < 9.0 - 1e-6) & (times[:, 1] > 6.0 + 1e-6)).any()


def test_a_file_of_a_dead_sensor_is_refused(tmp_path: Path) -> None:
    values = np.tile(signal()[0], (ROWS, 1))
    with pytest.raises(BundleError, match="no sample differs from the first"):
        open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), sliding(), unit="g")


def test_a_rate_that_changes_is_refused(tmp_path: Path) -> None:
    stamps = np.concatenate([np.arange(300) / 50, 6 + np.arange(400) / 100])
    with pytest.raises(BundleError, match="50 Hz at the beginning, 100 Hz from data row 301 on"):
        open_long(write(tmp_path / "a.csv", stamps, signal()), sliding(), unit="g")


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50, signal())
    lines = path.read_text().splitlines()
    lines[400] = "7.98,a,b,c"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"data row 100 is not all numbers.*counted from data row 301"):
        open_long(path, sliding(), unit="g")


def test_several_streams_of_one_long_file(tmp_path: Path) -> None:
    one = StreamContract(
        stream="accelerometer", placement="", unit="g", axes=("x", "y", "z"), range_limit=8.0, limit=4.0
    )
    two = StreamContract(
        stream="gyroscope", placement="", unit="deg/s", axes=("x", "y", "z"), range_limit=2000.0, limit=1000.0
    )
    axes = tuple(f"{s} {a}" for s in ("accelerometer", "gyroscope") for a in "xyz")
    contract = sliding(streams=(one, two), axes=axes, stream="accelerometer + gyroscope", unit="g + deg/s")
    values = np.hstack([signal(), 100 * signal()[:, ::-1]])
    rows = [f"{n / 50:.3f}," + ",".join(f"{v:.5f}" for v in row) for n, row in enumerate(values)]
    path = tmp_path / "a.csv"
    path.write_text("time_s,acc_x (g),acc_y (g),acc_z (g),gyr_x (dps),gyr_y (dps),gyr_z (dps)\n" + "\n".join(rows))
    windows, _ = all_windows(open_long(path, contract), contract)
    np.testing.assert_allclose(windows, contract_windows(read_recording(path, contract), contract), rtol=0, atol=1e-6)


@pytest.mark.parametrize("gap_at", [40, 150, 299])
def test_how_long_a_gap_is_stands_in_the_notes(tmp_path: Path, gap_at: int) -> None:
    stamps = np.arange(ROWS) / 50 + np.where(np.arange(ROWS) >= gap_at, 20.0, 0.0)
    long = open_long(write(tmp_path / "a.csv", stamps, signal()), sliding(), unit="g")
    (note,) = [note for note in long.notes if "a gap " in note]
    told = f"a gap {(gap_at - 1) / 50:.1f} s after the beginning"
    assert note in (told, f"{told}, 20 s long") and (gap_at == 150 or note.endswith("20 s long"))
