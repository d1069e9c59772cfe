"""A recording against the contract: every refusal says what is asked and what was found."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tests.bundle.sensor_recordings import SIX, csv_file, read, refuses, signal, six, two_streams
from tests.export.conftest import sensor_contract
from vskd.bundle.contract import StreamContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.sensor_array import recorded_array
from vskd.bundle.sensor_file import even_signal, read_recording
from vskd.errors import BundleError, DataError, VskdError
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.sensor_range import estimate_range


def test_csv_mat_and_npy_give_the_same_signal(tmp_path: Path):
    values = signal()
    np.save(tmp_path / "recording.npy", values)
    savemat(tmp_path / "recording.mat", {"d_iner": np.hstack([values, 100 * values])})
    with_hint = sensor_contract(mat_variable="d_iner", mat_columns=(0, 1, 2))
    found = [
        read(csv_file(tmp_path, values)).signal,
        read(tmp_path / "recording.npy").signal,
        read(tmp_path / "recording.mat", contract=with_hint).signal,
        read(tmp_path / "recording.mat", variable="d_iner", columns=(0, 1, 2)).signal,
    ]
    for one in found:
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, values.T, atol=1e-6)


@pytest.mark.parametrize(("rate", "lost"), [(104.0, ""), (100.0, ""), (52.0, ""), (48.0, "24"), (25.0, "12.5")])
def test_another_rate_is_converted_and_said(tmp_path: Path, rate: float, lost: str):
    recorded = read(csv_file(tmp_path, signal()), rate_hz=rate, unit="g")
    more = f"; it cannot hold what is faster than {lost} Hz" if lost else ""
    assert recorded.rate_hz == rate
    assert recorded.notes == (f"the recording was resampled from {rate:g} to 50 Hz{more}",)


@pytest.mark.parametrize("cells", [",,", "1,,2", "nan,NaN,-nan", "1,2,+NAN", " , nan ,0"])
def test_rows_with_empty_cells_are_gaps_in_time_as_in_training(tmp_path: Path, cells: str):
    rows = [f"{20 * n},{x},{y},{z}" for n, (x, y, z) in enumerate(signal(100))]
    rows[40:50] = [f"{20 * n},{cells}" for n in range(40, 50)]
    path = tmp_path / "recording.csv"
    path.write_text("time_ms,x,y,z\n" + "\n".join(rows))
    sliding = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    recorded = read_recording(path, sliding, FileReading(unit="g"))
    assert recorded.signal.shape == (3, 90) and recorded.breaks == (40,)
    assert "10 rows with empty cells or NaN are left out" in recorded.notes
    assert recorded.times is not None
    np.testing.assert_allclose(recorded.times[[0, 39, 40]], [0, 0.78, 1.0], atol=1e-6)


def test_time_column_and_order_of_columns(tmp_path: Path):
    values = signal()
    columns = np.column_stack([np.arange(60) / 50, values[:, 2], values[:, 0], values[:, 1]])
    recorded = read(csv_file(tmp_path, columns, "t,z,x,y\n"), unit="g", rate_hz=None)
    np.testing.assert_allclose(recorded.signal, values.T, atol=1e-6)
    assert recorded.notes == ()


def test_a_declared_unit_that_gravity_contradicts_is_refused(tmp_path: Path):
    refuses(csv_file(tmp_path, signal(), "# unit: m/s^2\n"), "the file says m/s^2", "look like g")
    refuses(csv_file(tmp_path, signal(scale=9.81), "# unit: g\n"), "the file says g", "look like m/s^2", "divide by")
    refuses(csv_file(tmp_path, signal(), "# unit: g\n"), "option says m/s^2, the file says g", unit="m/s^2")


@pytest.mark.parametrize(
    ("factor", "name"),
    [(9.80665, "m/s^2"), (1000, "mg"), (64, "1/64 g"), (256, "1/256 g"), (2048, "1/2048 g"), (16384, "1/16384 g")],
)
def test_an_undeclared_unit_is_named_and_can_be_stated(tmp_path: Path, factor: float, name: str):
    path = csv_file(tmp_path, signal(scale=factor))
    refuses(path, "asks for g", f"look like {name}", f"--unit '{name}'")
    np.testing.assert_allclose(read(path, unit=name).signal, signal().T, atol=1e-4)


@pytest.mark.parametrize("factor", [0.01, 0.3, 2.2, 30.0])
def test_of_an_unknown_unit_the_factor_that_fits_is_given(tmp_path: Path, factor: float):
    with pytest.raises(BundleError, match=r"no unit that vskd knows.*times (\S+) fits") as caught:
        read(csv_file(tmp_path, signal(scale=factor)))
    assert float(re.search(r"times (\S+) fits", str(caught.value))[1]) == pytest.approx(
        1.018 / factor, rel=0.001
    )  # the still median of this signal is 0.982 g


def test_undeclared_g_is_noticed_by_a_model_in_metres(tmp_path: Path):
    metres = sensor_contract(unit="m/s^2", range_limit=78.0)
    refuses(csv_file(tmp_path, signal()), "asks for m/s^2", "look like g", contract=metres)
    assert read(csv_file(tmp_path, signal(scale=9.81)), contract=metres).signal.shape == (3, 60)


def test_values_beyond_the_range_are_refused_even_with_the_right_unit(tmp_path: Path):
    values = signal()
    values[40:43] = (20, 20, 20)
    refuses(csv_file(tmp_path, values), "±8 g", "3 samples are beyond twice of it", unit="g")


def test_one_sample_beyond_the_range_is_a_glitch(tmp_path: Path):
    values = signal()
    values[17] = (60, 1, 0)
    refuses(csv_file(tmp_path, values), "±8 g", "sample 17 reaches 60 g: a glitch")


def test_a_hard_hit_is_no_wrong_unit(tmp_path: Path):
    values = signal()
    values[10] = (9.5, -9.0, 3.0)
    assert read(csv_file(tmp_path, values)).signal.max() == pytest.approx(9.5)


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
@pytest.mark.parametrize("kind", ["csv", "npy", "mat"])
def test_wrong_channels(tmp_path: Path, channels: int, kind: str):
    path = tmp_path / f"recording.{kind}"
    values = signal(channels=channels)
    if kind == "csv":
        csv_file(tmp_path, values)
    elif kind == "npy":
        np.save(path, values)
    else:
        savemat(path, {"d_iner": values})
    with pytest.raises(DataError) as caught:
        read(path)
    for part in (path.name, "3 columns (x, y, z)", f"has {channels} columns"):
        assert part in str(caught.value)


def test_wrong_number_of_named_columns(tmp_path: Path):
    refuses(csv_file(tmp_path, signal(channels=6)), "3 channels (x, y, z)", "2 columns", columns=(0, 1))


@pytest.mark.parametrize("samples", [19, 401])
def test_wrong_length(tmp_path: Path, samples: int):
    refuses(csv_file(tmp_path, signal(samples)), "20 to 400 samples", f"has {samples}")


@pytest.mark.parametrize("samples", [20, 400])
def test_lengths_at_the_bounds_are_accepted(tmp_path: Path, samples: int):
    assert read(csv_file(tmp_path, signal(samples))).signal.shape == (3, samples)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recording.csv", b""),
        ("recording.csv", b"\x00\xff\xfe"),
        ("recording.mat", b"MATLAB 5.0"),
        ("recording.npy", b"x"),
        ("recording.txt", b"1 2 3"),
        ("recording.csv", b"1,2,nan\n" * 50),
    ],
)
def test_bad_files_are_one_clear_error(tmp_path: Path, name: str, content: bytes):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VskdError, match="recording"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path):
    for kind in ("csv", "mat", "npy"):
        with pytest.raises(DataError, match=f"gone.{kind}"):
            read(tmp_path / f"gone.{kind}")


def matlab(tmp_path: Path, **variables: np.ndarray) -> Path:
    savemat(tmp_path / "a.mat", variables)
    return tmp_path / "a.mat"


OWN = sensor_contract(mat_variable="d_iner", mat_columns=(0, 1, 2), mat_width=6)


def test_the_data_set_s_own_file_says_rate_and_unit(tmp_path: Path):
    six = np.hstack([signal(), 100 * signal()])
    for named in ({}, {"variable": "d_iner"}):
        recorded = read(matlab(tmp_path, d_iner=six, other=six), contract=OWN, rate_hz=None, **named)
        np.testing.assert_allclose(recorded.signal, signal().T, atol=1e-6)
        assert recorded.notes == ()


def test_another_shape_or_variable_is_not_taken_for_the_data_set_s_own(tmp_path: Path):
    gyro_first = np.hstack([100 * signal(), signal()])
    with pytest.raises(DataError, match="'d_iner' has 4 columns, and 6 of the data set's own files"):
        read(matlab(tmp_path, d_iner=gyro_first[:, :4]), contract=OWN)
    with pytest.raises(DataError, match=r"has 6 columns, expected 3 columns \(x, y, z\).*--columns"):
        read(matlab(tmp_path, mine=gyro_first), contract=OWN, variable="mine")
    recorded = read(matlab(tmp_path, mine=gyro_first), contract=OWN, variable="mine", columns=(3, 4, 5))
    np.testing.assert_allclose(recorded.signal, signal().T, atol=1e-6)
    refuses(matlab(tmp_path, mine=signal()), "does not say its rate", contract=OWN, variable="mine", rate_hz=None)


def test_all_real_files_are_accepted_by_a_model_of_gentle_movements(utd_mhad_root: Path):
    """What `evaluate` scores `predict` takes: the range is the sensor's, not that of the training recordings."""
    files = sorted((utd_mhad_root / "Inertial").glob("a*_s2_*_inertial.mat"))
    peaks = {f: float(np.abs(loadmat(f)["d_iner"][:, :3]).max()) for f in files}
    gentle = sorted(peaks.values())[:20]
    assert max(gentle) * 2 < max(peaks.values())  # by the largest training sample some would be refused
    contract = sensor_contract(
        mat_variable="d_iner", mat_columns=(0, 1, 2), mat_width=6, range_limit=estimate_range(gentle, "g")
    )
    for file in files:
        assert read(file, contract=contract, rate_hz=None).rate_hz == 50


def test_several_streams_of_one_file_by_their_names_each_in_its_unit(tmp_path: Path):
    values = six()
    written = np.hstack([np.deg2rad(values[:, 3:]), values[:, :3]])
    found = read(csv_file(tmp_path, written, SIX), contract=two_streams())
    np.testing.assert_allclose(found.signal, np.hstack([values[:, :3] / 4, values[:, 3:] / 1000]).T, atol=1e-5)
    assert dict(found.understood)["gyroscope columns"] == "gyro_x, gyro_y, gyro_z"
    assert dict(found.understood)["gyroscope unit"] == "rad/s (the file)"
    array = recorded_array(values, two_streams(), 50.0)
    np.testing.assert_allclose(array.signal, found.signal, atol=1e-5)


def test_several_streams_of_the_data_set_s_own_file(tmp_path: Path):
    savemat(tmp_path / "recording.mat", {"d_iner": six()})
    contract = two_streams().model_copy(update={"mat_variable": "d_iner", "mat_columns": tuple(range(6))})
    found = read_recording(tmp_path / "recording.mat", contract)
    np.testing.assert_allclose(found.signal, (six() / [4, 4, 4, 1000, 1000, 1000]).T, atol=1e-6)


def test_several_streams_are_refused_where_a_file_does_not_tell_them_apart(tmp_path: Path):
    contract = two_streams()
    plain = csv_file(tmp_path, six())
    with pytest.raises(DataError, match="has 6 columns, expected 3 columns"):
        read(plain, contract=contract)
    refuses(
        plain, "asks for 6 channels (accelerometer x, ", "3 columns were named", contract=contract, columns=(0, 1, 2)
    )
    refuses(plain, "does not say its unit", "deg/s", contract=contract, columns=tuple(range(6)), unit="g")
    refuses(
        csv_file(tmp_path, six()[:, :3], "x [g],y [g],z [g]\n"),
        "the model asks for deg/s",
        contract=contract,
        unit=None,
    )
    wrong = np.hstack([six()[:, 3:], 9.80665 * six()[:, :3]])
    refuses(csv_file(tmp_path, wrong, SIX.replace("rad", "deg")), "look like m/s^2", contract=contract)
    with pytest.raises(BundleError, match=r"asks for 6 channels .*the array has shape \(60, 3\)"):
        recorded_array(signal(), contract, 50.0)


def test_of_two_sensors_alike_neither_is_guessed(tmp_path: Path):
    """A header that does not name the wrists could be of either."""
    streams = tuple(
        StreamContract(
            stream=f"accelerometer-{side}-wrist", placement=side, unit="g", axes=("x", "y", "z"), range_limit=2
        )
        for side in ("left", "right")
    )
    axes = tuple(f"{s.stream} {axis}" for s in streams for axis in s.axes)
    contract = sensor_contract(stream="both wrists", axes=axes, streams=streams, mat_columns=(), mat_variable="")
    refuses(csv_file(tmp_path, signal(), "x [g],y [g],z [g]\n"), "would be read as several streams", contract=contract)
    both = np.hstack([signal(), signal()[::-1]])
    head = ",".join(f"accelerometer-{side}-wrist {axis} [g]" for side in ("right", "left") for axis in "xyz") + "\n"
    found = read(csv_file(tmp_path, both, head), contract=contract)
    np.testing.assert_allclose(found.signal, both[:, [3, 4, 5, 0, 1, 2]].T, atol=1e-6)


def test_of_a_sensor_that_was_never_calibrated_no_gravity_is_asked_and_its_unit_must_be_said(tmp_path: Path):
    contract = sensor_contract(calibrated=False)
    crooked = signal() - signal().mean(axis=0)
    refuses(csv_file(tmp_path, crooked), "gravity was removed", unit="g")
    np.testing.assert_allclose(
        read(csv_file(tmp_path, crooked), contract=contract, unit="g").signal, crooked.T, atol=1e-6
    )
    refuses(csv_file(tmp_path, crooked), "does not say its unit", contract=contract)


def test_short_gaps_of_a_whole_recording_are_bridged_as_in_training(tmp_path: Path):
    time = np.arange(150) / 50
    values = np.stack([np.sin(time), 0.3 * np.cos(time), 0.9 + 0 * time + 0.05 * np.sin(3 * time)], axis=1)
    kept = np.delete(np.arange(150), np.arange(60, 80))
    path = csv_file(tmp_path, np.column_stack([time, values])[kept], "time (s),x [g],y [g],z [g]\n")
    found = read(path, contract=sensor_contract(min_samples=10, max_samples=1000), rate_hz=None)
    assert found.signal.shape == (3, 150) and found.breaks == ()
    np.testing.assert_allclose(found.signal[:, kept], values[kept].T, atol=1e-5)
    line = np.linspace(values[59], values[80], 22).T
    np.testing.assert_allclose(found.signal[:, 59:81], line, atol=1e-5)
    assert any("a gap of 0.42 s before data row 61, bridged by a straight line" in note for note in found.notes)


def test_a_clock_of_unix_time_is_one_however_unevenly_it_advances(tmp_path: Path):
    """Bluetooth hands samples over in bursts; the last column of Berkeley's files is such a clock."""
    random = np.random.default_rng(0)
    late = np.arange(90) / 31 + random.uniform(0, 0.2, 90) * (random.random(90) < 0.4)
    stamps = 1309539264 + np.maximum.accumulate(late) + 1e-4 * np.arange(90)
    path = csv_file(tmp_path, np.column_stack([signal(90), stamps]))
    found = read(path, contract=sensor_contract(rate_hz=31.0, min_samples=10, max_samples=1000), unit="g", rate_hz=None)
    assert found.signal.shape == (3, 90) and "number 3 is the clock" in dict(found.understood)["columns"]


def test_of_several_streams_clock_gaps_and_notes_are_those_of_the_file(tmp_path: Path):
    values = six()
    time = np.arange(60) / 50 + np.where(np.arange(60) >= 25, 7.0, 0.0)
    sliding = two_streams().model_copy(
        update={"window_mode": "sliding", "window_rate_hz": 50.0, "stride": 8, "min_samples": 1}
    )
    head = "time (s),acc_x [g],acc_y [g],acc_z [g],gyro_x [dps],gyro_y [dps],gyro_z [dps]\n"
    found = read(csv_file(tmp_path, np.column_stack([time, values]), head), contract=sliding, rate_hz=None)
    assert found.breaks == (25,) and found.rate_hz == 50
    assert found.times is not None
    np.testing.assert_allclose(found.times, time, atol=1e-6)
    assert len([note for note in found.notes if "a gap of" in note]) == 1
    assert [what for what, _ in found.understood][:6] == [
        *("read as", "accelerometer columns", "accelerometer unit", "gyroscope columns", "gyroscope unit", "rate"),
    ]
    told = dict(found.understood)
    assert told["accelerometer columns"] == "acc_x, acc_y, acc_z" and told["rate"].startswith("50 Hz (column 'time'")
    np.testing.assert_allclose(found.signal, (values / [4, 4, 4, 1000, 1000, 1000]).T, atol=1e-5)


def test_a_variable_and_a_unit_count_for_all_streams_that_they_fit(tmp_path: Path):
    values = six()
    savemat(tmp_path / "recording.mat", {"first": values, "second": values[:, [3, 4, 5, 0, 1, 2]]})
    contract = two_streams().model_copy(update={"streams": tuple(s for s in two_streams().streams)})
    columns = (3, 4, 5, 0, 1, 2)
    with pytest.raises(BundleError, match="does not say its unit, and the model asks for deg/s"):
        read(tmp_path / "recording.mat", contract=contract, variable="second", columns=columns, unit="g")
    wrists = tuple(
        StreamContract(
            stream=f"accelerometer-{side}", placement=side, unit="g", axes=("x", "y", "z"), range_limit=8, limit=limit
        )
        for side, limit in (("left", 2.0), ("right", 1.0))
    )
    axes = tuple(f"{s.stream} {axis}" for s in wrists for axis in s.axes)
    both = sensor_contract(stream="both", axes=axes, streams=wrists, mat_columns=(), mat_variable="")
    twice = 9.80665 * np.hstack([signal(), signal()[::-1]])
    savemat(tmp_path / "both.mat", {"first": 0 * twice, "second": twice})
    found = read(tmp_path / "both.mat", contract=both, variable="second", columns=columns, unit="m/s^2", rate_hz=50)
    np.testing.assert_allclose(found.signal[:3], signal()[::-1].T / 2, atol=1e-5)
    np.testing.assert_allclose(found.signal[3:], signal().T, atol=1e-5)
    with pytest.raises(BundleError, match="the option says 20 Hz"):
        read(tmp_path / "both.mat", contract=both, variable="second", columns=columns, unit="m/s^2", rate_hz=20)


def test_what_is_told_of_a_file(tmp_path: Path):
    """All of it, in its order."""
    time = np.arange(60) / 100 + np.where(np.arange(60) >= 30, 4.0, 0.0)
    path = csv_file(tmp_path, np.column_stack([time, 1000 * signal()]), "time (s),x (mg),y (mg),z (mg)\n")
    sliding = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=8, min_samples=1)
    found = read(path, contract=sliding, rate_hz=None)
    assert found.understood[:4] == (
        ("read as", "text separated by comma, utf-8"),
        ("columns", "x, y, z"),
        ("unit", "mg (the file)"),
        ("rate", "100 Hz (column 'time', in s)"),
    )
    assert found.notes == (
        "the recording was resampled from 100 to 50 Hz",
        "a gap of 4.01 s before data row 31",
        "the samples were converted from mg to g",
    )
    assert found.times is not None and found.signal.dtype == np.float32
    np.testing.assert_allclose(found.times, time, atol=1e-6)
    plain = read(csv_file(tmp_path, signal()), contract=sliding)
    assert plain.times is None and dict(plain.understood)["unit"] == "g (gravity at rest fits)"
    assert "clock" not in dict(plain.understood)
    even = np.column_stack([np.arange(60) / 100, signal()])
    whole = read(csv_file(tmp_path, even, "time (s),x [g],y [g],z [g]\n"), rate_hz=None)
    assert whole.times is None, "of a whole recording no window asks for its time"


def test_empty_cells_need_a_clock(tmp_path: Path):
    path = tmp_path / "recording.csv"
    rows = [f"{x},{y},{z}" for x, y, z in signal()]
    for lost in (",,", "nan,nan,nan", "0,-,0"):
        path.write_text("x,y,z\n" + "\n".join([*rows[:20], lost, *rows[20:]]))
        with pytest.raises(DataError, match=r"recording\.csv"):
            read(path, unit="g")
    stamped = [f"{20 * n},{row}" for n, row in enumerate(rows)]
    for k in range(1, 60):
        stamped[k] = f"{20 * k},1,,3"
    path.write_text("time_ms,x,y,z\n" + "\n".join(stamped))
    with pytest.raises(DataError, match=r"recording\.csv"):  # one row is left: nothing is left out then
        read(path, unit="g", rate_hz=None)
    stamped[1] = f"20,{rows[1]}"
    path.write_text("time_ms,x,y,z\n" + "\n".join(stamped))
    with pytest.raises(BundleError, match="the recording has 2"):  # of two rows
        read(path, unit="g")


def test_a_matlab_file_is_known_by_its_ending_and_other_columns_are_no_longer_its_own(tmp_path: Path):
    values = np.hstack([signal(), 0.5 * signal()[::-1]])
    savemat(tmp_path / "own.mat", {"d_iner": values})
    (tmp_path / "own.mat").rename(tmp_path / "OWN.MAT")
    own = read(tmp_path / "OWN.MAT", contract=OWN, rate_hz=None)
    assert dict(own.understood)["unit"] == "g (of the data set's own files)"
    assert dict(own.understood)["rate"] == "50 Hz (of the data set's own files)"
    refuses(tmp_path / "OWN.MAT", "does not say its rate", contract=OWN, columns=(2, 1, 0), rate_hz=None)
    other = read(tmp_path / "OWN.MAT", contract=OWN, columns=(2, 1, 0), rate_hz=50.0)
    np.testing.assert_allclose(other.signal, signal()[:, [2, 1, 0]].T, atol=1e-6)
    savemat(tmp_path / "wide.mat", {"d_iner": np.hstack([values, signal()])})
    with pytest.raises(DataError, match="'d_iner' has 9 columns, and 6 of the data set's own files"):
        read(tmp_path / "wide.mat", contract=OWN)
    older = OWN.model_copy(update={"mat_width": None})
    assert read(tmp_path / "wide.mat", contract=older, rate_hz=None).signal.shape == (3, 60)


def test_a_clock_in_the_file_s_own_digits_bridges_at_its_own_period(tmp_path: Path):
    """The rate in messages is rounded; the bridge is not."""
    clock = Clock(33.3, (40,), (0.31,), period_s=0.03003)
    values = np.cumsum(np.ones((2, 100), np.float32), axis=1)
    found = even_signal(values, clock, tmp_path)
    times = np.cumsum(np.where(np.arange(100) == 40, 0.31, 0.03003))
    expected = np.interp(times[0] + 0.03003 * np.arange(found.shape[1]), times, values[0])
    assert found.shape == (2, 109)  # 0.31 s are ten periods, and a bit
    np.testing.assert_allclose(found, np.stack([expected, expected]), atol=0.05)


def test_a_file_of_a_start_time_alone_is_too_short(tmp_path: Path):
    with pytest.raises(VskdError, match=r"recording\.csv"):
        read(csv_file(tmp_path, np.full((1, 3), 1.7e9)), unit="g")
