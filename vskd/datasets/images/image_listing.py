"""What the data sets of images share: walking folders, reading CSV files, collecting recordings and problems."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError
from vskd.preprocessing.folders import composed, shown
from vskd.preprocessing.image.image_header import Box, clipped_box, peek_image
from vskd.preprocessing.table_file import cells_of
from vskd.preprocessing.text_file import read_text

ONCE = "1"
"""Trial of an image where the data set has no sessions."""


@dataclass(frozen=True)
class Row:
    """One line of a CSV file."""

    line: int
    values: dict[str, str]


def read_csv(path: Path, required: Sequence[str]) -> list[Row]:
    """The lines of a CSV file with a header, values stripped and in one form of Unicode; empty lines are skipped.

    Separated by commas, semicolons or tabs.

    Raises:
        DataError: it cannot be read or parsed, lacks a column of `required`, or a line has too few or too many values.
    """
    first, *lines = cells_of(path, read_text(path)[0].splitlines()) or [[]]
    header = [name.strip().lower() for name in first]
    lacking = [name for name in required if name not in header]
    if lacking:
        raise DataError(
            f"{path} has no column {', '.join(lacking)} (it has: {', '.join(header) or 'nothing'})",
            f"Its first line must be the names of its columns: {', '.join(required)}",
        )
    rows = []
    for line, values in enumerate(lines, 2):
        if len(values) != len(header) and values:
            raise DataError(f"{path}, line {line}: {len(values)} values for {len(header)} columns", "Correct the line")
        if values:
            rows.append(Row(line, {n: composed(v.strip()) for n, v in zip(header, values, strict=True)}))
    return rows


def image_stream(path: Path, box: Box | None = None) -> Stream:
    """The stream `image` of one file, after a look at its header.

    Raises:
        DataError: the file is unreadable, empty, no image or tiny, or the box is not within it.
    """
    size = peek_image(path)
    if box is not None:
        clipped_box(box, size, path)
    return Stream("image", "image", path, 0.0, "uint8", box=box)


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image; the fields are those of `Recording`. The driver is what must not straddle a split."""

    label: int
    subject: str = UNKNOWN
    trial: str = ONCE
    clip: str = ""
    position: int | None = None
    part: str = ""


@dataclass
class Listing:
    """Recordings and problems found so far."""

    recordings: list[Recording] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self,
        kind: Literal["missing", "corrupt", "duplicate", "unpaired", "unknown"],
        recording: str,
        path: Path,
        detail: str,
    ) -> None:
        """Note something wrong."""
        self.problems.append(Problem(kind, recording, shown(path), detail))

    def add(self, name: str, path: Path, place: ImageFacts, box: Box | None = None) -> None:
        """Add the image `path` as the recording `name`; a file that is no usable image becomes a problem instead."""
        try:
            stream = image_stream(path, box)
        except DataError as error:
            self.problem("corrupt", name, path, error.problem)
            return
        self.recordings.append(_recording(name, place, {"image": stream}))

    def add_absent(self, name: str, place: ImageFacts) -> None:
        """Add a recording that is known by name alone: it has no stream."""
        self.recordings.append(_recording(name, place, {}))

    def index(self, dataset: str, root: Path, labels: tuple[str, ...]) -> Index:
        """What was found, sorted."""
        recordings = tuple(sorted(self.recordings, key=lambda r: r.id))
        problems = tuple(sorted(self.problems, key=lambda p: (p.kind, p.recording, p.path, p.detail)))
        return Index(dataset, root, labels, recordings, problems)


def _recording(name: str, place: ImageFacts, streams: dict[str, Stream]) -> Recording:
    return Recording(
        id=name,
        subject=place.subject,
        trial=place.trial,
        label=place.label,
        group=place.subject,
        streams=streams,
        clip=place.clip,
        position=place.position,
        part=place.part,
    )
