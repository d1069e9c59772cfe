"""Files that hold columns by name: .parquet, .npz, .h5, and .mat with several arrays.

Arrays of an .npz, .mat or .h5 file that have equally many rows are columns beside each other: one of a single dimension
is called by its name, the columns of one of two are `accel[0]`, `accel[1]` and so on, since nobody says what they are.
Of an .h5 file the names are paths. A file whose arrays differ in length needs the name of one, or of a group.
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vskd.errors import DataError, MissingExtraError, first_few, nearest
from vskd.preprocessing.matfile import read_mat_arrays
from vskd.preprocessing.sensor.samples import ArraySamples, ColumnSamples, Numbers

if TYPE_CHECKING:
    import h5py

HDF5 = frozenset({".h5", ".hdf5"})
COLUMN_FILES = frozenset({".parquet", ".npz", ".mat"}) | HDF5
"""How names of these files end, in small letters."""
FILES_KEPT = 2
_KINDS = "fiubMUO"
"""Types of numpy that a column may have: numbers, moments, text. A single number is no column."""
_DAMAGE = (OSError, ValueError, TypeError, KeyError, RuntimeError, OverflowError, MemoryError)
"""What readers raise of broken files."""
_UNITS = ("unit", "units")
"""Attributes of an HDF5 data set that say its unit."""


def read_columns(path: Path, variable: str = "") -> ColumnSamples | ArraySamples:
    """Read a file of columns.

    Args:
        path: one of `COLUMN_FILES`.
        variable: name of an array of an .npz or .mat file, path of a data set or group of an .h5 file; empty: all.

    Returns:
        Columns by name; of a single array of two dimensions, which has no names, an `ArraySamples`.

    Raises:
        DataError: missing, damaged, without the variable, or with arrays of different lengths.
        MissingExtraError: pyarrow (.parquet) or h5py (.h5) is not installed.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path}: no such file", "Check the path") from error
    return _read(path, variable, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=FILES_KEPT)
def _read(path: Path, variable: str, state: tuple[int, ...]) -> ColumnSamples | ArraySamples:
    """`state` is that of the file, by which the memory knows that it did not change."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _read_parquet(path)
    arrays, units = _read_hdf5(path, variable) if kind in HDF5 else (_ARRAYS[kind](path), {})
    if variable and kind not in HDF5:
        if variable not in arrays:
            raise _no_variable(path, variable, arrays)
        arrays = {variable: arrays[variable]}
    return _beside_each_other(path, arrays, units)


def _no_variable(path: Path, variable: str, there: Mapping[str, Any]) -> DataError:
    known = first_few(sorted(there), 8, ", ") or "nothing"
    return DataError(
        f"{path}: holds no '{variable}', {nearest(variable, list(there))} (it has: {known})", "Correct --variable"
    )


def _beside_each_other(
    path: Path, arrays: Mapping[str, Numbers], units: Mapping[str, str]
) -> ColumnSamples | ArraySamples:
    """Arrays of equally many rows as columns."""
    tables = {n: a for n, a in arrays.items() if a.ndim in (1, 2) and a.dtype.kind in _KINDS and a.size > 1}
    if not tables:
        raise DataError(f"{path}: holds no array of numbers of one or two dimensions", "Give another file")
    rows = {name: len(array) for name, array in tables.items()}
    if len(set(rows.values())) > 1:
        shown = first_few([f"{name} {tables[name].shape}" for name in sorted(tables)], 8, ", ")
        raise DataError(
            f"{path}: its arrays differ in length: {shown}", "Name one of them, or a group of them, with --variable"
        )
    ((name, array), *others) = tables.items()
    if not others and array.ndim == 2 and array.dtype.kind in "fiub":
        return ArraySamples(array, f"array '{name}'", (), (units[name],) * array.shape[1] if name in units else ())
    named = [(label, values, units.get(n, "")) for n, a in tables.items() for label, values in _columns_of(n, a)]
    return ColumnSamples(
        tuple(values for _, values, _ in named),
        f"{len(named)} columns of {path.suffix.lower()}",
        tuple(label for label, _, _ in named),
        tuple(unit for _, _, unit in named),
    )


def _columns_of(name: str, array: Numbers) -> Iterator[tuple[str, Numbers]]:
    if array.ndim == 1:
        yield name, array
    else:
        yield from ((f"{name}[{k}]", array[:, k]) for k in range(array.shape[1]))


def _read_npz(path: Path) -> dict[str, Numbers]:
    """All arrays; pickled content is refused."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: np.asarray(file[name]) for name in file.files}
    except (*_DAMAGE, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: not a readable .npz file of numbers ({error})", "Save it with numpy.savez") from error


def _read_matlab(path: Path) -> dict[str, Numbers]:
    """All arrays of numbers; rows or columns of one are of one dimension."""
    arrays = read_mat_arrays(path)
    return {name: array.ravel() if 1 in array.shape and array.size > 1 else array for name, array in arrays.items()}


def _read_hdf5(path: Path, variable: str) -> tuple[dict[str, Numbers], dict[str, str]]:
    """The data sets at and below a path, by their paths from there, and their units."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "train") from error

    try:
        with h5py.File(path, "r") as file:
            if variable and variable not in file:
                raise _no_variable(path, variable, _data_sets(file))
            place = file[variable or "/"]
            found = _data_sets(place) if isinstance(place, h5py.Group) else {variable: place}
            units = {name: _unit_of(one) for name, one in found.items()}
            arrays = {n: a for name, one in found.items() for n, a in _fields(name, _values(one))}
    except _DAMAGE as error:
        raise DataError(f"{path}: not a readable HDF5 file ({error})", "Copy it again, or save it anew") from error
    return arrays, {name: unit for name, unit in units.items() if unit}


def _data_sets(group: "h5py.Group") -> dict[str, "h5py.Dataset"]:
    """All data sets below a group, by path."""
    import h5py

    found: dict[str, h5py.Dataset] = {}

    def remember(name: str, one: object) -> None:
        if isinstance(one, h5py.Dataset):
            found[name] = one

    group.visititems(remember)
    return found


def _values(one: "h5py.Dataset") -> Numbers:
    """A data set as it is stored; text as str."""
    import h5py

    return np.asarray(one.asstr()[()] if h5py.check_string_dtype(one.dtype) else one[()])


def _fields(name: str, values: Numbers) -> Iterator[tuple[str, Numbers]]:
    """A table of records as its columns; what is no table is refused by its type later."""
    if values.dtype.names:
        yield from ((field, np.asarray(values[field])) for field in values.dtype.names)
    else:
        yield name, values


def _unit_of(one: "h5py.Dataset") -> str:
    said = [one.attrs[key] for key in _UNITS if key in one.attrs]
    return str(said[0]) if said and isinstance(said[0], str) else ""


def _read_parquet(path: Path) -> ColumnSamples:
    """All columns; a moment of a stated zone is a count of ns since 1970, since it says when it was."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("pyarrow", "parquet") from error

    try:
        table = pq.read_table(path)
        zoned = [pa.types.is_timestamp(one.type) and one.type.tz is not None for one in table.schema]
        columns = [_parquet_column(table.column(k), zoned=zoned[k]) for k in range(table.num_columns)]
        names = tuple(table.column_names)
    except (pa.ArrowException, *_DAMAGE) as error:
        raise DataError(f"{path}: not a readable .parquet file ({error})", "Copy it again, or save it anew") from error
    if not table.num_rows:
        raise DataError(f"{path}: is empty", "Remove this recording, or copy it again")
    units = tuple("ns" if one else "" for one in zoned)
    return ColumnSamples(tuple(columns), f"{len(columns)} columns of .parquet", names, units)


def _parquet_column(column: Any, *, zoned: bool) -> Numbers:
    """A column in the type that it has; an empty cell of numbers is NaN."""
    values = np.asarray(column.to_numpy())
    return values.astype("datetime64[ns]").astype(np.int64) if zoned and not np.isnat(values).any() else values


_ARRAYS = {".npz": _read_npz, ".mat": _read_matlab}
