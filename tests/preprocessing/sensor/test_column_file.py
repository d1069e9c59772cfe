"""Columns by name from every kind of file: the same numbers, names and clocks as were written."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.sensor import column_file
from vskd.preprocessing.sensor.column_file import read_columns
from vskd.preprocessing.sensor.open_samples import open_samples
from vskd.preprocessing.sensor.samples import ArraySamples

ROWS = np.random.default_rng(0).normal(size=(40, 3))
CLOCK = 20 * np.arange(40)


def write(path: Path, **arrays: np.ndarray) -> Path:
    """Named arrays in the format of the file's name."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".mat":
        savemat(path, arrays)
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
    return path


@pytest.mark.parametrize("name", ["a.npz", "a.mat", "a.h5", "a.hdf5"])
def test_arrays_of_equally_many_rows_are_columns_by_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, t=CLOCK, acc=ROWS, fs=np.array([50.0]))
    samples = read_columns(path)
    names = {label: k for k, label in enumerate(samples.names)}
    assert set(names) == {"t", "acc[0]", "acc[1]", "acc[2]"}
    for k in range(3):
        np.testing.assert_array_equal(samples.numbers(names[f"acc[{k}]"]), ROWS[:, k])
    stamps = samples.stamps(names["t"], 1e-3)
    assert stamps is not None
    np.testing.assert_allclose(stamps[0], CLOCK / 1000)
    assert samples.cells(names["t"])[:2] == ["0", "20"] and samples.first(names["t"]) == "0"
    assert open_samples(path) is samples  # read once


@pytest.mark.parametrize("name", ["a.npz", "a.mat", "a.h5"])
def test_one_array_is_named_and_has_no_names_for_its_columns(tmp_path: Path, name: str) -> None:
    samples = read_columns(write(tmp_path / name, acc=ROWS, gyr=ROWS[:20]), "acc")
    assert isinstance(samples, ArraySamples) and samples.names == ()
    np.testing.assert_array_equal(samples.array, ROWS)


@pytest.mark.parametrize("name", ["a.npz", "a.mat", "a.h5"])
def test_what_cannot_be_told_or_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, acc=ROWS, gyr=ROWS[:20])
    with pytest.raises(DataError, match=r"differ in length: acc \(40, 3\), gyr \(20, 3\).*--variable"):
        read_columns(path)
    with pytest.raises(DataError, match=r"holds no 'akk', did you mean 'acc'\?|holds no 'akk'.*acc"):
        read_columns(path, "akk")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="not a readable"):
        read_columns(path)
    with pytest.raises(DataError, match="no such file"):
        read_columns(tmp_path / f"b{path.suffix}")


def test_groups_units_and_records_of_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["imu/acc"], file["imu/t"], file["far/away/gyr"] = ROWS, CLOCK, ROWS[:7]
        file["imu/acc"].attrs["units"] = "m/s^2"
        file["imu"]["what"] = ["walk"] * 40
        file["table"] = np.zeros(5, dtype=[("ms", "i8"), ("x", "f4")])
    samples = read_columns(tmp_path / "a.h5", "imu")
    assert samples.names == ("acc[0]", "acc[1]", "acc[2]", "t", "what")
    assert samples.units == ("m/s^2", "m/s^2", "m/s^2", "", "")
    assert samples.cells(4)[:2] == ["walk", "walk"]
    with pytest.raises(DataError, match="'what' holds text, not numbers"):
        samples.numbers(4)
    assert read_columns(tmp_path / "a.h5", "table").names == ("ms", "x")
    assert read_columns(tmp_path / "a.h5", "imu/acc").units == ("m/s^2",) * 3
    with pytest.raises(DataError, match="differ in length: far/away/gyr"):
        read_columns(tmp_path / "a.h5")


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", acc=np.array([{"x": 1}, None], dtype=object))
    with pytest.raises(DataError, match="allow_pickle=False"):
        read_columns(tmp_path / "a.npz")


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    import pyarrow.parquet as pq

    start = datetime(2024, 3, 1, 10, tzinfo=UTC)
    times = [start + timedelta(milliseconds=20 * n) for n in range(40)]
    values = [None if n == 3 else float(row[0]) for n, row in enumerate(ROWS)]
    zoned, local = pa.array(times, pa.timestamp("us", tz="Europe/Berlin")), pa.array(times, pa.timestamp("ms"))
    table = pa.table({"utc": zoned, "here": local, "x": values, "who": ["p1"] * 40})
    pq.write_table(table, tmp_path / "a.parquet")
    samples = read_columns(tmp_path / "a.parquet")
    assert samples.names == ("utc", "here", "x", "who") and samples.units == ("ns", "", "", "")
    assert samples.first(0) == str(int(start.timestamp()) * 10**9) and samples.first(1).startswith(
        "2024-03-01T10:00:00"
    )
    for column, said in ((0, "in ns"), (1, "dates and times")):
        stamps = samples.stamps(column)
        assert stamps is not None and stamps[1] == said
        np.testing.assert_allclose(stamps[0], CLOCK / 1000, atol=1e-9)
    x = samples.numbers(2)
    assert np.isnan(x[3]) and np.array_equal(np.delete(x, 3), np.delete(ROWS[:, 0], 3))
    assert samples.cells(2)[3] == "" and samples.cells(3)[0] == "p1"
    with pytest.raises(DataError, match="'here' holds moments, not numbers"):
        samples.numbers(1)
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(DataError, match=r"b\.parquet: not a readable \.parquet file"):
        read_columns(tmp_path / "b.parquet")


@pytest.mark.parametrize(("name", "package", "extra"), [("a.parquet", "pyarrow", "parquet"), ("a.h5", "h5py", "train")])
def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*vskd\[{extra}\]"):
        read_columns(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npz", "a.mat", "a.h5", "a.parquet"])
def test_a_broken_file_is_refused_by_name_or_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".parquet":
        pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"t": CLOCK, "x": ROWS[:, 0]}), path)
    else:
        write(path, t=CLOCK, acc=ROWS)
    whole, random, refused = path.read_bytes(), np.random.default_rng(1), 0
    for number in range(60):
        content = bytearray(whole[: random.integers(0, len(whole))] if number % 3 == 0 else whole)
        for place in random.integers(0, max(1, len(content)), 4 * (number % 3 > 0)):
            content[place] = random.integers(0, 256)
        path.write_bytes(bytes(content))
        try:
            read_columns(path)
        except DataError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 10


def test_all_that_is_read_by_columns_is_listed() -> None:
    assert {".parquet", ".npz", ".h5", ".mat"} <= column_file.COLUMN_FILES


def test_of_several_words_for_the_unit_the_usual_one_counts(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, attributes in (("a", {"unit": "mg", "units": "g"}), ("b", {"unit": "mg"}), ("c", {"units": 7})):
            file[name] = ROWS[:, 0]
            file[name].attrs.update(attributes)
    assert read_columns(tmp_path / "a.h5").units == ("mg", "mg", "")


def test_what_is_no_column_is_left_out(tmp_path: Path) -> None:
    """Single numbers, boxes and complex numbers; a table of text has columns, though it is the only one."""
    path = write(tmp_path / "a.npz", x=CLOCK, one=np.ones(1), box=np.ones((40, 2, 2)), z=np.ones(40, complex))
    samples = read_columns(path)
    assert samples.names == ("x",) and samples.kind == "1 columns of .npz"
    with pytest.raises(DataError, match="holds no array of numbers of one or two dimensions"):
        read_columns(write(tmp_path / "b.npz", one=np.ones(1), box=np.ones((40, 2, 2))))
    words = read_columns(write(tmp_path / "c.npz", what=np.array([["walk", "p1"], ["run", "p2"]])))
    assert words.names == ("what[0]", "what[1]") and words.cells(1) == ["p1", "p2"]
    flags = read_columns(write(tmp_path / "d.npz", flags=np.array([[True, False], [False, True]])))
    assert isinstance(flags, ArraySamples) and flags.kind == "array 'flags'" and flags.units == ()


def test_rows_and_columns_of_matlab_are_columns_unless_alone(tmp_path: Path) -> None:
    samples = read_columns(write(tmp_path / "a.mat", row=CLOCK[None], column=CLOCK[:, None], rate=np.array([[50.0]])))
    assert samples.names == ("row", "column") and samples.units == ("", "")
    assert samples.numbers(0).tolist() == samples.numbers(1).tolist() == CLOCK.tolist()
    alone = read_columns(write(tmp_path / "b.mat", column=CLOCK[:, None]))
    assert isinstance(alone, ArraySamples) and alone.array.shape == (40, 1)


def test_of_many_names_eight_are_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", **{f"v{n}": np.ones(n + 2) for n in range(9)})
    with pytest.raises(DataError, match=r"v0 \(2,\), .*v7 \(9,\)(, \.\.\.| and 1 more)") as caught:
        read_columns(path)
    assert "v8" not in caught.value.problem
    with pytest.raises(DataError, match=r"\(it has: v0, v1, v2, v3, v4, v5, v6, v7(, \.\.\.| and 1 more)"):
        read_columns(path, "accelerometer")


@pytest.mark.parametrize("name", ["a.npz", "a.mat", "a.h5"])
def test_a_file_that_changed_is_read_again(tmp_path: Path, name: str) -> None:
    first = read_columns(write(tmp_path / name, x=CLOCK, y=CLOCK))
    assert read_columns(tmp_path / name) is first
    second = read_columns(write(tmp_path / name, x=CLOCK + 1, y=CLOCK))
    assert second.numbers(second.names.index("x")).tolist() == (CLOCK + 1).tolist()


def test_the_last_two_files_are_remembered(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, x=CLOCK, y=CLOCK) for name in ("a.npz", "b.npz", "c.npz")]
    first, second = map(read_columns, paths[:2])
    assert read_columns(paths[0]) is first and read_columns(paths[1]) is second
    third = read_columns(paths[2])
    assert read_columns(paths[1]) is second and read_columns(paths[2]) is third
    assert read_columns(paths[0]) is not first


def test_of_hdf5_one_data_set_or_what_lies_below_a_group(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["imu/acc"], file["imu/deep/t"] = ROWS, CLOCK
    assert read_columns(tmp_path / "a.h5").names == ("imu/acc[0]", "imu/acc[1]", "imu/acc[2]", "imu/deep/t")
    assert read_columns(tmp_path / "a.h5", "imu").names == ("acc[0]", "acc[1]", "acc[2]", "deep/t")
    alone = read_columns(tmp_path / "a.h5", "imu/acc")
    assert isinstance(alone, ArraySamples) and alone.kind == "array 'imu/acc'"
    with pytest.raises(DataError, match=r"holds no 'imu/gyr', .*imu/acc"):
        read_columns(tmp_path / "a.h5", "imu/gyr")


def test_an_empty_parquet_and_one_with_missing_moments(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": pa.array([], pa.float64())}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: is empty"):
        read_columns(tmp_path / "a.parquet")
    moments = pa.array([datetime(2024, 3, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"t": moments, "n": [1, 2]}), tmp_path / "b.parquet")
    samples = read_columns(tmp_path / "b.parquet")
    assert samples.stamps(0) is None and samples.kind == "2 columns of .parquet"


@pytest.mark.parametrize("name", ["a.npz", "a.mat"])
def test_what_there_is_is_named_in_its_order(tmp_path: Path, name: str) -> None:
    arrays = {key: np.ones(rows) for key, rows in (("z", 2), ("y", 3), ("x", 4), ("b", 5), ("a", 6))}
    path = write(tmp_path / name, **arrays)
    with pytest.raises(DataError, match=r"differ in length: a \(6,\), b \(5,\), x \(4,\), y \(3,\), z \(2,\)"):
        read_columns(path)
    with pytest.raises(DataError, match=r"it has: a, b, x, y, z\)|valid names: a, b, x, y, z"):
        read_columns(path, "gyroscope")


def test_a_unit_that_is_no_text_is_none(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"], file["b"] = ROWS[:, 0], ROWS[:, 1]
        file["a"].attrs.update({"unit": 7, "units": "g"})
        file["b"].attrs.update({"unit": "g", "units": 7})
    assert read_columns(tmp_path / "a.h5").units == ("", "g")


def test_how_names_of_these_files_end() -> None:
    assert {".parquet", ".npz", ".mat", ".h5", ".hdf5"} == column_file.COLUMN_FILES
