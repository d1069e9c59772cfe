"""Sensor files to signals and windows: every kind of file, every way to be broken, the arithmetic in closed form."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.delimited import read_delimited
from vskd.preprocessing.sensor.signals import (
    check_columns,
    check_signal,
    rate_ratio,
    read_sensor,
    resample_to_length,
    resample_to_rate,
    sliding_windows,
    table_signal,
    window_count,
)

XYZ = ("x", "y", "z")
TABLE = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def write_csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def rows(table: np.ndarray) -> str:
    return "".join(",".join(repr(float(v)) for v in row) + "\n" for row in table)


def test_mat_npy_and_csv_hold_the_same(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"d_iner": TABLE})
    np.save(tmp_path / "a.npy", TABLE)
    write_csv(tmp_path / "a.csv", rows(TABLE))
    for kind in ("mat", "npy", "csv"):
        signal = read_sensor(tmp_path / f"a.{kind}", axes=XYZ)
        assert signal.dtype == np.float32
        assert signal.flags.c_contiguous
        np.testing.assert_array_equal(signal, TABLE.T)


@pytest.mark.parametrize("suffix", [".MAT", ".Npy"])
def test_the_suffix_may_be_in_capitals(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        savemat(file, {"d": TABLE}) if suffix == ".MAT" else np.save(file, TABLE)
    np.testing.assert_array_equal(read_sensor(path, axes=XYZ), TABLE.T)


def test_columns_choose_and_order(tmp_path: Path) -> None:
    table = np.arange(30.0).reshape(5, 6)
    savemat(tmp_path / "a.mat", {"d_iner": table})
    signal = read_sensor(tmp_path / "a.mat", axes=XYZ, variable="d_iner", columns=(5, 3, 4))
    np.testing.assert_array_equal(signal, table[:, [5, 3, 4]].T)


@pytest.mark.parametrize("columns", [3, 4, 6])
def test_another_number_of_columns_is_refused(tmp_path: Path, columns: int) -> None:
    np.save(tmp_path / "a.npy", np.zeros((9, columns)))
    if columns == 3:
        assert read_sensor(tmp_path / "a.npy", axes=XYZ).shape == (3, 9)
        return
    with pytest.raises(DataError, match=rf"a\.npy: has {columns} columns, expected 3 columns \(x, y, z\)"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((9, 4)))
    with pytest.raises(DataError, match="at least 6 columns"):
        read_sensor(tmp_path / "a.npy", axes=XYZ, columns=(3, 4, 5))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_name_axis_and_sample(tmp_path: Path, value: float) -> None:
    table = TABLE.copy()
    table[7, 1] = table[9, 0] = value
    np.save(tmp_path / "a.npy", table)
    with pytest.raises(DataError, match=r"a\.npy: 2 value\(s\) are not finite \(first: axis y, sample 7\)"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)


def test_what_float32_cannot_hold_is_not_finite(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    np.save(tmp_path / "a.npy", np.array([[1.0, 2.0, 3.0], [1.0, 1e300, 3.0]]))
    with pytest.raises(DataError, match="axis y, sample 1"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)
    assert not recwarn.list


@pytest.mark.parametrize("samples", [0, 1])
def test_zero_length_recordings(tmp_path: Path, samples: int) -> None:
    np.save(tmp_path / "a.npy", np.zeros((samples, 3)))
    with pytest.raises(DataError, match=rf"a\.npy: has {samples} sample\(s\)"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)


def test_check_signal_names_a_wrong_shape() -> None:
    with pytest.raises(DataError, match=r"here\.csv: expected 3 channels"):
        check_signal(np.zeros((2, 5), np.float32), XYZ, Path("here.csv"))


def test_missing_file_and_unknown_type(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv: no such file"):
        read_sensor(tmp_path / "a.csv", axes=XYZ)
    with pytest.raises(DataError, match=r"type '\.xlsx'"):
        read_sensor(write_csv(tmp_path / "a.xlsx", rows(TABLE)), axes=XYZ)


def test_pickled_npy_is_refused_unopened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "sprung"),))  # type: ignore[return-value]

    np.save(tmp_path / "a.npy", np.array([Trap(), 1], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "table",
    [np.zeros(5), np.zeros((2, 3, 4)), np.zeros((4, 3), complex), np.array([["a", "b", "c"]] * 4)],
    ids=["1-d", "3-d", "complex", "text"],
)
def test_arrays_that_are_no_table_of_numbers(tmp_path: Path, table: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", table)
    with pytest.raises(DataError, match=r"a\.npy"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04 not really"])
def test_damaged_npy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npy: not a readable"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)


@pytest.mark.parametrize(
    "header",
    ["", "x,y,z\n", "# rate 50 Hz\nx,y,z\n", "\ufeffx,y,z\n", "X , Y , Z\n"],
    ids=["none", "plain", "comment", "byte order mark", "spaces"],
)
def test_csv_headers(tmp_path: Path, header: str) -> None:
    path = write_csv(tmp_path / "a.csv", header + rows(TABLE))
    np.testing.assert_array_equal(read_sensor(path, axes=XYZ), TABLE.T)


@pytest.mark.parametrize("name", ["time", "Timestamp", " t ", "seconds"])
def test_csv_time_column_is_left_out(tmp_path: Path, name: str) -> None:
    timed = np.column_stack([np.arange(len(TABLE)) / 50, TABLE])
    path = write_csv(tmp_path / "a.csv", f"{name},x,y,z\n" + rows(timed))
    np.testing.assert_array_equal(read_sensor(path, axes=XYZ), TABLE.T)
    # nothing says that the first of four nameless columns is the time
    with pytest.raises(DataError, match="has 4 columns"):
        read_sensor(write_csv(tmp_path / "b.csv", rows(timed)), axes=XYZ)


@pytest.mark.parametrize(
    ("row", "told"),
    [("1,2,three", "three"), ("1,2", "2 cells"), ("5", "1 cells"), ("1,2,3,4", "4 cells"), ("1,,3", "''")],
)
def test_csv_bad_row_is_named(tmp_path: Path, row: str, told: str) -> None:
    path = write_csv(tmp_path / "a.csv", f"x,y,z\n1,2,3\n{row}\n4,5,6\n")
    with pytest.raises(DataError, match=r"a\.csv: data row 2 ") as caught:
        read_sensor(path, axes=XYZ)
    assert told in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a remark\n", "x,y,z\n"])
def test_csv_without_rows(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"a\.csv"):
        read_sensor(write_csv(tmp_path / "a.csv", text), axes=XYZ)


def test_csv_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DataError, match=r"a\.csv: not a readable"):
        read_sensor(tmp_path / "a.csv", axes=XYZ)


@pytest.mark.parametrize(("samples", "length"), [(2, 128), (50, 128), (128, 128), (300, 128), (127, 2), (7, 3)])
def test_resample_to_length_is_numpy_interp(samples: int, length: int) -> None:
    signal = np.random.default_rng(samples).normal(size=(3, samples)).astype(np.float32)
    resampled = resample_to_length(signal, length)
    assert resampled.dtype == np.float32
    positions = np.linspace(0, samples - 1, length)
    wanted = [np.interp(positions, np.arange(samples), axis) for axis in signal]
    np.testing.assert_allclose(resampled, wanted, atol=1e-6)
    np.testing.assert_array_equal(resampled[:, [0, -1]], signal[:, [0, -1]])


@pytest.mark.parametrize("new", [20.0, 25.0, 100.0, 31.25])
def test_resample_to_rate_keeps_a_slow_sine(new: float) -> None:
    """3 Hz, far below half of every rate: only its sampling changes, away from the filter's ends."""
    signal = np.sin(2 * np.pi * 3 * np.arange(200) / 50)[np.newaxis].astype(np.float32)
    resampled = resample_to_rate(signal, 50.0, new)
    assert resampled.dtype == np.float32
    assert abs(resampled.shape[1] - 200 * new / 50) <= 1
    wanted = np.sin(2 * np.pi * 3 * np.arange(resampled.shape[1]) / new)
    middle = slice(resampled.shape[1] // 5, -resampled.shape[1] // 5)
    np.testing.assert_allclose(resampled[0, middle], wanted[middle], atol=0.02)


@pytest.mark.parametrize("new", [20.0, 31.25, 100.0])
def test_resample_to_rate_keeps_a_ramp_up_to_both_ends(new: float) -> None:
    """Gravity on an axis and a slow turn of the arm: beyond the ends the signal goes on as a line, not as zero."""
    signal = (1 + np.linspace(0, 0.5, 100))[np.newaxis].astype(np.float32)
    resampled = resample_to_rate(signal, 50.0, new)
    wanted = 1 + 0.5 / 99 * np.arange(resampled.shape[1]) * 50 / new
    np.testing.assert_allclose(resampled[0], wanted, atol=2e-3)


def test_resample_to_rate_removes_what_the_new_rate_cannot_hold() -> None:
    """18 Hz at 25 Hz would appear as 7 Hz."""
    signal = np.sin(2 * np.pi * 18 * np.arange(400) / 50)[np.newaxis].astype(np.float32)
    assert np.abs(resample_to_rate(signal, 50.0, 25.0)[0, 40:-40]).max() < 0.05
    assert np.abs(signal[0, ::2]).max() > 0.9


def test_resample_to_the_same_rate_changes_nothing() -> None:
    assert np.array_equal(resample_to_rate(TABLE.T, 50.0, 50.0), TABLE.T)


@pytest.mark.parametrize(("old", "new"), [(0.0, 50.0), (50.0, 0.0), (50.0, -1.0)])
def test_rates_that_are_none(old: float, new: float) -> None:
    with pytest.raises(DataError, match="Cannot resample"):
        resample_to_rate(TABLE.T, old, new)


@pytest.mark.parametrize(("samples", "length", "stride"), [(20, 8, 4), (20, 8, 8), (21, 8, 1), (8, 8, 3), (20, 6, 30)])
def test_sliding_windows_against_slices(samples: int, length: int, stride: int) -> None:
    signal = np.random.default_rng(1).normal(size=(3, samples)).astype(np.float32)
    wanted = [signal[:, i : i + length] for i in range(0, samples - length + 1, stride)]
    windows = sliding_windows(signal, length, stride)
    np.testing.assert_array_equal(windows, wanted)
    windows[:] = 0  # a copy: overlapping windows do not share memory
    assert signal.any()


def test_a_signal_shorter_than_a_window_gives_none() -> None:
    assert sliding_windows(np.zeros((3, 7), np.float32), 8, 1).shape == (0, 3, 8)


def test_a_real_recording(utd_mhad_root: Path) -> None:
    """At rest the wrist feels about 1 g, and the columns after the third are the gyroscope's."""
    path = utd_mhad_root / "Inertial" / "a1_s1_t1_inertial.mat"
    acceleration = read_sensor(path, axes=XYZ, variable="d_iner", columns=(0, 1, 2))
    assert acceleration.shape[0] == 3 and acceleration.shape[1] > 100
    assert 0.9 < np.median(np.linalg.norm(acceleration, axis=0)) < 1.2
    gyroscope = read_sensor(path, axes=XYZ, variable="d_iner", columns=(3, 4, 5))
    assert np.abs(gyroscope).max() > 20


@pytest.mark.parametrize(
    "header",
    [b"{'descr': '<f8', 'shape': (", b"{'descr': '<f8'", b"{'descr': '<f8', 'fortran_order': 0 0}", b"\xff" * 20],
)
def test_a_damaged_npy_header_is_one_clear_error(tmp_path: Path, header: bytes) -> None:
    text = header.ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(96))
    with pytest.raises(DataError, match=r"a\.npy: not a readable"):
        read_sensor(tmp_path / "a.npy", axes=XYZ)


def test_a_csv_is_read_by_its_names(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", "t,accY,accX,accZ\n" + rows(np.column_stack([TABLE[:, 0], TABLE[:, [1, 0, 2]]]))
    )
    np.testing.assert_array_equal(read_sensor(path, axes=XYZ), TABLE.T)
    np.testing.assert_array_equal(read_sensor(path, axes=XYZ, columns=(1, 2, 3)), TABLE[:, [1, 0, 2]].T)
    with pytest.raises(DataError, match=r"a\.csv: .*accelerometer, not gyroscope"):
        read_sensor(path, axes=XYZ, stream="gyroscope")


def test_a_column_named_twice(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", TABLE)
    with pytest.raises(DataError, match="named twice: 0, 0, 1"):
        read_sensor(tmp_path / "a.npy", axes=XYZ, columns=(0, 0, 1))


def test_what_is_told_of_a_table_reaches_it(tmp_path: Path) -> None:
    """The array by name, the stream by the names of columns, and how a wrong table is told."""
    savemat(tmp_path / "a.mat", {"other": np.ones((5, 3)), "mine": TABLE})
    np.testing.assert_array_equal(read_sensor(tmp_path / "a.mat", axes=XYZ, variable="mine"), TABLE.T)
    named = read_delimited(write_csv(tmp_path / "a.csv", "ax,ay,az,gx,gy,gz\n" + rows(np.hstack([TABLE, -TABLE]))))
    np.testing.assert_array_equal(table_signal(named, XYZ, stream="gyroscope"), -TABLE.T)
    np.testing.assert_array_equal(read_sensor(named.path, axes=XYZ), TABLE.T)
    np.testing.assert_array_equal(table_signal(named, XYZ, (5, 4, 3)), -TABLE.T[::-1])
    with pytest.raises(DataError, match=r"a\.csv: .*Call the columns x, y, z"):
        table_signal(named, XYZ, stream="magnetometer")


@pytest.mark.parametrize(
    ("width", "columns", "wanted"), [(3, (), (0, 1, 2)), (9, (2, 0, 8), (2, 0, 8)), (9, (2, 0, 9), None), (2, (), None)]
)
def test_columns_that_are_there(width: int, columns: tuple[int, ...], wanted: tuple[int, ...] | None) -> None:
    if wanted is not None:
        assert check_columns(width, XYZ, columns, "a") == wanted
    else:
        need = "at least 10 columns" if columns else r"3 columns \(x, y, z\)"
        with pytest.raises(DataError, match=f"a: has {width} columns, expected {need}"):
            check_columns(width, XYZ, columns, "a")


@pytest.mark.parametrize(
    ("rates", "ratio"),
    [
        ((50.0, 40.0), (4, 5)),
        ((50.0, 50.0), (1, 1)),
        ((100.1, 100.0), (1000, 1001)),
        ((100.0, 99.9), (999, 1000)),
        ((31.047618, 30.0), (315, 326)),
        ((0.001, 50.0), (50000, 1)),
        ((50.0, 0.001), (1, 50000)),
    ],
)
def test_the_ratio_of_two_rates_is_exact_or_near(rates: tuple[float, float], ratio: tuple[int, int]) -> None:
    """Numbers up to 1000, where three decimals of each rate need no larger ones."""
    up, down = rate_ratio(*rates)
    assert up / down == pytest.approx(rates[1] / rates[0], rel=1e-3) or max(ratio) == 50000
    if max(ratio) <= 1000:
        assert (up, down) == ratio


def test_rates_of_a_thousandth_are_the_lowest() -> None:
    for rates in ((0.0009, 50.0), (50.0, 0.0009)):
        with pytest.raises(DataError, match="Cannot resample"):
            rate_ratio(*rates)


@pytest.mark.parametrize("samples", [*range(1, 25)])
def test_as_many_windows_as_are_cut(samples: int) -> None:
    for length, stride in ((8, 4), (8, 8), (5, 7), (1, 1)):
        cut = sliding_windows(np.zeros((2, samples), np.float32), length, stride)
        assert window_count(samples, length, stride) == len(cut)


def test_windows_lie_one_behind_the_other_in_memory() -> None:
    windows = sliding_windows(np.arange(60, dtype=np.float32).reshape(3, 20), 8, 4)
    assert windows.flags.c_contiguous and windows.dtype == np.float32
