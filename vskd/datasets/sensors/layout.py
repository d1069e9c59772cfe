"""List recordings named as in UTD-MHAD, `a<action>_s<subject>_t<trial>_<stream>.<suffix>`, in any of its folders.

Used by every data set of that layout; a data set only says which files it has, its labels, subjects and trials.
"""

import fnmatch
import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from vskd.datasets.data_folder import require_folder
from vskd.datasets.recording import Index, Problem, Recording, Stream, StreamKind
from vskd.datasets.sensors.headers import check_mat_array, check_video
from vskd.errors import DataError
from vskd.preprocessing.folders import files_below, shown, subfolders

_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)(_\w+\.\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class StreamSpec:
    """One stream that a kind of file holds; the fields are those of `Stream`."""

    name: str
    kind: StreamKind
    rate_hz: float
    unit: str
    axes: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()
    range_limit: float = 0.0


@dataclass(frozen=True)
class FileSpec:
    """One kind of file: where it lies, how its name ends, and what must be inside.

    Attributes:
        folder: name of the top-level folder; matching ignores case and allows what follows (`RGB-part1` is `RGB`).
        endings: how file names end after `a1_s1_t1`, in the order of preference.
        streams: the streams it holds.
        variable: name of the array in a .mat file; empty for video.
        shape: shape of that array; None stands for any length.
    """

    folder: str
    endings: tuple[str, ...]
    streams: tuple[StreamSpec, ...]
    variable: str = ""
    shape: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Layout:
    """What a data set of this layout is expected to hold; `absent` names what its publisher left out."""

    dataset: str
    labels: tuple[str, ...]
    subjects: tuple[int, ...]
    trials: tuple[int, ...]
    files: tuple[FileSpec, ...]
    absent: frozenset[str] = frozenset()

    def expected(self) -> Iterator[str]:
        """Ids of the full grid action x subject x trial."""
        for action, subject, trial in itertools.product(range(1, len(self.labels) + 1), self.subjects, self.trials):
            yield f"a{action}_s{subject}_t{trial}"


@dataclass(frozen=True)
class _Listing:
    """Files found, per kind (in the layout's order) and id, sorted; and the problems of their names."""

    files: Mapping[FileSpec, Mapping[str, list[Path]]]
    problems: list[Problem]


def index_layout(root: Path, layout: Layout) -> Index:
    """List the recordings under `root`; only names and file headers are read.

    A stream that two kinds of files could give (depth, as video or as .mat) is taken from ONE kind for all recordings:
    the kind that covers more recordings, at a tie the one listed first. A file that is corrupt, or a second file of
    the same recording and stream, gives no stream; it is listed in the index's problems.

    Raises:
        DataError: `root` is missing, is no folder, or holds no file of this layout.
    """
    listing = _list_files(root, layout)
    chosen = _choose_kinds(listing.files)
    if not chosen:
        _refuse_empty(root, layout)
    problems = list(listing.problems)
    streams: dict[str, dict[str, Stream]] = {}
    broken: set[tuple[str, FileSpec]] = set()
    for spec, found in chosen.items():
        for recording, paths in found.items():
            problems += [_duplicate(recording, paths[0], other) for other in paths[1:]]
            try:
                streams.setdefault(recording, {}).update(_open(spec, paths[0]))
            except DataError as error:
                broken.add((recording, spec))
                problems.append(Problem("corrupt", recording, str(paths[0]), error.problem))
    recordings = [_recording(i, found) for i, found in sorted(streams.items()) if found]
    problems += _absences(root, layout, recordings, chosen, broken)
    problems.sort(key=lambda p: (p.kind, p.recording, p.path))
    return Index(layout.dataset, root, layout.labels, tuple(recordings), tuple(problems))


def _walk(root: Path, layout: Layout) -> Iterator[Path]:
    """Every file in the layout's folders, at any depth."""
    patterns = [spec.folder.lower() for spec in layout.files]
    for folder in subfolders(root):
        if any(fnmatch.fnmatchcase(folder.name.lower(), pattern + "*") for pattern in patterns):
            yield from files_below(folder)


def _list_files(root: Path, layout: Layout) -> _Listing:
    require_folder(root, layout.dataset)
    endings = {ending: spec for spec in layout.files for ending in spec.endings}
    files: dict[FileSpec, dict[str, list[Path]]] = {spec: {} for spec in layout.files}
    problems: list[Problem] = []
    for path in _walk(root, layout):
        match = _NAME.fullmatch(path.name)
        spec = endings.get(match[4].lower()) if match else None
        if match is None or spec is None:
            problems.append(Problem("unknown", "", shown(path), "its name is not one of this data set's"))
            continue
        action, subject, trial = (int(match[n]) for n in (1, 2, 3))
        recording = f"a{action}_s{subject}_t{trial}"
        reason = _misnumbered(layout, action, subject, trial)
        if reason:
            problems.append(Problem("unknown", recording, shown(path), reason))
            continue
        files[spec].setdefault(recording, []).append(path)
    for spec, found in files.items():
        for paths in found.values():
            paths.sort(key=lambda p: (len(p.parts), spec.endings.index(_ending(p)), str(p)))
    return _Listing({spec: found for spec, found in files.items() if found}, problems)


def _ending(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match[4].lower() if match else ""


def _misnumbered(layout: Layout, action: int, subject: int, trial: int) -> str:
    """Why a file name's numbers do not belong to this data set; empty if they do."""
    if not 1 <= action <= len(layout.labels):
        return f"action {action} is no class of {layout.dataset}, which has 1..{len(layout.labels)}"
    for word, number, known in (("subject", subject, layout.subjects), ("trial", trial, layout.trials)):
        if number not in known:
            return f"{word} {number} is not of {layout.dataset}, which has {known[0]}..{known[-1]}"
    return ""


def _choose_kinds(files: Mapping[FileSpec, Mapping[str, list[Path]]]) -> dict[FileSpec, Mapping[str, list[Path]]]:
    """Where several kinds of files give the same stream, keep the one that covers most recordings."""
    best: dict[str, FileSpec] = {}
    for spec, found in files.items():
        key = spec.streams[0].name
        if key not in best or len(found) > len(files[best[key]]):
            best[key] = spec
    return {spec: files[spec] for spec in best.values()}


def _refuse_empty(root: Path, layout: Layout) -> NoReturn:
    folders = ", ".join(dict.fromkeys(spec.folder for spec in layout.files))
    for child in sorted(p for p in root.iterdir() if p.is_dir()):
        if any((child / spec.folder).is_dir() for spec in layout.files):
            raise DataError(
                f"{root} holds no {layout.dataset} recordings, but {child} may",
                f"Pass --data {shlex.quote(str(child))}",
            )
    raise DataError(
        f"{root} holds no {layout.dataset} recordings (files like {folders}/a1_s1_t1{layout.files[0].endings[0]})",
        f"Give the folder that holds them with --data; `vskd datasets info {layout.dataset}` tells how to get the data",
    )


def _open(spec: FileSpec, path: Path) -> dict[str, Stream]:
    """The streams of one file, after a look at its header."""
    rate_hz = None
    if spec.variable:
        check_mat_array(path, spec.variable, spec.shape)
    else:
        rate_hz = check_video(path)
    return {
        s.name: Stream(
            s.name,
            s.kind,
            path,
            rate_hz or s.rate_hz,
            s.unit,
            s.axes,
            spec.variable,
            s.columns,
            range_limit=s.range_limit,
        )
        for s in spec.streams
    }


def _recording(recording: str, streams: Mapping[str, Stream]) -> Recording:
    action, subject, trial = (part[1:] for part in recording.split("_"))
    return Recording(recording, subject, trial, int(action) - 1, subject, dict(sorted(streams.items())))


def _duplicate(recording: str, kept: Path, other: Path) -> Problem:
    return Problem("duplicate", recording, str(other), f"recording {recording} is already given by {kept}")


def _absences(
    root: Path,
    layout: Layout,
    recordings: list[Recording],
    chosen: Mapping[FileSpec, Mapping[str, list[Path]]],
    broken: set[tuple[str, FileSpec]],
) -> list[Problem]:
    """Recordings that are not there, that lack one kind of file, or that have sensors without video or the reverse."""
    seen = {recording for found in chosen.values() for recording in found}
    problems = []
    for recording in layout.expected():
        if recording not in seen:
            note = " (nor is it in the published data set)" if recording in layout.absent else ""
            problems.append(Problem("missing", recording, str(root), f"no file of this recording{note}"))
    kinds = {_side(spec) for spec in chosen}
    for item in recordings:
        lacking = [spec for spec in chosen if item.id not in chosen[spec]]
        have = {_side(spec) for spec in chosen if item.id in chosen[spec] or (item.id, spec) in broken}
        if lacking and have != kinds:
            has, lacks = ("sensors", "video") if "sensors" in have else ("video", "sensors")
            path = str(next(iter(item.streams.values())).path)
            problems.append(Problem("unpaired", item.id, path, f"has {has} but no {lacks} of the same recording"))
            continue
        for spec in lacking:
            path = str(root / spec.folder / f"{item.id}{spec.endings[0]}")
            problems.append(Problem("missing", item.id, path, f"no {spec.streams[0].name} file of this recording"))
    return problems


def _side(spec: FileSpec) -> str:
    """Which of the two sides that are to be paired a kind of file belongs to."""
    return "video" if spec.streams[0].kind == "video" else "sensors"
