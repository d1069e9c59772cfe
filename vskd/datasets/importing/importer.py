"""From a folder of sensor files to a data set: find out how they are read, and write it down beside a preview.

Whatever cannot be told is refused with the flag that says it; nothing is asked, and no file is copied or changed.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vskd.datasets.importing.columns import number_of
from vskd.datasets.importing.layout import Layout, find_layout, layouts_by_stream
from vskd.datasets.importing.preview import draw_preview
from vskd.datasets.importing.protocols import folder_protocols
from vskd.datasets.importing.sensor_stream import understand_stream
from vskd.datasets.importing.stated import Guess, Stated
from vskd.datasets.importing.videos import STREAM as VIDEO
from vskd.datasets.importing.videos import TABLE as VIDEO_TABLE
from vskd.datasets.importing.videos import Paired, pair_videos
from vskd.datasets.recording import Index
from vskd.datasets.sensors.folder_description import FORMAT, Column
from vskd.datasets.sensors.folder_found import FILE
from vskd.datasets.sensors.folder_timeline import UNLABELLED_CELLS
from vskd.datasets.sensors.sensor_folder import index
from vskd.datasets.signal_report import report_signals
from vskd.errors import DataError, first_few, natural_order, rounded
from vskd.files import WriteError, write_text
from vskd.preprocessing.sensor.samples import Samples
from vskd.yaml_text import dump_yaml

PREVIEW = "preview.png"
NAMED = 4
"""Of the recordings or files that a note is about."""


@dataclass(frozen=True)
class Imported:
    """What an import wrote.

    Attributes:
        index: of the data set, read back.
        guesses: what was found out, and which flag changes it.
        notes: what a user should know.
        protocols: written beside dataset.yaml.
        preview: the plot.
    """

    index: Index
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]
    protocols: tuple[Path, ...]
    preview: Path


def import_folder(folder: Path, out: Path, stated: Stated) -> Imported:
    """Describe a folder of sensor files in `out`, which becomes a data set of the kind `sensor-folder`.

    Args:
        folder: of the files; they stay there.
        out: folder for dataset.yaml, protocols and the preview.
        stated: what need not be guessed.

    Raises:
        DataError: something cannot be told, or is contradicted; the flag that says it is named.
        WriteError: `out` holds a data set already, or cannot be written.
    """
    if (out / FILE).exists():
        raise WriteError(f"{out / FILE} is there already", "Delete it, or choose another folder with --out")
    layouts = layouts_by_stream(find_layout(folder, stated), folder, stated)
    parts = [understand_stream(layout, folder, said) for layout, said in layouts]
    streams = {name: stream for part in parts for name, stream in part.streams.items()}
    layout, stated = layouts[0]
    description = _description(folder, out, layout, streams, parts[0].first, parts[0].content, stated)
    _check_before_writing(out, description)
    videos = _add_videos(out, folder, description, stated)
    found = index(out)
    protocols = folder_protocols(found, out)
    draw_preview(found, stated.stream, out / PREVIEW)
    guesses = [guess for part in parts for guess in part.guesses]
    notes = [*layout.notes, *(note for part in parts for note in part.notes), *_index_notes(found)]
    notes += [note for _, said in layouts for note in _signal_notes(found, folder, said)]
    every = (layout.guess, *dict.fromkeys((*guesses, *_found_guesses(found, stated))), *_video_guesses(videos, found))
    notes += videos.notes if videos else ()
    return Imported(found, every, tuple(dict.fromkeys(notes)), protocols, out / PREVIEW)


def _add_videos(out: Path, folder: Path, description: dict[str, Any], stated: Stated) -> Paired | None:
    """Pair the videos of the folder, and write the pairs down."""
    try:
        paired = pair_videos(index(out).everything, out / description["root"], folder, stated)
    except DataError:
        (out / FILE).unlink()
        raise
    if paired and paired.pairs:
        rows = [f"{recording},{_cell(video)}" for recording, video in sorted(paired.pairs.items())]
        write_text(out / VIDEO_TABLE, "\n".join(["recording,video", *rows, ""]))
        description["videos"] = {VIDEO: {"table": VIDEO_TABLE}}
        write_text(out / FILE, dump_yaml(description))
    return paired


def _cell(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""')) if set(text) & set(',";\t') else text


def _video_guesses(paired: Paired | None, found: Index) -> tuple[Guess, ...]:
    if paired is None:
        return ()
    rates = sorted({r.streams[VIDEO].rate_hz for r in found if VIDEO in r.streams} - {0.0})
    shown = f"{first_few([f'{rate:.4g}' for rate in rates], 4, ', ')} frames/s" if rates else "frame rate not said"
    said = f"{len(paired.pairs)} paired, {shown}" if paired.pairs else "none paired"
    return (Guess("videos", said, paired.source, "--video-pattern, --video-table, --pair-videos"),)


def _description(
    folder: Path,
    out: Path,
    layout: Layout,
    streams: Mapping[str, Any],
    first: Path,
    content: Samples,
    stated: Stated,
) -> dict[str, Any]:
    """The content of dataset.yaml."""

    def column(word: str | None, flag: str) -> Column | None:
        if word is None:
            return None
        number = number_of(first, content, word, flag)
        return content.names[number] if content.names else number

    said = {
        "table": _relative(layout.table, out) if layout.table else None,
        "table_columns": dict(layout.table_columns) or None,
        "label_column": column(stated.label_column, "--label-column"),
        "subject_column": column(stated.subject_column, "--subject-column"),
        "factor_columns": list(stated.factor_columns) or None,
        "null_class": stated.null_class,
        "unlabelled": stated.unlabelled,
        "whole_files": stated.whole_files or None,
    }
    return {
        "format": FORMAT,
        "root": _relative(folder, out),
        **{key: value for key, value in said.items() if value is not None},
        "streams": dict(streams),
    }


def _relative(path: Path, folder: Path) -> str:
    """A path from a folder; as it is where there is none, e.g. on another disk of Windows."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _check_before_writing(out: Path, description: Mapping[str, Any]) -> None:
    """Write dataset.yaml; take it away again where it describes no data set.

    Raises:
        DataError: see `index`.
    """
    write_text(out / FILE, dump_yaml(dict(description)))
    try:
        index(out)
    except DataError:
        (out / FILE).unlink()
        raise


def _found_guesses(found: Index, stated: Stated) -> tuple[Guess, ...]:
    """What was found out of the recordings as a whole."""
    labels, bare = "label column" if stated.label_column else "names or table", bool(found.unlabelled)
    people = found.everything.subjects
    subjects = f"{len(people)}: {first_few(list(people), 6, ', ')}"
    factors: dict[str, set[str]] = {}
    for recording in found.everything:
        for name, value in recording.factors.items():
            factors.setdefault(name, set()).add(value)
    said = [f"{name} {first_few(natural_order(values), 4, ', ')}" for name, values in sorted(factors.items())]
    return (
        Guess("subjects", subjects, "subject column" if stated.subject_column else "names or table", "--pattern"),
        Guess("labels", f"{len(found.labels)}: {first_few(list(found.labels), 8, ', ')}", labels, "--pattern"),
        *([Guess("unlabelled", f"{len(found.unlabelled)} recordings", "--unlabelled", "--unlabelled")] if bare else []),
        *([Guess("factors", "; ".join(said), "names, table or columns", "--pattern")] if said else []),
    )


def _signal_notes(found: Index, folder: Path, stated: Stated) -> list[str]:
    """What all recordings show, read to the end: what training would refuse, and what it would not."""
    found = found.everything
    report = report_signals(found, stated.stream)
    action = (
        " and are refused by training, which stops where they are more than 2 %: remove them, or say --unit UNIT "
        "--uncalibrated if the device is known for it (calibrated: false in dataset.yaml)"
    )
    said = {
        "cannot be read": list(report.unreadable),
        f"do not show 1 g at rest{'' if stated.uncalibrated else action}": report.having("gravity"),
        f"have gaps in time, the longest {rounded(report.longest_gap_s, 2)} s": report.having("gaps"),
        "reach the range of the device": report.having("saturated"),
    }
    files = {r.id: os.path.relpath(r.stream(stated.stream).path, folder) for r in found.with_streams([stated.stream])}
    named = {what: list(dict.fromkeys(files[i] for i in ids)) for what, ids in said.items()}
    return [
        f"{len(ids)} of {len(found)} recordings ({first_few(named[what], NAMED, ', ')}) {what}"
        for what, ids in said.items()
        if ids
    ]


def _index_notes(found: Index) -> list[str]:
    """What the index of the new data set says is wrong, counted by kind."""
    counts: dict[str, int] = {}
    for problem in found.problems:
        counts[problem.kind] = counts.get(problem.kind, 0) + 1
    named = f"`vskd datasets index {shlex.quote(str(found.root))}` names them"
    notes = [f"{count} {kind}: {named}" for kind, count in counts.items()]
    alike = [label for label in found.labels if label.lower() in {*UNLABELLED_CELLS, "unknown"} - {found.null_class}]
    notes += [f"'{label}' is a class; if it means that nobody knows it, say --unlabelled {label}" for label in alike]
    bare = [r.id for r in found.unlabelled if VIDEO not in r.streams]
    if "0" in found.labels and not found.null_class and all(label.isdecimal() for label in found.labels):
        notes.append("'0' is a class; if it means that nobody labelled these rows, say --null-class 0")
    if bare:
        notes.append(
            f"{len(bare)} recordings without a label have no video that a teacher could see: "
            f"{first_few(bare, NAMED, ', ')}"
        )
    nobodys = [r.id for r in found.everything if r.subject == "unknown"]
    if nobodys:
        notes.append(
            f"nobody knows the subject of {len(nobodys)} recordings ({first_few(nobodys, NAMED, ', ')}): no protocol "
            "can keep people apart (--pattern, --table)"
        )
    return notes
