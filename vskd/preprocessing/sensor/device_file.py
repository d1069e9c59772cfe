"""Recordings as wearables store them: Axivity .cwa, ActiGraph .gt3x, GENEActiv .bin, read by actfast."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.sensor.samples import ArraySamples

DEVICES = frozenset({".cwa", ".gt3x", ".bin"})
"""How names of device files end, in small letters."""


def read_device(path: Path) -> ArraySamples:
    """The acceleration in a device file, with time stamps.

    Columns: seconds since 1970 by the device's clock (whose time zone nobody states: it counts as UTC), accel x, y, z
    in g.

    Raises:
        DataError: missing, damaged, no device file, without acceleration, or of an AX6: actfast 1.3.0 takes its
            acceleration for its angular rate and the other way round, measured on a real file at rest.
        MissingExtraError: actfast is not installed.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path}: no such file", "Check the path") from error
    return _read(path, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=2)
def _read(path: Path, state: tuple[int, ...]) -> ArraySamples:
    """`state` is that of the file, by which the memory knows that it did not change."""
    try:
        import actfast
    except ImportError as error:
        raise MissingExtraError("actfast", "devices") from error

    try:
        read = actfast.read(str(path))
    except ValueError as error:
        raise DataError(f"{path}: not a readable device file ({error})", "Copy it from the device again") from error
    table = next((t for t in read["timeseries"].values() if "acceleration" in t), None)
    if table is None or len(table["datetime"]) < 2:
        raise DataError(f"{path}: holds no acceleration", "Give another file")
    stamps = np.asarray(table["datetime"], dtype=np.int64)
    if "gyroscope" in table:
        raise DataError(
            f"{path}: of a device with a gyroscope (AX6), whose acceleration and angular rate actfast 1.3 mixes up",
            "Export it as CSV with the maker's program (OMGUI), and import that",
        )
    # Counted from the first stamp before it becomes a double, which has too few digits for nanoseconds since 1970.
    seconds = stamps[0] / 1e9 + (stamps - stamps[0]) / 1e9
    array = np.column_stack([seconds, np.asarray(table["acceleration"], dtype=np.float64)])
    return ArraySamples(
        array, str(read["format"]), ("timestamp", "accel x", "accel y", "accel z"), ("s", "g", "g", "g")
    )
