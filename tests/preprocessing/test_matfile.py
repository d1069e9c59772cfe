"""MATLAB files: what is read, and that every damage is one DataError that names the file."""

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix

from vskd.errors import DataError
from vskd.preprocessing.matfile import mat_shape, read_mat, read_mat_arrays

TABLE = np.random.default_rng(0).normal(size=(40, 6))


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def mat(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "a.mat"
    savemat(path, {"d_iner": TABLE}, do_compression=request.param)
    return path


def test_values_type_and_shape(mat: Path) -> None:
    for variable in ("d_iner", ""):
        array = read_mat(mat, variable)
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, TABLE)
        assert mat_shape(mat, variable) == (40, 6)


def test_integers_keep_their_type(tmp_path: Path) -> None:
    depth = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    savemat(tmp_path / "a.mat", {"d_depth": depth})
    assert read_mat(tmp_path / "a.mat").dtype == np.uint16
    np.testing.assert_array_equal(read_mat(tmp_path / "a.mat"), depth)


@pytest.mark.parametrize("read", [read_mat, mat_shape])
def test_without_the_variable_names_what_there_is(mat: Path, read: object) -> None:
    with pytest.raises(DataError, match=r"a\.mat: has no variable 'd_skel' \(it has: d_iner\)"):
        read(mat, "d_skel")  # type: ignore[operator]


@pytest.mark.parametrize("read", [read_mat, mat_shape])
def test_several_variables_must_be_chosen_from(tmp_path: Path, read: object) -> None:
    savemat(tmp_path / "a.mat", {"first": TABLE, "second": TABLE})
    with pytest.raises(DataError, match="holds several arrays"):
        read(tmp_path / "a.mat")  # type: ignore[operator]


def test_no_variables_at_all(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {})
    with pytest.raises(DataError, match=r"a\.mat"):
        read_mat(tmp_path / "a.mat")


def test_a_variable_that_holds_no_numbers(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"d_iner": {"nested": TABLE}})
    with pytest.raises(DataError, match="not a numeric array"):
        read_mat(tmp_path / "a.mat", "d_iner")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.mat: no such file"):
        read_mat(tmp_path / "a.mat")


def test_v73_says_how_to_save_it(tmp_path: Path) -> None:
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    (tmp_path / "a.mat").write_bytes(header + bytes(2000))
    with pytest.raises(DataError, match="-v7"):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2"])
def test_version_4_says_how_to_save_it(tmp_path: Path, dtype: str) -> None:
    savemat(tmp_path / "a.mat", {"d_iner": TABLE.astype(dtype)}, format="4")
    with pytest.raises(DataError, match=r"a\.mat: a MATLAB v4 file.*-v7"):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.array([[TABLE, 1]], dtype=object), "a cell array"),
        ({"nested": TABLE}, "a struct"),
        ("text", "text"),
        (csc_matrix(TABLE), "a sparse matrix"),
        (TABLE + 1j, "of complex numbers"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_named(tmp_path: Path, value: object, told: str) -> None:
    savemat(tmp_path / "a.mat", {"d_iner": value})
    with pytest.raises(DataError, match=rf"a\.mat: variable 'd_iner' is {told}, not a numeric array"):
        read_mat(tmp_path / "a.mat")


def test_every_truncation_is_a_data_error(mat: Path) -> None:
    content = mat.read_bytes()
    for length in range(0, len(content) - 1, max(1, len(content) // 60)):
        mat.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"a\.mat"):
            read_mat(mat, "d_iner")


def test_altered_bytes_are_read_or_refused_and_nothing_else(mat: Path) -> None:
    content = mat.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        altered = bytearray(content)
        for place in rng.integers(0, min(len(content), 600), size=3):
            altered[place] = rng.integers(256)
        mat.write_bytes(altered)
        try:
            read_mat(mat, "d_iner")
        except DataError as error:
            assert str(mat) in str(error)
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "?"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (7, 2), (3, 4, 5), (0, 3)])
def test_agrees_with_scipy(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).integers(0, 2 if dtype == "?" else 100, size=shape).astype(dtype)
    for compressed in (False, True):
        savemat(tmp_path / "a.mat", {"before": [1.5], "d": values, "text": "abc"}, do_compression=compressed)
        wanted = loadmat(tmp_path / "a.mat")["d"]
        array = read_mat(tmp_path / "a.mat", "d")
        assert array.shape == wanted.shape == mat_shape(tmp_path / "a.mat", "d")
        np.testing.assert_array_equal(array, wanted)
        if array.size:
            assert array.dtype == wanted.dtype


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"d": TABLE + 1j})
    with pytest.raises(DataError, match="not a numeric array"):
        read_mat(tmp_path / "a.mat", "d")


def test_the_real_files_agree_with_scipy(utd_mhad_root: Path) -> None:
    for folder, variable in (("Inertial", "d_iner"), ("Skeleton", "d_skel"), ("Depth", "d_depth")):
        files = sorted((utd_mhad_root / folder).glob("*.mat"))
        for file in files[:: max(1, len(files) // 5)]:
            wanted = loadmat(file)[variable]
            array = read_mat(file, variable)
            assert array.dtype == wanted.dtype
            np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("mopt", "version_4"), [(0, True), (1052, True), (3, False), (60, False), (100, False), (2000, False), (-1, False)]
)
def test_version_4_is_told_by_the_type_of_its_first_matrix(
    tmp_path: Path, order: str, mopt: int, version_4: bool
) -> None:
    """MATLAB's MAT-file format, level 4: thousands 0 or 1 (IEEE), hundreds 0, tens 0 to 5, ones 0 to 2."""
    header = struct.pack(f"{order}5i", mopt, 2, 3, 0, 5) + b"data\0"
    (tmp_path / "a.mat").write_bytes(header + bytes(200))
    with pytest.raises(DataError, match=r"a\.mat: a MATLAB v4 file" if version_4 else "no MATLAB 5 file"):
        read_mat(tmp_path / "a.mat")


@pytest.mark.parametrize("order", ["<", ">"])
def test_files_of_either_order_of_bytes(tmp_path: Path, order: str) -> None:
    """Built by hand: one array of doubles, one of int16, each with a name of up to four letters beside its length."""

    def matrix(name: str, number: int, kind: int, values: np.ndarray) -> bytes:
        data = values.astype(values.dtype.newbyteorder(order)).tobytes(order="F")
        text = struct.pack(f"{order}I", len(name) << 16 | 1) + name.encode().ljust(4, b"\0")
        parts = struct.pack(f"{order}IIII", 6, 8, number, 0) + struct.pack(f"{order}IIii", 5, 8, *values.shape) + text
        parts += struct.pack(f"{order}II", kind, len(data)) + data + b"\0" * (-len(data) % 8)
        return struct.pack(f"{order}II", 14, len(parts)) + parts

    mark = struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")
    floats, whole = np.array([[1.5, -2.0, 3.0], [4.0, 5.0, 1e9]]), np.array([[1, -300, 7]], dtype=np.int16)
    content = b"MATLAB 5.0".ljust(124) + mark + matrix("d", 6, 9, floats) + matrix("abcd", 10, 3, whole)
    (tmp_path / "a.mat").write_bytes(content)
    np.testing.assert_array_equal(read_mat(tmp_path / "a.mat", "d"), floats)
    found = read_mat(tmp_path / "a.mat", "abcd")
    assert found.dtype == np.dtype("=i2") and found.tolist() == whole.tolist()
    assert mat_shape(tmp_path / "a.mat", "abcd") == (1, 3)
    assert list(read_mat_arrays(tmp_path / "a.mat")) == ["d", "abcd"]


def test_all_arrays_of_numbers_by_name_and_nothing_else(tmp_path: Path) -> None:
    content = {"a": TABLE, "text": "words", "nested": {"b": TABLE}, "c": np.arange(3, dtype=np.uint8), "z": TABLE + 1j}
    savemat(tmp_path / "a.mat", content, do_compression=True)
    found = read_mat_arrays(tmp_path / "a.mat")
    assert list(found) == ["a", "c"]
    np.testing.assert_array_equal(found["a"], TABLE)
    assert found["c"].dtype == np.uint8 and found["c"].ravel().tolist() == [0, 1, 2]
    savemat(tmp_path / "long.mat", {"x" * 31: np.ones((300, 300))}, do_compression=True)
    assert mat_shape(tmp_path / "long.mat") == (300, 300)
    (tmp_path / "long.mat").write_bytes((tmp_path / "long.mat").read_bytes()[:-20])
    with pytest.raises(DataError, match=r"long\.mat: not a readable \.mat file"):
        read_mat_arrays(tmp_path / "long.mat")
