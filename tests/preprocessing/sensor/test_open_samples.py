"""Files of every format, opened as columns."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.open_samples import open_samples


@pytest.mark.parametrize(
    ("array", "message"), [(np.zeros(5), r"got shape \(5,\)"), (np.zeros((5, 3), dtype=complex), "not real numbers")]
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, array: npt.NDArray[np.float64], message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=rf"a\.npy: .*{message}"):
        open_samples(tmp_path / "a.npy")


@pytest.mark.parametrize("suffix", [".CSV", ".NPY", ".MAT"])
def test_endings_may_be_in_capitals(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".CSV":
        path.write_text("1,2\n3,4\n", encoding="utf-8")
    elif suffix == ".NPY":
        with path.open("wb") as file:
            np.save(file, np.array([[1.0, 2], [3, 4]]))
    else:
        with path.open("wb") as file:
            savemat(file, {"mine": np.array([[1.0, 2], [3, 4]])})
    assert open_samples(path, "mine" if suffix == ".MAT" else "").numbers(1).tolist() == [2, 4]


def test_a_named_variable_of_a_mat_file_that_is_no_table_is_told_what_it_is(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"deep": np.zeros((2, 2, 3)), "struct": {"x": np.arange(4.0)}, "flat": np.ones((4, 3))})
    assert open_samples(tmp_path / "a.mat", "flat").width == 3
    with pytest.raises(DataError, match=r"a\.mat: expected a table of samples x columns, got shape \(2, 2, 3\)"):
        open_samples(tmp_path / "a.mat", "deep")
    with pytest.raises(DataError, match=r"a\.mat: variable 'struct' is a struct"):
        open_samples(tmp_path / "a.mat", "struct")
