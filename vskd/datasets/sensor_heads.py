"""Whether the readers can read the beginning of each sensor file: an index looks at names, and knows no contents."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from vskd.datasets.recording import Index, Problem, Stream
from vskd.errors import DataError
from vskd.preprocessing.folders import shown
from vskd.preprocessing.sensor.delimited import parse_delimited
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.text_file import TEXT, read_text
from vskd.progress import track

HEAD_BYTES = 4096


def with_heads_checked(index: Index) -> Index:
    """The index, with a problem for each sensor stream whose file cannot be read from its first rows on.

    Looks at the first 4 KB of text and at the headers of `.npy` files. What is wrong further down `vskd doctor` finds,
    which reads all of it.
    """
    sensors = [(r.id, stream) for r in index.everything for stream in r.streams.values() if stream.kind == "sensor"]
    found = []
    for recording, stream in track(sensors, "Looking into files"):
        if detail := _fault(stream.path, _columns(stream), stream.reading):
            found.append(Problem("corrupt", recording, shown(stream.path), detail))
    return replace(index, problems=(*index.problems, *dict.fromkeys(found)))


def _columns(stream: Stream) -> tuple[int, ...]:
    return stream.columns or tuple(range(len(stream.axes)))


@lru_cache(maxsize=64)
def _fault(path: Path, columns: tuple[int, ...], stated: Reading | None) -> str:
    """What is wrong with the beginning of a file; empty where nothing is, or where it is another kind of file."""
    try:
        if path.suffix.lower() in TEXT:
            _check_text(path, columns, stated)
        elif path.suffix.lower() == ".npy":
            _check_array(path)
    except DataError as error:
        return error.problem
    return ""


def _check_text(path: Path, columns: tuple[int, ...], stated: Reading | None) -> None:
    text, encoding = read_text(path, HEAD_BYTES)
    table = parse_delimited(path, text, encoding, stated.separator if stated else "")
    if max(columns) >= table.width:
        raise DataError(f"{path}: has {table.width} columns and no column {max(columns)}", "Correct the file")
    for column in columns:
        table.numbers(column, empty=stated is not None)  # where it is stated how a file is read, they are gaps


def _check_array(path: Path) -> None:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not a readable array ({error})", "Copy it again") from error
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number):
        raise DataError(f"{path}: is no table of numbers (shape {array.shape})", "Correct the file")
