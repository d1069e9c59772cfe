"""`sync.csv` in a data set's folder: where each recording's video lies on its sensor's clock.

    recording,sensor,video,offset_s,drift_ppm,confidence,sensor_s,video_s,by
    a1_s1_t1,accelerometer,depth,0.120,0,3.4,3.22,2.14,own

The second `t` of the video is the second `offset_s + (1 + drift_ppm / 1e6) * t` of the sensor, both counted from the
stream's first frame or sample. `sensor_s` and `video_s` are the lengths of the two. `by` says whose figures these are:
the recording's `own`, or the median of some group.
"""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from vskd.errors import DataError
from vskd.files import write_text
from vskd.preprocessing.table_file import cells_of
from vskd.preprocessing.text_file import read_text

FILE = "sync.csv"
OWN = "own"
_CORRECT = "Correct it, or have it written again: `vskd datasets sync`"


@dataclass(frozen=True)
class SyncRow:
    """One line; see the module's text."""

    recording: str
    sensor: str
    video: str
    offset_s: float
    drift_ppm: float
    confidence: float
    sensor_s: float
    video_s: float
    by: str = OWN

    @property
    def scale(self) -> float:
        """Seconds of the sensor in a second of the video."""
        return 1 + self.drift_ppm / 1e6

    @property
    def covered(self) -> tuple[float, float]:
        """First and last second of the video that the sensor covers."""
        return max(0.0, -self.offset_s / self.scale), min(self.video_s, (self.sensor_s - self.offset_s) / self.scale)


_COLUMNS = tuple(field.name for field in fields(SyncRow))
_NUMBERS = ("offset_s", "drift_ppm", "confidence", "sensor_s", "video_s")


def read_sync(path: Path) -> tuple[SyncRow, ...]:
    """Read the table.

    Raises:
        DataError: it cannot be read, lacks a column, holds no number where one must be, or a pair of streams twice.
    """
    lines = read_text(path)[0].splitlines()
    header, *table = cells_of(path, lines) or [[]]
    lines_of = {number: _row(header, cells, f"{path}, line {number}") for number, cells in enumerate(table, 2) if cells}
    seen: set[tuple[str, str]] = set()
    for number, row in lines_of.items():
        if (row.recording, row.sensor) in seen:
            raise DataError(f"{path}, line {number}: {row.recording} and {row.sensor} stand there twice", _CORRECT)
        seen.add((row.recording, row.sensor))
    return tuple(lines_of.values())


def _row(header: Sequence[str], line: Sequence[str], where: str) -> SyncRow:
    cells = dict(zip(header, line, strict=False))
    lacking = [name for name in _COLUMNS if not cells.get(name)]
    if lacking or len(line) > len(header):
        raise DataError(f"{where}: {', '.join(lacking) + ' is missing' if lacking else 'has too many cells'}", _CORRECT)
    numbers = {name: _number(cells[name], f"{where}, {name}") for name in _NUMBERS}
    words = {name: cells[name].strip() for name in _COLUMNS if name not in _NUMBERS}
    row = SyncRow(**words, **numbers)  # type: ignore[arg-type]  # words are str, numbers float
    if row.scale <= 0 or row.covered[0] >= row.covered[1]:
        raise DataError(f"{where}: by these figures sensor and video have no moment in common", _CORRECT)
    return row


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError as error:
        raise DataError(f"{where}: '{cell}' is no number", _CORRECT) from error
    if not math.isfinite(value):
        raise DataError(f"{where}: '{cell}' is not finite", _CORRECT)
    return value


def write_sync(path: Path, rows: Iterable[SyncRow]) -> None:
    """Write the table atomically.

    Raises:
        WriteError: it cannot be written.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        cells = [row.recording, row.sensor, row.video, f"{row.offset_s:.4f}", f"{row.drift_ppm:.1f}"]
        writer.writerow([*cells, f"{row.confidence:.2f}", f"{row.sensor_s:.4f}", f"{row.video_s:.4f}", row.by])
    write_text(path, buffer.getvalue())
