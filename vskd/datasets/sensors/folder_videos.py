"""Videos beside sensor files, as a table pairs them: columns `recording` (its id) and `video` (path from the root)."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from vskd.datasets.recording import Problem, Recording, Stream
from vskd.datasets.sensors.folder_description import Description, VideoDescription
from vskd.datasets.sensors.headers import look_at_video
from vskd.errors import DataError
from vskd.preprocessing.folders import shown
from vskd.preprocessing.table_file import read_rows


def with_videos(
    root: Path, description: Description, recordings: Sequence[Recording], problems: list[Problem]
) -> list[Recording]:
    """The recordings with their videos as streams; pairs of what is not there become problems.

    Raises:
        DataError: a table cannot be read, or lacks a column.
    """
    streams: dict[str, dict[str, Stream]] = {}
    known = {r.id for r in recordings}
    for name, stated in description.videos.items():
        for recording, path in _pairs(root, description, stated):
            if recording not in known:
                detail = f"{stated.table}: there is no recording '{recording}'"
                problems.append(Problem("unpaired", recording, shown(path), detail))
            elif not path.is_file():
                problems.append(Problem("missing", recording, shown(path), f"{stated.table}: there is no such file"))
            elif name in streams.setdefault(recording, {}):
                problems.append(Problem("duplicate", recording, shown(path), f"{stated.table}: a second {name}"))
            else:
                try:
                    rate_hz = look_at_video(path)
                except DataError as error:
                    problems.append(Problem("corrupt", recording, shown(path), error.problem))
                    continue
                stream = Stream(name, "video", path, stated.rate_hz or rate_hz, "uint8", placement=stated.position)
                streams[recording][name] = stream
    return [dataclasses.replace(r, streams={**r.streams, **streams.get(r.id, {})}) for r in recordings]


def _pairs(root: Path, description: Description, stated: VideoDescription) -> list[tuple[str, Path]]:
    table = root / stated.table
    rows = read_rows(table)
    lacking = [name for name in ("recording", "video") if any(name not in row for row in rows)]
    if lacking:
        raise DataError(f"{table}: has no column '{lacking[0]}'", "Give a CSV table with the columns recording, video")
    return [(row["recording"], root / description.root / row["video"].replace("\\", "/")) for row in rows]
