"""What the data sets of images share: reading CSV files, collecting recordings and problems."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError
from vskd.preprocessing.folders import composed, shown
from vskd.preprocessing.image.image_header import Box, clipped_box, peek_image
from vskd.preprocessing.table_file import Row, read_table

ONCE = "1"
"""Trial of an image where the data set has no sessions."""


def read_csv(path: Path, required: Sequence[str]) -> list[Row]:
    """The rows of a table, letters in one form of Unicode.

    Raises:
        DataError: see `read_table`.
    """
    rows = read_table(path, required)
    return [Row(row.line, {name: composed(cell) for name, cell in row.values.items()}) for row in rows]


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
