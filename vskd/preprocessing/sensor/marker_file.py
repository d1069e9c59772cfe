"""Tables of points over time: a row a frame, three columns a point.

- Text of motion capture as Berkeley MHAD has it (`moc_s01_a01_r01.txt`): 129 columns of 43 markers, the frame's number,
  and seconds since 1970; no header.
- CSV as converters of BVH files write them (`skl_s01_a01_r01_pos.csv`): a header `time,Hips.x,Hips.y,Hips.z,...`.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.sensor.delimited import Table, parse_delimited, read_delimited
from vskd.preprocessing.text_file import read_text

SUFFIXES = frozenset({".txt", ".csv"})
BEHIND = 2
"""Columns behind the markers of motion capture: number and time of the frame."""
HEAD_BYTES = 65536


def read_points(path: Path) -> npt.NDArray[np.float32]:
    """Positions, (points, 3, frames) in the file's unit.

    Raises:
        DataError: no such table.
    """
    table = read_delimited(path)
    columns = _columns(table)
    return np.stack([table.numbers(c) for c in columns]).reshape(len(columns) // 3, 3, -1).astype(np.float32)


def count_points(path: Path) -> int:
    """How many points there are, by the file's first rows.

    Raises:
        DataError: no such table.
    """
    text, encoding = read_text(path, HEAD_BYTES)
    return len(_columns(parse_delimited(path, text, encoding))) // 3


def _columns(table: Table) -> range:
    """The columns of the points: x, y and z of the first, of the second ..."""
    first = int(bool(table.names) and table.names[0].strip().lower() in ("time", "frame"))
    columns = range(first, table.width if table.names else table.width - BEHIND)
    axes = [table.names[c].strip().lower()[-1:] for c in columns] if table.names else list("xyz" * (len(columns) // 3))
    if not axes or axes != list("xyz" * (len(columns) // 3)):
        raise DataError(
            f"{table.path}: its {table.width} columns are not x, y and z of points",
            "Check that this is a skeleton file",
        )
    return columns
