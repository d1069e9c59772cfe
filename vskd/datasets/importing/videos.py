"""Which video shows which recording: by a table, by names, or by the time at which both were made.

A video is paired only where it is the one for a recording and the recording the one for it. What is left over is said.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.datasets.importing.name_pattern import guess_pattern
from vskd.datasets.importing.stated import Stated
from vskd.datasets.recording import UNLABELLED, Index, Recording
from vskd.datasets.sensors.folder_found import plain_value
from vskd.datasets.sensors.name_words import words_of_name
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError, first_few
from vskd.preprocessing.folders import composed, files_below
from vskd.preprocessing.sensor.time_zone import utc_offsets
from vskd.preprocessing.table_file import read_rows
from vskd.preprocessing.video.probe import VideoInfo, probe_video
from vskd.preprocessing.video.start import start_in_header, start_in_name
from vskd.progress import track

VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})
"""How names of videos end, in small letters."""
STREAM = "video"
TABLE = "videos.csv"
LEAST_OVERLAP = 0.5
"""Of the longer of a recording and a video, that both must have been running."""


@dataclass(frozen=True)
class Paired:
    """Videos of a folder.

    Attributes:
        pairs: recording -> path of its video from the folder.
        source: who says it.
        notes: what is left over.
    """

    pairs: Mapping[str, str]
    source: str
    notes: tuple[str, ...]


def pair_videos(found: Index, base: Path, folder: Path, stated: Stated) -> Paired | None:
    """Pair the videos in a folder with the recordings of a data set; None where there are none, or none fits.

    Args:
        found: the recordings.
        base: of their paths, which is the folder as dataset.yaml names it.
        folder: of the files.
        stated: says how to pair: a table, a pattern of names, or by time.

    Raises:
        DataError: the table or a video cannot be read, or times cannot be compared.
    """
    videos = {composed(p.relative_to(folder).as_posix()): p for p in files_below(folder) if p.suffix.lower() in VIDEOS}
    if not videos or stated.pair_videos == "none":
        return None
    if stated.video_table:
        candidates, source = _by_table(found, base, folder / stated.video_table), f"table {stated.video_table}"
    elif stated.pair_videos == "time":
        candidates, source = _by_time(found, videos, stated), "time"
    else:
        candidates, source = _by_name(found, folder, list(videos), stated), "names"
    pairs = _one_to_one(candidates)
    notes = _left_over(pairs, found, videos)
    if not pairs:
        notes = (*notes, "say which is which with --video-pattern, --video-table or --pair-videos time")
    return Paired(pairs, source, notes)


def _one_to_one(candidates: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The pairs of which neither side has another."""
    recordings = [recording for recording, _ in candidates]
    videos = [video for _, video in candidates]
    return {r: v for r, v in candidates if recordings.count(r) == 1 and videos.count(v) == 1}


def _left_over(pairs: Mapping[str, str], found: Index, videos: Mapping[str, Path]) -> tuple[str, ...]:
    without = [r.id for r in found if r.id not in pairs]
    unused = sorted(set(videos) - set(pairs.values()))
    bare = f"{len(without)} of {len(found)} recordings have no video: {first_few(without, 4, ', ')}"
    idle = f"{len(unused)} videos show no recording alone: {first_few(unused, 4, ', ')}"
    return (*([bare] if without else []), *([idle] if unused else []))


def _by_table(found: Index, base: Path, table: Path) -> list[tuple[str, str]]:
    """Of a table with the columns `video`, and `recording` or `file`.

    Raises:
        DataError: it lacks them, or names what is not there.
    """
    rows = read_rows(table)
    columns = {name for row in rows for name in row}
    key = next((name for name in ("recording", "file") if name in columns), "")
    if not key or "video" not in columns:
        raise DataError(f"{table}: has no columns 'video', and 'recording' or 'file'", "Name its columns so")
    known: dict[str, list[str]] = {}
    for r in found:
        files = {composed(s.path.relative_to(base).as_posix()) for s in r.streams.values()}
        for name in (r.id,) if key == "recording" else files:
            known.setdefault(name, []).append(r.id)
    pairs = []
    for line, row in enumerate(rows, 2):
        name, video = (composed(row[k].replace("\\", "/")) for k in (key, "video"))
        if name not in known or not (base / video).is_file():
            wrong = f"{key} '{name}'" if name not in known else f"video '{video}'"
            raise DataError(f"{table}, line {line}: there is no {wrong}", "Correct the table")
        pairs += [(recording, video) for recording in known[name]]
    return pairs


def _by_name(found: Index, folder: Path, names: Sequence[str], stated: Stated) -> list[tuple[str, str]]:
    """Videos that are called as a recording's file is, or else whose names say the same of who, what and which time."""
    if stated.video_pattern is None and (same := _same_ends(found, names)):
        return same
    try:
        pattern = stated.video_pattern or guess_pattern(names).pattern
    except DataError:
        return []
    words = {name: _words(said) for name in names if (said := words_of_name(pattern, name))}
    values = {r.id: _values(r, found.labels, stated.unlabelled or "") for r in found}
    return [(r.id, name) for r in found for name, said in words.items() if _fits(said, values[r.id])]


def _same_ends(found: Index, names: Sequence[str]) -> list[tuple[str, str]]:
    """Videos that are called as a recording's file is; of several those that lie in folders of the same names, too."""
    by_stem: dict[str, list[str]] = {}
    for name in names:
        by_stem.setdefault(Path(name).stem.lower(), []).append(name)
    pairs = []
    for r in found:
        for path in {s.path for s in r.streams.values()}:
            ends = {name: _common_end(path, Path(name)) for name in by_stem.get(path.stem.lower(), [])}
            pairs += [(r.id, name) for name, length in ends.items() if length == max(ends.values())]
    return pairs


def _common_end(one: Path, other: Path) -> int:
    """How many names of folders before the file are the same."""
    folders = zip(reversed(one.parts[:-1]), reversed(other.parts[:-1]), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda both: both[0].lower() == both[1].lower(), folders))


def _words(said: Mapping[str, str]) -> dict[str, str]:
    return {name: plain_value(name, value) for name, value in said.items()}


def _values(recording: Recording, labels: Sequence[str], unlabelled: str) -> dict[str, str]:
    label = unlabelled if recording.label == UNLABELLED else labels[recording.label]
    own = {"subject": recording.subject, "label": label, "trial": recording.trial}
    return {**own, **recording.factors}


def _fits(said: Mapping[str, str], values: Mapping[str, str]) -> bool:
    """Whether all that a video's name says is so; what only a video has (a camera) may be anything."""
    common = said.keys() & values.keys()
    return {"subject", "label"} <= common and all(said[name] == values[name] for name in common)


def _by_time(found: Index, videos: Mapping[str, Path], stated: Stated) -> list[tuple[str, str]]:
    """Videos that ran while a recording was made: for half of the longer of the two, or more.

    Raises:
        DataError: the recordings' stamps name no day, or only one side says when it was.
    """
    spans = {r.id: _span(r, stated) for r in found}
    shown: dict[str, tuple[float, float]] = {}
    for name, path in track(list(videos.items()), "Looking at videos"):
        info, start = probe_video(path), _start(path, stated)
        if start is not None and info.rate_hz:
            shown[name] = (start, start + _seconds(info))
    return [(r, v) for r, span in spans.items() for v, other in shown.items() if _overlap(span, other) >= LEAST_OVERLAP]


def _seconds(info: VideoInfo) -> float:
    return info.num_frames / info.rate_hz


def _span(recording: Recording, stated: Stated) -> tuple[float, float]:
    stream = next(s for s in recording.streams.values() if s.kind == "sensor")
    timed = read_stream(stream)
    if not timed.absolute or timed.local:
        raise DataError(
            f"{stream.path}: its time stamps {'are local times' if timed.local else 'name no day'}, so that videos "
            "cannot be paired by time",
            "Say --time-zone" if timed.local else "Pair them by name (--video-pattern) or by --video-table",
        )
    return float(timed.times[0]), float(timed.times[-1])


def _start(path: Path, stated: Stated) -> float | None:
    """When a video began: by its name, in the zone of --time-zone; else by its header.

    Raises:
        DataError: the name says a local time, and nobody the zone.
    """
    named = start_in_name(path)
    if named is None:
        return start_in_header(path)
    zone = stated.video_zone or stated.time_zone
    if zone is None:
        raise DataError(f"{path}: its name says a local time of a zone that nobody states", "Say it with --video-zone")
    (offset,) = utc_offsets(np.array([named]), zone, path)
    return named - float(offset)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common / max(one[1] - one[0], other[1] - other[0], 1e-9)
