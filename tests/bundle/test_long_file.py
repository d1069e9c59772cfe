"""Hours of signal, block by block: the windows are those of the file as a whole."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle import long_file
from vskd.bundle.contract import SensorContract, StreamContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.long_file import LongRecording, as_long, open_long
from vskd.bundle.predict import contract_windows
from vskd.bundle.recorded import Recorded
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError, DataError

ROWS = 700
IN_G = FileReading(unit="g")


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
    long = open_long(path, contract, FileReading(**options))
    assert long.rate_hz == 50 and long.segments == ((0, ROWS),)
    windows, times = all_windows(long, contract)
    whole = contract_windows(read_recording(path, contract, FileReading(**options)), contract)
    np.testing.assert_allclose(windows, whole, rtol=0, atol=3e-6)
    starts = np.arange(len(whole)) * 24 / rate
    np.testing.assert_allclose(times, np.stack([starts, starts + 32 / rate], axis=1), atol=1e-6)


@pytest.mark.parametrize("gap_at", [40, 140, 149, 150, 151, 160, 165, 166, 171, 299, 300, 316, 317, 690])
def test_a_gap_is_found_wherever_it_lies(tmp_path: Path, gap_at: int) -> None:
    contract = sliding()
    stamps = np.arange(ROWS) / 50 + np.where(np.arange(ROWS) >= gap_at, 20.0, 0.0)
    path = write(tmp_path / "a.csv", stamps, signal())
    long = open_long(path, contract, IN_G)
    assert long.segments == ((0, gap_at), (gap_at, ROWS))
    recorded = read_recording(path, contract, IN_G)
    assert recorded.breaks == (gap_at,)
    windows, times = all_windows(long, contract)
    np.testing.assert_allclose(windows, contract_windows(recorded, contract), rtol=0, atol=1e-6)
    np.testing.assert_allclose(times, all_windows(as_long(recorded), contract)[1], atol=2e-3)
    assert any("a gap " in note for note in long.notes)


@pytest.mark.parametrize("cells", [",,", "nan,NaN,0"])
def test_rows_with_empty_cells_and_stamps_in_ms(tmp_path: Path, cells: str) -> None:
    contract = sliding()
    values = signal()
    rows = [f"{20 * n},{x:.5f},{y:.5f},{z:.5f}" for n, (x, y, z) in enumerate(values)]
    for k in [*range(145, 170), 400]:
        rows[k] = f"{20 * k},{cells}"
    path = tmp_path / "a.csv"
    path.write_text("timestamp_ms,x,y,z\n" + "\n".join(rows))
    long, recorded = open_long(path, contract, IN_G), read_recording(path, contract, IN_G)
    assert long.segments == ((0, 145), (145, ROWS - 26)) and recorded.breaks == (145,)
    windows, times = all_windows(long, contract)
    np.testing.assert_allclose(windows, contract_windows(recorded, contract), rtol=0, atol=1e-6)
    assert times[-1, 1] == pytest.approx(all_windows(as_long(recorded), contract)[1][-1, 1], abs=0.03)


def test_a_glitch_is_in_no_window_and_said(tmp_path: Path) -> None:
    contract, values = sliding(), signal()
    values[321] = 60.0
    long = open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), contract, IN_G)
    assert long.segments == ((0, 321), (321, 322), (322, ROWS))
    windows, _ = all_windows(long, contract)
    assert np.abs(windows).max() < 5 and any("near data row 322 are beyond" in note for note in long.notes)


def test_a_block_of_a_dead_sensor_is_left_out_and_said(tmp_path: Path) -> None:
    contract, values = sliding(), signal()
    values[300:450] = values[300]
    long = open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), contract, IN_G)
    assert any("data rows 301 to 450 are left out" in note for note in long.notes)
    assert sum(b - a for a, b in long.segments) == ROWS - 150
    _, times = all_windows(long, contract)
    assert not ((times[:, 0] < 9.0 - 1e-6) & (times[:, 1] > 6.0 + 1e-6)).any()


def test_a_file_of_a_dead_sensor_is_refused(tmp_path: Path) -> None:
    values = np.tile(signal()[0], (ROWS, 1))
    with pytest.raises(BundleError, match="no sample differs from the first"):
        open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), sliding(), IN_G)


def test_a_rate_that_changes_is_refused(tmp_path: Path) -> None:
    stamps = np.concatenate([np.arange(300) / 50, 6 + np.arange(400) / 100])
    with pytest.raises(BundleError, match="50 Hz at the beginning, 100 Hz from data row 301 on"):
        open_long(write(tmp_path / "a.csv", stamps, signal()), sliding(), IN_G)


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50, signal())
    lines = path.read_text().splitlines()
    lines[400] = "7.98,a,b,c"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"data row 100 is not all numbers.*counted from data row 301"):
        open_long(path, sliding(), IN_G)


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
    long = open_long(write(tmp_path / "a.csv", stamps, signal()), sliding(), IN_G)
    (note,) = [note for note in long.notes if "a gap " in note]
    told = f"a gap {(gap_at - 1) / 50:.1f} s after the beginning"
    assert note in (told, f"{told}, 20 s long") and (gap_at == 150 or note.endswith("20 s long"))


def test_rate_and_unit_of_blocks_are_asked_for_as_of_files(tmp_path: Path) -> None:
    """A long file is nobody's own: what it does not say is not taken from the contract."""
    plain = write(tmp_path / "a.csv", None, signal())
    with pytest.raises(BundleError, match="does not say its rate"):
        open_long(plain, sliding(), IN_G)
    turning = sliding(stream="gyroscope", unit="deg/s", range_limit=1000.0)
    with pytest.raises(BundleError, match="does not say its unit, and the model asks for deg/s"):
        open_long(plain, turning, FileReading(rate_hz=50.0))
    with pytest.raises(BundleError, match=r"asks for 3 channels \(x, y, z\), 2 columns were named"):
        open_long(plain, sliding(), FileReading(rate_hz=50.0, unit="g", columns=(0, 1)))
    turned = open_long(plain, sliding(), FileReading(rate_hz=50.0, unit="g", columns=(2, 0, 1)))
    np.testing.assert_allclose(turned.read(0, ROWS), signal()[:, [2, 0, 1]].T, atol=1e-5)
    scaled = open_long(
        write(tmp_path / "b.csv", None, 9.80665 * signal()), sliding(), FileReading(rate_hz=50.0, unit="m/s^2")
    )
    np.testing.assert_allclose(scaled.read(100, 300), signal()[100:300].T, atol=1e-5)
    assert "the samples were converted from m/s^2 to g" in scaled.notes


def test_notes_rate_and_what_was_understood_are_those_of_the_file(tmp_path: Path) -> None:
    contract = sliding()
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 100, signal())
    long, whole = open_long(path, contract, IN_G), read_recording(path, contract, IN_G)
    assert (long.rate_hz, long.notes, long.understood) == (whole.rate_hz, whole.notes, whole.understood)
    held = as_long(whole)
    assert (held.rate_hz, held.notes, held.understood) == (whole.rate_hz, whole.notes, whole.understood)
    np.testing.assert_array_equal(held.read(3, 9), whole.signal[:, 3:9])
    for at in (0, 1, 149, 150, 349, 699):
        assert long.time_of(at) == pytest.approx(at / 100, abs=1e-6) == held.time_of(at)


@pytest.mark.parametrize("stamped", [True, False])
def test_the_clock_of_pieces_in_memory(stamped: bool) -> None:
    """With times of its own each piece has its own step; a piece of one sample has that of the rate."""
    times = np.array([0, 0.02, 0.04, 7.0, 9.0, 9.03, 9.06]) if stamped else None
    recorded = Recorded(np.zeros((1, 7), np.float32), 50.0, ("note",), breaks=(3, 4), times=times)
    long = as_long(recorded)
    assert long.segments == ((0, 3), (3, 4), (4, 7)) and long.notes == ("note",)
    assert len(long.anchors) == (3 if stamped else 1)
    expected = [0, 0.02, 0.04, 7.0, 9.0, 9.03, 9.06, 9.09] if stamped else [n / 50 for n in range(8)]
    assert [long.time_of(n) for n in range(8)] == pytest.approx(expected)
    assert long.time_of(4) - long.time_of(3) == pytest.approx(2.0 if stamped else 0.02)
    if stamped:
        assert [a[2] for a in long.anchors] == pytest.approx([0.02, 0.02, 0.03])


@pytest.mark.parametrize("stride", [1, 31, 32, 33, 90, 150])
def test_strides_of_any_length_across_pieces(tmp_path: Path, stride: int) -> None:
    """Also those that skip whole pieces between two windows."""
    contract = sliding().model_copy(update={"stride": stride})
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50, signal())
    long = open_long(path, contract, IN_G)
    windows, times = all_windows(long, contract)
    assert len(windows) == (ROWS - 32) // stride + 1
    for n in (0, 1, len(windows) - 1):
        np.testing.assert_allclose(windows[n], signal()[stride * n : stride * n + 32].T, atol=1e-5)
        assert times[n] == pytest.approx([stride * n / 50, (stride * n + 32) / 50], abs=1e-6)


def test_stretches_without_a_window_are_passed_over(tmp_path: Path) -> None:
    gaps = np.searchsorted([200, 231, 263], np.arange(ROWS), side="right") * 9.0
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50 + gaps, signal())
    long = open_long(path, sliding(), IN_G)
    assert long.segments == ((0, 200), (200, 231), (231, 263), (263, ROWS))
    windows, times = all_windows(long, sliding())
    assert len(windows) == 8 + 0 + 1 + 17  # of 200, 31, 32 and 437 samples
    assert times[8] == pytest.approx([231 / 50 + 18, 263 / 50 + 18], abs=1e-3)


@pytest.mark.parametrize("mark", ["#", "%", "//"])
def test_remarks_anywhere_are_no_rows(tmp_path: Path, mark: str) -> None:
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50, signal(), head=f"{mark} of a device\n")
    lines = path.read_text().splitlines()
    for at in (2, 300, 301, 500):
        lines.insert(at, f"  {mark} a remark, in the midst")
    lines.insert(400, "   ")
    path.write_text("\n".join(lines))
    long = open_long(path, sliding(), IN_G)
    assert long.segments == ((0, ROWS),)
    np.testing.assert_allclose(long.read(0, ROWS), signal().T, atol=1e-5)


def test_a_megabyte_is_where_a_file_becomes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50, signal())
    taken: list[int] = []
    monkeypatch.setattr(long_file._Spool, "filled", lambda self: taken.append(1))
    for limit, long in ((path.stat().st_size, False), (path.stat().st_size - 1, True)):
        monkeypatch.setattr(long_file, "LONG_BYTES", limit)
        open_long(path, sliding(), IN_G)
        assert bool(taken) is long
    np.save(tmp_path / "a.npy", signal())
    assert open_long(tmp_path / "a.npy", sliding(), FileReading(unit="g", rate_hz=50.0)).segments == ((0, ROWS),)
    with pytest.raises(DataError, match="none"):
        open_long(tmp_path / "none.csv", sliding())


def test_other_encodings_and_text_that_changes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", np.arange(ROWS) / 50, signal())
    text = path.read_text()
    for encoding in ("utf-16", "utf-8-sig", "latin-1"):
        path.write_bytes(text.replace("time_s,", "# größe\ntime_s,", 1).encode(encoding))
        np.testing.assert_allclose(open_long(path, sliding(), IN_G).read(0, ROWS), signal().T, atol=1e-5)
    monkeypatch.setattr(long_file, "HEAD_BYTES", 200)  # by which the encoding is told
    path.write_bytes(("# größe\n" + text).encode() + b"14.0,\xff,1,2\n")
    with pytest.raises(DataError, match=r"a\.csv: not a readable text file \(.*Save it as UTF-8"):
        open_long(path, sliding(), IN_G)


@pytest.mark.parametrize(("second", "fits"), [(52.4, True), (52.6, False), (47.6, True), (47.4, False)])
def test_rates_of_blocks_agree_within_five_percent(tmp_path: Path, second: float, fits: bool) -> None:
    stamps = np.concatenate([np.arange(300) / 50, 6 + np.arange(400) / second])
    path = write(tmp_path / "a.csv", stamps, signal())
    if fits:
        assert open_long(path, sliding(), IN_G).rate_hz == 50
    else:
        with pytest.raises(BundleError, match=rf"50 Hz at the beginning, {second:g} Hz from data row 301 on"):
            open_long(path, sliding(), IN_G)


@pytest.mark.parametrize(("dead", "refused"), [(300, False), (450, True)])
def test_half_of_a_file_may_be_left_out(tmp_path: Path, dead: int, refused: bool) -> None:
    values = signal(600)
    values[150 : 150 + dead] = values[300]
    path = write(tmp_path / "a.csv", np.arange(600) / 50, values)
    if refused:
        with pytest.raises(BundleError, match="no sample differs from the first"):
            open_long(path, sliding(), IN_G)
    else:
        long = open_long(path, sliding(), IN_G)
        assert [note.split(" are left")[0] for note in long.notes if "left out" in note] == [
            *("data rows 151 to 300", "data rows 301 to 450"),
        ]
        assert long.segments == ((0, 150), (150, 300))
        assert long.time_of(150) == pytest.approx(9.0, abs=1e-3)


def test_a_beginning_that_does_not_fit_is_left_out_and_the_clock_goes_on(tmp_path: Path) -> None:
    values = signal()
    values[:150] = values[0]
    for stamps, options in ((7 + np.arange(ROWS) / 50, {}), (None, {"rate_hz": 50.0})):
        long = open_long(write(tmp_path / "a.csv", stamps, values), sliding(), FileReading(unit="g", **options))
        assert long.segments == ((0, ROWS - 150),)
        assert any("data rows 1 to 150 are left out" in note for note in long.notes)
        assert [long.time_of(n) for n in (0, 150)] == pytest.approx([3.0, 6.0], abs=1e-3), "since the first row"


def test_without_a_clock_time_goes_on_by_the_rate(tmp_path: Path) -> None:
    values = signal()
    values[150:300] = values[300]
    long = open_long(write(tmp_path / "a.csv", None, values), sliding(), FileReading(unit="g", rate_hz=50.0))
    assert [long.time_of(n) for n in (0, 149, 150, 300)] == pytest.approx([0, 2.98, 6.0, 9.0])


@pytest.mark.parametrize(("rows", "blocks"), [(150, 1), (182, 1), (183, 2), (332, 2), (333, 3)])
def test_a_last_block_of_few_rows_is_read_with_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, blocks: int
) -> None:
    read: list[int] = []
    real = long_file._Spool._take
    monkeypatch.setattr(long_file._Spool, "_take", lambda self, h, own, a: read.append(len(a)) or real(self, h, own, a))
    long = open_long(write(tmp_path / "a.csv", np.arange(rows) / 50, signal(rows)), sliding(), IN_G)
    assert long.segments == ((0, rows),) and read == [32] * (blocks - 1) + [0]


def test_two_glitches_of_a_block_are_counted_and_each_parts_the_windows(tmp_path: Path) -> None:
    values = signal()
    values[[20, 23]] = 60.0
    values[24] = 15.9
    long = open_long(write(tmp_path / "a.csv", np.arange(ROWS) / 50, values), sliding(), IN_G)
    assert long.segments == ((0, 20), (20, 21), (21, 23), (23, 24), (24, ROWS))
    assert any(note.startswith("2 samples near data row 21 are beyond") for note in long.notes)


def test_the_variable_of_a_mat_file_is_that_which_is_named(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"first": signal()[::-1], "second": signal()})
    for name, expected in (("first", signal()[::-1]), ("second", signal())):
        long = open_long(tmp_path / "a.mat", sliding(), FileReading(unit="g", rate_hz=50.0, variable=name))
        np.testing.assert_allclose(long.read(0, ROWS), expected.T, atol=1e-6)


@pytest.mark.parametrize("missing", ["stride", "window_rate_hz"])
def test_a_contract_without_sliding_windows_is_a_programming_error(missing: str) -> None:
    long = as_long(Recorded(signal().T.astype(np.float32), 50.0, ()))
    with pytest.raises(ValueError, match="no sliding windows"):
        long.count_windows(sliding().model_copy(update={missing: None}))


def test_a_long_file_has_the_clock_that_the_caller_names(tmp_path: Path) -> None:
    """The first, which is called a clock, runs twice as fast."""
    time, values = np.arange(ROWS) / 50, signal()
    rows = [f"{t / 2:.3f},{x:.5f},{y:.5f},{z:.5f},{t:.3f}" for t, (x, y, z) in zip(time, values, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("time_s,x,y,z,when\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert open_long(path, sliding(), IN_G).rate_hz == 100
    recording = open_long(path, sliding(), FileReading(unit="g", time_column=4))
    windows, times = all_windows(recording, sliding())
    assert recording.rate_hz == 50
    np.testing.assert_array_equal(
        windows, contract_windows(read_recording(path, sliding(), FileReading(unit="g", time_column=4)), sliding())
    )
    assert times[0].tolist() == pytest.approx([0.0, sliding().length / 50])
