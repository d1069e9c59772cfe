"""An index whose streams are cut to what `sync.csv` says that sensor and video have in common."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sync.table import FILE, SyncRow, read_sync
from vskd.errors import DataError, first_few
from vskd.preprocessing.sync.cut import Cut

Lister = Callable[[Path], Index]


def synced(lister: Lister) -> Lister:
    """An `index` function that applies `sync.csv` in the folder, if there is one."""

    @functools.wraps(lister)
    def index(root: Path) -> Index:
        found = lister(root)
        path = root / FILE
        return apply_sync(found, read_sync(path), path) if path.is_file() else found

    return index


def apply_sync(index: Index, rows: Sequence[SyncRow], source: Path) -> Index:
    """Cut the streams of the recordings that the table names; others stay as they are.

    Kept is the time that the video and each sensor in the table cover. Videos and skeletons of a recording share one
    clock. A sensor without a line of its own that lies in the same file as one with a line, or whose files both have no
    time stamps, shares that one's; of another, nobody knows when it began: it stays as it is, and is a problem.

    Args:
        index: of the folder.
        rows: of the table.
        source: for messages.

    Raises:
        DataError: the table names recordings or streams that the folder does not hold.
    """
    known = {(r.id, s) for r in index.everything for s in r.streams}
    strange = [f"{r.recording} ({s})" for r in rows for s in (r.sensor, r.video) if (r.recording, s) not in known]
    if strange:
        raise DataError(
            f"{source}: the folder holds no such recordings or streams: {first_few(strange, 5, ', ')}",
            "Have it written again: `vskd datasets sync`, or delete these lines",
        )
    of: dict[str, list[SyncRow]] = {}
    for row in rows:
        of.setdefault(row.recording, []).append(row)
    problems = list(index.problems)
    recordings = [_cut(r, of[r.id], source, problems) if r.id in of else r for r in index.everything]
    return dataclasses.replace(index.with_recordings(recordings), problems=tuple(problems))


def _cut(recording: Recording, rows: Sequence[SyncRow], source: Path, problems: list[Problem]) -> Recording:
    start, end = max(row.covered[0] for row in rows), min(row.covered[1] for row in rows)
    if start >= end:
        raise DataError(f"{source}: the sensors of {recording.id} have no moment of the video in common", "Correct it")
    own = {row.sensor: row for row in rows}
    streams: dict[str, Stream] = {}
    for name, stream in recording.streams.items():
        if stream.kind != "sensor":
            streams[name] = dataclasses.replace(stream, cut=Cut(start, end)) if stream.kind != "image" else stream
            continue
        row = own.get(name) or _sharing(stream, own, recording.streams)
        if row is None:
            detail = f"{source.name} says when {', '.join(own)} began, and nothing of {name}, whose clock is its own"
            problems.append(Problem("missing", recording.id, str(source), detail))
        cut = None if row is None else _sensor_cut(row, rows[0], start, end)
        streams[name] = dataclasses.replace(stream, cut=cut)
    return dataclasses.replace(recording, streams=streams)


def _sharing(stream: Stream, own: Mapping[str, SyncRow], streams: Mapping[str, Stream]) -> SyncRow | None:
    """The line of a stream with the same clock."""
    for name, row in own.items():
        other = streams[name]
        bare = stream.time_column is None and other.time_column is None
        if bare or stream.path == other.path:
            return row
    return None


def _sensor_cut(row: SyncRow, first: SyncRow, start: float, end: float) -> Cut:
    """Of a sensor, from seconds of the video; the common clock is that of the first sensor, whose rate thus stays."""
    scale = first.scale / row.scale
    offset = first.offset_s - row.offset_s * scale
    return Cut(row.offset_s + row.scale * start, row.offset_s + row.scale * end, offset, scale)
