"""Open a file of samples, whatever its format."""

from pathlib import Path

from vskd.errors import DataError
from vskd.preprocessing.sensor.column_file import COLUMN_FILES, read_columns
from vskd.preprocessing.sensor.delimited import read_delimited
from vskd.preprocessing.sensor.samples import ArraySamples, Samples, TextSamples
from vskd.preprocessing.sensor.signals import read_array
from vskd.preprocessing.text_file import TEXT


def open_samples(file: Path, variable: str = "") -> Samples:
    """Open a text, .mat, .npy, .npz, .h5 or .parquet file of samples x columns.

    Raises:
        DataError: missing, damaged, of another type, or no table of real numbers.
        MissingExtraError: the package that reads it is not installed.
    """
    if file.suffix.lower() in TEXT:
        return TextSamples(read_delimited(file))
    if file.suffix.lower() in COLUMN_FILES and not (file.suffix.lower() == ".mat" and variable):
        return read_columns(file, variable)
    array = read_array(file, variable)
    if array.ndim != 2:
        raise DataError(f"{file}: expected a table of samples x columns, got shape {array.shape}", "Check the file")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{file}: holds {array.dtype}, not real numbers", "Check the file")
    return ArraySamples(array, f"array '{variable}'" if variable else "array")
