"""MMAct's untrimmed recordings: whole sessions, of which an annotation says when which action was performed.

Source: the challenge of 2021 (github.com/mmact19/challenge), its README and `utils/time_series_classifiers.py`.

Data requirements: a folder with, at any depth,
  `sessions/scene<S>/subject<N>/scene<S>_subject<N>_session<K>.txt`, or
  `annotation/trainval/subject<N>/scene<S>/session<K>/subject<N>_scene<S>_session<K>.txt`
      rows `2018/10/16 13:33:45.170-2018/10/16 13:33:49.891-standing`, one file for all cameras
  `<sensor>/subject<N>/scene<S>/session<K>/*.csv`     as of the trimmed recordings, one or several files per session
  `video/trainval/cam<C>/subject<N>/scene<S>/session<K>/20181016-133948.mp4`     named by the time of its END
  `splits/untrimmed_x-session_<part>.txt`     rows `START,END,trainval/cam<C>/subject<N>/scene<S>/session<K>/`
The folders of a path may stand in any order, numbers may be padded.

A recording is an interval of the annotation: a part of a sensor's file and of a video. All times are of Asia/Tokyo.
When a file begins is read off its first stamp (sensors), or is its name less its duration (videos, to a second). An
interval that reaches across two files of a sensor is not put together: the recording lacks that stream, and is named.

The labels are the 37 classes by name. The 51 % of the time that nobody labelled belong to no recording.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sensors.mmact import CAMERAS, LABELS, SENSORS, VIDEO, numbers_of, refuse_v2
from vskd.datasets.sensors.mmact import ENTRY as TRIMMED
from vskd.errors import DataError
from vskd.preprocessing.folders import files_below, shown
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.text_file import read_text

NAME = "mmact-untrimmed"
PLACE = ("subject", "scene", "session")
ROUNDED_S = 1.0
"""Names of videos are whole seconds."""
LATE_S = 0.1
"""A sensor's file may begin or end so much within an interval: single stamps are late."""
EDGE_BYTES = 4096
_TIME = r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?"
_LINE = re.compile(rf"\s*({_TIME})\s*-\s*({_TIME})\s*-\s*([\w ]+?)\s*")
_ANNOTATION = re.compile(r"(?=.*subject\d)(?=.*scene\d)(?=.*session\d)\w+\.txt", re.IGNORECASE)
_SPLIT = re.compile(r"untrimmed_x-session_(train|val|test)\w*\.txt", re.IGNORECASE)
_PARTS = {"train": "train", "val": "valid", "test": "test"}

Place = tuple[int, int, int]
"""Subject, scene and session."""


@dataclass(frozen=True)
class _File:
    """A file, and the times of its ends in seconds since 1970; of a video, its frames per second."""

    path: Path
    start: float
    end: float
    rate_hz: float = 0.0


@dataclass
class _Found:
    """What lies in a folder."""

    annotations: dict[Place, Path] = field(default_factory=dict)
    sensors: dict[tuple[Place, str], list[_File]] = field(default_factory=dict)
    videos: dict[tuple[Place, str], list[_File]] = field(default_factory=dict)
    splits: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def index(root: Path) -> Index:
    """List the labelled intervals under `root`, and name what is missing, corrupt, twice or unknown.

    Of sensor files the first and the last row are read, of videos the header.

    Raises:
        DataError: `root` is missing, holds no annotation, or holds MMAct V2.
        MissingExtraError: there are videos, and PyAV is not installed.
    """
    require_folder(root, NAME)
    found = _Found()
    for path in files_below(root):
        parts = path.relative_to(root).parts
        refuse_v2(root, parts)
        _sort_in(path, parts, found)
    recordings = [r for place, path in sorted(found.annotations.items()) for r in _recordings(place, path, found)]
    if not recordings:
        raise DataError(
            f"{root} holds no {NAME} recordings (annotations like scene1/subject1/scene1_subject1_session1.txt)",
            f"Give the folder that holds them with --data; `vskd datasets info {NAME}` tells how to get the data",
        )
    recordings = _with_parts(recordings, found)
    found.problems.sort(key=lambda p: (p.kind, p.recording, p.path, p.detail))
    return Index(NAME, root, LABELS, tuple(recordings), tuple(found.problems))


def _sort_in(path: Path, parts: tuple[str, ...], found: _Found) -> None:
    """Put a file where it belongs; files of trimmed recordings, and others, are passed over."""
    numbers = numbers_of(parts[:-1])
    sensor = next((SENSORS[part.lower()].name for part in parts[:-1] if part.lower() in SENSORS), "")
    kind = path.suffix.lower()
    if _SPLIT.fullmatch(path.name):
        found.splits.append(path)
    elif _ANNOTATION.fullmatch(path.name):
        numbers = numbers_of(re.findall(r"(?:subject|scene|session)\d+", path.stem, re.IGNORECASE))
        place = _place(numbers, path, found.problems)
        if place and found.annotations.setdefault(place, path) != path:
            detail = f"its session is annotated by {found.annotations[place]} already"
            if found.annotations[place].read_bytes() != path.read_bytes():
                found.problems.append(Problem("duplicate", "", shown(path), detail))
    elif path.stem.strip().lower() not in LABELS:  # the name of a class: a trimmed recording
        place = _place(numbers, path, found.problems) if (sensor and kind == ".csv") or kind in VIDEO else None
        if place and sensor and (file := _span(path, found.problems)):
            found.sensors.setdefault((place, sensor), []).append(file)
        elif place and not sensor:
            _sort_in_video(path, place, numbers.get("cam"), found)


def _sort_in_video(path: Path, place: Place, number: int | None, found: _Found) -> None:
    camera = f"rgb-cam{number}"
    if camera not in CAMERAS:
        detail = "no folder of its path says the cam" if number is None else "MMAct has cameras 1 to 4"
        found.problems.append(Problem("unknown", "", shown(path), detail))
    elif file := _shown_span(path, found.problems):
        found.videos.setdefault((place, camera), []).append(file)


def _place(numbers: Mapping[str, int], path: Path, problems: list[Problem]) -> Place | None:
    lacking = [word for word in PLACE if word not in numbers]
    if lacking:
        problems.append(Problem("unknown", "", shown(path), f"nothing in its path says the {lacking[0]}"))
        return None
    subject, scene, session = (numbers[word] for word in PLACE)
    return subject, scene, session


def _seconds(stamp: str) -> float | None:
    """A time stamp as seconds since 1970; None where it is none."""
    from vskd.preprocessing.sensor.stamps import start_of

    return start_of(stamp)


def _span(path: Path, problems: list[Problem]) -> _File | None:
    """A sensor's file and its first and last stamp; None where it is empty or has none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(EDGE_BYTES)
        file.seek(max(0, size - EDGE_BYTES))
        tail = file.read()
    first = next((stamp for line in head.splitlines()[:2] if (stamp := _stamp(line)) is not None), None)
    last = next(map(_stamp, tail.splitlines()[-1:]), None)
    if first is None or last is None:
        kind = "missing" if not size else "corrupt"
        detail = "it is empty (0 bytes)" if not size else "its first or last row has no time stamp"
        problems.append(Problem(kind, "", shown(path), detail))  # type: ignore[arg-type]
        return None
    return _File(path, first, last)


def _stamp(row: bytes) -> float | None:
    return _seconds(row.split(b",")[0].decode("ascii", "replace"))


def _shown_span(path: Path, problems: list[Problem]) -> _File | None:
    """A video, and when it begins and ends; None where its header cannot be read."""
    from vskd.preprocessing.video.probe import probe_video

    end = _seconds(path.stem.replace("-", "_"))
    try:
        info = probe_video(path)
    except DataError as error:
        problems.append(Problem("corrupt", "", shown(path), error.problem))
        return None
    if end is None or not info.rate_hz or not info.num_frames:
        problems.append(Problem("unknown", "", shown(path), "nothing says when this video begins"))
        return None
    return _File(path, end - info.num_frames / info.rate_hz, end, info.rate_hz)


def _recordings(place: Place, path: Path, found: _Found) -> Iterator[Recording]:
    """The intervals of an annotation."""
    subject, scene, session = place
    for number, line in enumerate(read_text(path)[0].splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        start, end = (_seconds(match[k].replace("/", "-")) for k in (1, 2)) if match else (None, None)
        label = match[3].lower().replace(" ", "_") if match else ""
        if start is None or end is None or end <= start or label not in LABELS:
            what = f"'{label}' is no class of MMAct" if start and label not in LABELS else "no START-END-label"
            found.problems.append(Problem("unknown", "", shown(path), f"line {number}: {what}"))
            continue
        name = f"subject{subject:02d}_scene{scene}_session{session}_{number:03d}_{label}"
        streams = {s.name: s for s in _streams(place, name, (start, end), found)}
        factors = {"scene": str(scene), "session": str(session)}
        if streams:
            who = str(subject)
            yield Recording(name, who, str(session), LABELS.index(label), who, streams, factors=factors)
        else:
            detail = "no file covers this interval"
            found.problems.append(Problem("missing", name, shown(path), detail))


def _streams(place: Place, name: str, interval: tuple[float, float], found: _Found) -> Iterator[Stream]:
    for sensor in SENSORS.values():
        files = found.sensors.get((place, sensor.name), [])
        file = _covering(files, interval, LATE_S)
        if file is not None:
            yield replace(
                sensor,
                path=file.path,
                columns=(1, 2, 3),
                time_column=0,
                reading=Reading(seconds=_within(file, interval)),
            )
        elif files:
            detail = f"no single {sensor.name} file covers this interval"
            found.problems.append(Problem("missing", name, shown(files[0].path.parent), detail))
    for camera in CAMERAS:
        file = _covering(found.videos.get((place, camera), []), interval, ROUNDED_S)
        if file is not None:
            seconds, where = _within(file, interval), f"camera {camera[-1]}"
            part, cut = Reading(seconds=seconds), Cut(*seconds)  # what it is among the file's parts, and its frames
            yield Stream(camera, "video", file.path, file.rate_hz, "uint8", placement=where, reading=part, cut=cut)


def _covering(files: Iterable[_File], interval: tuple[float, float], slack: float) -> _File | None:
    """The file that holds a whole interval, but for `slack` seconds at either end."""
    ordered = sorted(files, key=lambda file: file.start)
    at = bisect_right([file.start for file in ordered], interval[0] + slack) - 1
    return ordered[at] if at >= 0 and interval[1] <= ordered[at].end + slack else None


def _within(file: _File, interval: tuple[float, float]) -> tuple[float, float]:
    """An interval in seconds since the file's beginning, to milliseconds."""
    return round(max(interval[0] - file.start, 0.0), 3), round(min(interval[1], file.end) - file.start, 3)


def _with_parts(recordings: list[Recording], found: _Found) -> list[Recording]:
    """Say of each recording in which part of the published split its session is; what the files miss is named."""
    parts: dict[Place, str] = {}
    for path in found.splits:
        match = _SPLIT.fullmatch(path.name)
        for number, line in enumerate(read_text(path)[0].splitlines(), 1):
            if not line.strip() or match is None:
                continue
            place = _place(numbers_of(line.rsplit(",", 1)[-1].strip().split("/")), path, [])
            if place is None:
                found.problems.append(Problem("unknown", "", shown(path), f"line {number}: no START,END,folder"))
            elif parts.setdefault(place, _PARTS[match[1].lower()]) != _PARTS[match[1].lower()]:
                found.problems.append(Problem("duplicate", "", shown(path), f"line {number}: is in another part too"))
    for place, path in found.annotations.items():
        if parts and place not in parts:
            found.problems.append(Problem("missing", "", shown(path), "this session is in no file of splits"))
    return [replace(r, part=parts.get(_of(r), "")) for r in recordings]


def _of(recording: Recording) -> Place:
    return int(recording.subject), int(recording.factors["scene"]), int(recording.factors["session"])


ENTRY = replace(
    TRIMMED,
    name=NAME,
    title="MMAct, untrimmed sessions with labelled intervals, 37 classes",
    description="37 actions as intervals of whole sessions: watch, phone and four cameras.",
    index=index,
    protocols=("cross-session", "cross-subject"),
    streams=(*(stream.name for stream in SENSORS.values()), *CAMERAS),
    defaults={modality: sees for modality, sees in TRIMMED.defaults.items() if modality != "skeleton"},
    obtain="Ask for it on its page; unpack the untrimmed sensors and annotations, and the videos, in one folder.",
    refused={"cross-view": TRIMMED.refused["cross-view"]},
)
