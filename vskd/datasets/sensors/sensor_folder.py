"""Sensor files of one's own, in any folder and format, as `dataset.yaml` describes them.

Data requirements: a folder with `dataset.yaml`, see `vskd.datasets.sensors.folder_description`. The files may lie
elsewhere. `vskd datasets import` writes it.

The id of a recording is `s<subject>_<label>_t<trial>` with its other factors behind; recordings that a label column
makes have their number in it. Subjects that are numbers lose leading zeros.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sensors.folder_found import OWN, Found
from vskd.datasets.splits.split import UNKNOWN
from vskd.datasets.timeline import UNLABELLED, Timeline
from vskd.errors import DataError, first_few
from vskd.preprocessing.folders import shown
from vskd.preprocessing.sensor.reading import Reading

if TYPE_CHECKING:
    from vskd.datasets.sensors.folder_description import Description, StreamDescription

NAME = "sensor-folder"
ONCE = "1"


def index(root: Path) -> Index:
    """List the recordings that `dataset.yaml` in `root` describes, and name what is missing, corrupt, twice or unknown.

    Only the first rows of a file are read, for the names of its columns; with a label column all of it.

    Raises:
        DataError: `dataset.yaml` is missing or not valid, or describes no recording of two classes.
    """
    from vskd.datasets.sensors.folder_description import read_description
    from vskd.datasets.sensors.folder_files import list_recordings
    from vskd.datasets.sensors.folder_videos import with_videos

    description = read_description(root)
    problems: list[Problem] = []
    found = _once(list_recordings(root, description, problems), problems)
    null = description.null_class or ""
    bare = {description.unlabelled} - {None}
    labels = description.labels or _sorted({label for one in found for label in one.labels - bare} | ({null} - {""}))
    if len(labels) < 2:
        raise DataError(
            f"{root}: {len(found)} recording(s) of {len(labels)} class(es) ({', '.join(labels) or 'none'}) are "
            f"described; two classes are needed{_first(problems)}",
            "Correct the pattern, the table or the label column (of import --pattern, --table, --label-column; or in "
            "dataset.yaml); of files that hold several classes list the parts in a table",
        )
    recordings = [r for one in found if (r := _recording(one, description, labels, problems))]
    if description.videos:
        recordings = with_videos(root, description, recordings, problems)
    recordings.sort(key=lambda r: r.id)
    problems.sort(key=lambda p: (p.kind, p.recording, p.path, p.detail))
    return Index(NAME, root, tuple(labels), (), tuple(problems), null).with_recordings(recordings)


def _sorted(labels: Iterable[str]) -> tuple[str, ...]:
    """Numbers by size, then names by letter."""
    return tuple(sorted(labels, key=lambda one: (0, int(one), one) if one.isdecimal() else (1, 0, one)))


def _first(problems: Sequence[Problem]) -> str:
    return f" ({first_few([f'{p.path}: {p.detail}' for p in problems], 3)})" if problems else ""


def _once(found: Iterable[Found], problems: list[Problem]) -> list[Found]:
    """The recordings without those whose id is taken already, which become problems."""
    kept: dict[str, Found] = {}
    for one in found:
        if kept.setdefault(one.id, one) is not one:
            first, path = next(iter(kept[one.id].files.values())), next(iter(one.files.values()))
            detail = f"the same subject, label and trial as {first}; a word like {{trial}} would tell them apart"
            problems.append(Problem("duplicate", one.id, shown(path), detail))
    return list(kept.values())


def _recording(
    one: Found, description: "Description", labels: Sequence[str], problems: list[Problem]
) -> Recording | None:
    """A recording with the streams that can be read; None where there are none, or its class is none."""
    path = next(iter(one.files.values()))
    strange = sorted(one.labels - {*labels, description.unlabelled})
    if strange:
        detail = f"'{strange[0]}' is none of the classes {', '.join(labels)}"
        problems.append(Problem("unknown", "", shown(path), detail))
        return None
    streams = {}
    for name, stated in sorted(description.streams.items()):
        if name not in one.files:
            problems.append(Problem("missing", one.id, shown(path), f"no {name} file of this recording"))
            continue
        try:
            streams[name] = stream_of(name, stated, one.files[name], one.reading)
        except DataError as error:
            problems.append(Problem("corrupt", one.id, shown(one.files[name]), error.problem))
    subject = one.values.get("subject", UNKNOWN)
    factors = {name: value for name, value in one.values.items() if name not in OWN}
    trial = one.values.get("trial") or one.number or ONCE
    timeline = _timeline(one, labels, description.null_class)
    if timeline is not None:
        label = timeline.longest
    else:
        label = UNLABELLED if one.values["label"] == description.unlabelled else labels.index(one.values["label"])
    if not streams:
        return None
    return Recording(one.id, subject, trial, label, subject, streams, factors=factors, timeline=timeline)


def _timeline(one: Found, labels: Sequence[str], null_class: str | None) -> Timeline | None:
    """What a recording shows over time, by class number; None where that is one class."""
    if one.spans is None:
        return None
    spans = tuple((start, end, labels.index(label)) for start, end, label in one.spans)
    return Timeline(spans, labels.index(null_class) if null_class else UNLABELLED)


def stream_of(name: str, stated: "StreamDescription", path: Path, part: Reading) -> Stream:
    """A stream of a recording as it is described; columns that are named are looked up in the file's first rows.

    Raises:
        DataError: the file is missing, empty, or has not these columns.
    """
    from vskd.datasets.sensors.folder_files import positions

    time = stated.time
    found = positions(path, [*stated.columns, *([time.column] if time else [])], stated)
    signs = stated.signs or (1,) * len(stated.axes)
    reading = Reading(
        separator=stated.separator or "",
        factors=tuple(sign * stated.factor for sign in signs),
        offset=stated.zero,
        time_unit_s=time.seconds(stated.rate_hz) if time else None,
        rows=part.rows,
        seconds=part.seconds,
        time_zone=(time.zone or "") if time else "",
        limit=stated.limit if stated.clip else 0.0,
    )
    return Stream(
        name,
        "sensor",
        path,
        stated.rate_hz,
        stated.stream_unit,
        stated.axes,
        variable=stated.variable,
        columns=tuple(found[: len(stated.columns)]),
        range_limit=stated.limit,
        time_column=found[-1] if time else None,
        calibrated=stated.calibrated,
        placement=stated.position,
        reading=reading,
    )


ENTRY = DatasetEntry(
    name=NAME,
    title="Sensor files of one's own",
    description="Recordings of a wearable in any folder and format; `vskd datasets import` describes them.",
    index=index,
    labels=(),
    streams=("accelerometer", "gyroscope", "video"),
    protocols=("cross-subject", "leave-one-subject-out"),
    url="",
    licence="whatever you agreed on with the people in it",
    citation="your own",
    obtain="Have your folder of files described: `vskd datasets import FOLDER --out DATASET`; see docs/own-data.md.",
    placement="",
    system="berkeley",
    defaults={"window": {"streams": ["accelerometer"]}, "frames": {"streams": ["video"]}},
    # Most wearables measure to 4 g and more; Berkeley's end at 2 g.
    recipes={"berkeley": {"student": {"sees": {"encoding": {"limit": 4.0}}}}},
)
