"""A recording against the contract: every refusal says what is asked and what was found."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tests.export.conftest import sensor_contract
from vskd.bundle.contract import SensorContract, StreamContract
from vskd.bundle.sensor_file import Recorded, read_recording, recorded_array
from vskd.errors import BundleError, DataError, VskdError
from vskd.preprocessing.sensor.sensor_range import estimate_range


def signal(samples: int = 60, scale: float = 1.0, channels: int = 3) -> np.ndarray:
    """(samples, channels) of a turning sensor, about 1 g long."""
    time = np.linspace(0, 3, samples)[:, None]
    return (scale * 0.8 * np.sin(time + np.arange(channels))).astype(np.float32)


def csv_file(tmp_path: Path, values: np.ndarray, head: str = "") -> Path:
    path = tmp_path / "recording.csv"
    path.write_text(head + "\n".join(",".join(f"{v:.6f}" for v in row) for row in values) + "\n")
    return path


def read(path: Path, **options: object) -> Recorded:
    contract = options.pop("contract", sensor_contract())
    return read_recording(path, contract, **{"rate_hz": 50.0, **options})


def refuses(path: Path, *parts: str, **options: object) -> None:
    with pytest.raises(BundleError) as caught:
        read(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value)


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


def test_a_rate_that_nobody_says_is_asked_for(tmp_path: Path):
    refuses(csv_file(tmp_path, signal()), "does not say its rate", "50 Hz", "--rate", rate_hz=None)
    said = read(csv_file(tmp_path, signal(), "# rate_hz: 50\n"), rate_hz=None)
    assert said.rate_hz == 50 and dict(said.understood)["rate"] == "50 Hz (the file)"


def test_a_unit_is_assumed_only_where_gravity_fits_and_that_is_said(tmp_path: Path):
    path = csv_file(tmp_path, signal())
    assert "g is assumed, which gravity fits" in " ".join(read(path).notes)
    assert read(path, unit="g").notes == ()
    assert read(csv_file(tmp_path, signal(), "# rate_hz: 50\n# unit: g\n"), rate_hz=None).notes == ()
    turning = sensor_contract(stream="gyroscope", unit="deg/s", range_limit=1000.0)
    refuses(csv_file(tmp_path, signal()), "does not say its unit", "deg/s", "--unit", contract=turning)


@pytest.mark.parametrize("rate", [48.6, 49.0, 51.0, 51.4])
def test_a_clock_that_is_a_little_off_is_accepted(tmp_path: Path, rate: float):
    assert read(csv_file(tmp_path, signal()), rate_hz=rate).rate_hz == rate


@pytest.mark.parametrize("rate", [24.9, 0.0, -50.0, float("nan"), float("inf")])
def test_wrong_rate_by_option(tmp_path: Path, rate: float):
    refuses(csv_file(tmp_path, signal()), "asks for 50 Hz", f"{rate:g} Hz", rate_hz=rate)


@pytest.mark.parametrize(("rate", "lost"), [(104.0, ""), (100.0, ""), (52.0, ""), (48.0, "24"), (25.0, "12.5")])
def test_another_rate_is_converted_and_said(tmp_path: Path, rate: float, lost: str):
    recorded = read(csv_file(tmp_path, signal()), rate_hz=rate, unit="g")
    more = f"; it cannot hold what is faster than {lost} Hz" if lost else ""
    assert recorded.rate_hz == rate
    assert recorded.notes == (f"the recording was resampled from {rate:g} to 50 Hz{more}",)


def test_a_rate_declared_by_the_file_is_not_overridden(tmp_path: Path):
    path = csv_file(tmp_path, signal(), "# rate_hz: 100\n")
    assert read(path, rate_hz=None).rate_hz == 100
    refuses(path, "the option says 50 Hz, the file says 100 Hz", rate_hz=50)


def test_the_rate_of_its_time_column_counts(tmp_path: Path):
    values = np.column_stack([np.arange(60) / 30, signal()])
    recorded = read(csv_file(tmp_path, values, "t,x,y,z\n"), rate_hz=None)
    assert recorded.rate_hz == 30 and "resampled from 30 to 50 Hz" in " ".join(recorded.notes)
    refuses(csv_file(tmp_path, values, "t,x,y,z\n"), "the option says 50 Hz, the file's clock", "30 Hz", rate_hz=50)


def test_rows_with_empty_cells_are_gaps_in_time_as_in_training(tmp_path: Path):
    rows = [f"{20 * n},{x},{y},{z}" for n, (x, y, z) in enumerate(signal(100))]
    rows[40:50] = [f"{20 * n},,," for n in range(40, 50)]
    path = tmp_path / "recording.csv"
    path.write_text("time_ms,x,y,z\n" + "\n".join(rows))
    sliding = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    recorded = read_recording(path, sliding, unit="g")
    assert recorded.signal.shape == (3, 90) and recorded.breaks == (40,)
    assert "10 rows with empty cells are left out" in recorded.notes
    assert recorded.times is not None
    np.testing.assert_allclose(recorded.times[[0, 39, 40]], [0, 0.78, 1.0], atol=1e-6)


def test_time_column_and_order_of_columns(tmp_path: Path):
    values = signal()
    columns = np.column_stack([np.arange(60) / 50, values[:, 2], values[:, 0], values[:, 1]])
    recorded = read(csv_file(tmp_path, columns, "t,z,x,y\n"), unit="g", rate_hz=None)
    np.testing.assert_allclose(recorded.signal, values.T, atol=1e-6)
    assert recorded.notes == ()


@pytest.mark.parametrize("unit", ["m/s^2", "m/s2", "deg/s", "furlong"])
def test_wrong_unit_by_option(tmp_path: Path, unit: str):
    refuses(csv_file(tmp_path, signal()), "asks for g", unit, unit=unit)


def test_a_unit_declared_by_the_file_is_converted(tmp_path: Path):
    for head, factor in (
        ("x [m/s^2],y [m/s^2],z [m/s^2]\n", 9.80665),
        ("# unit: m/s^2 (SI)\n", 9.80665),
        ("x (mg),y (mg),z (mg)\n", 1000.0),
        ("# unit: 1/64 g\n", 64.0),
    ):
        recorded = read(csv_file(tmp_path, factor * signal(), head))
        np.testing.assert_allclose(recorded.signal, signal().T, atol=1e-5)
        assert any("converted from" in note for note in recorded.notes)


@pytest.mark.parametrize("unit", ["deg/s", "furlong"])
def test_a_declared_unit_of_something_else_is_refused(tmp_path: Path, unit: str):
    refuses(csv_file(tmp_path, signal(), f"x [{unit}],y [{unit}],z [{unit}]\n"), "asks for g", unit)


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


@pytest.mark.parametrize(
    "remark", ["# rate_hz: 100 Hz", "# Sampling rate: 0.1 kHz", "# fs = 100", "# rate: 100 (nominal)"]
)
def test_a_rate_in_a_remark(tmp_path: Path, remark: str):
    assert read(csv_file(tmp_path, signal(), remark + "\n"), rate_hz=None).rate_hz == 100


@pytest.mark.parametrize("rate", ["fast", "0", "-50", "nan", "inf", "50 furlongs"])
def test_a_remark_of_no_rate_is_refused(tmp_path: Path, rate: str):
    with pytest.raises(DataError, match=r"recording\.csv: rate_hz is .*no positive number"):
        read(csv_file(tmp_path, signal(), f"# rate_hz: {rate}\n"))


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


def two_streams() -> SensorContract:
    """An accelerometer in g and a gyroscope in deg/s, divided by 4 and 1000."""
    streams = (
        StreamContract(
            stream="accelerometer", placement="wrist", unit="g", axes=("x", "y", "z"), range_limit=8, limit=4
        ),
        StreamContract(
            stream="gyroscope", placement="wrist", unit="deg/s", axes=("x", "y", "z"), range_limit=1000, limit=1000
        ),
    )
    axes = tuple(f"{s.stream} {axis}" for s in streams for axis in s.axes)
    return sensor_contract(
        stream="accelerometer + gyroscope",
        unit="g + deg/s",
        axes=axes,
        streams=streams,
        mat_columns=(),
        mat_variable="",
    )


def six() -> np.ndarray:
    return np.hstack([signal(), 200 * signal()[:, ::-1]])


SIX = "gyro_x [rad/s],gyro_y [rad/s],gyro_z [rad/s],acc_x [g],acc_y [g],acc_z [g]\n"


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


@pytest.mark.parametrize(
    ("change", "told"), [(lambda v: 0 * v, "dead sensor"), (lambda v: v * [1, 0, 1] + [0, 0.2, 0], "y")]
)
def test_an_array_of_a_sensor_that_stands_still_is_refused(change: Callable[[np.ndarray], np.ndarray], told: str):
    with pytest.raises(BundleError, match="the array: .*" + told):
        recorded_array(change(signal()), sensor_contract(), 50.0)
