"""The words of the house: stream, recording and index. Making an index decodes nothing beyond headers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from vskd.datasets.timeline import UNLABELLED as UNLABELLED
from vskd.datasets.timeline import Timeline
from vskd.errors import DataError, first_few, natural_order
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sync.cut import Cut

StreamKind = Literal["sensor", "video", "image", "skeleton"]


@dataclass(frozen=True, slots=True)
class Stream:
    """One modality of a recording.

    Attributes:
        name: e.g. `accelerometer`, `gyroscope`, `skeleton`, `depth`, `rgb`, `image`.
        kind: `sensor` (samples over time), `video` (frames over time), `image` (one picture) or `skeleton` (joints over
            time).
        path: file that holds it.
        rate_hz: nominal samples or frames per second; 0 for an image, and for a video that nobody says it of.
        unit: unit of a sample, e.g. `g`, `deg/s`; `uint8` for video and images.
        axes: names of the channels, e.g. `("x", "y", "z")`.
        variable: name of the array inside a .mat file, empty elsewhere.
        columns: which columns of that array belong to this stream; empty means all.
        box: where the subject's face or body is in an image: x1, y1, x2, y2 in pixels of the file as it is stored
            (before a camera's rotation mark is applied); None where no box is known.
        range_limit: largest value that the device can measure, in `unit`; 0 where it is not known.
        time_column: column of the samples' time stamps in a text file; None where there is none, or it is not used.
        calibrated: whether an accelerometer must show about 1 g at rest; False of devices that were never calibrated,
            whose axes are off by so much that gravity says nothing about the unit.
        placement: where on the body the sensor is worn, or how the camera stands; empty where that is the same for the
            whole data set.
        reading: how cells become samples, and which part of the file the recording is, where a user has stated it.
        cut: the part that all streams of the recording cover, where `sync.csv` says it.
    """

    name: str
    kind: StreamKind
    path: Path
    rate_hz: float
    unit: str
    axes: tuple[str, ...] = ()
    variable: str = ""
    columns: tuple[int, ...] = ()
    box: tuple[float, float, float, float] | None = None
    range_limit: float = 0.0
    time_column: int | None = None
    calibrated: bool = True
    placement: str = ""
    reading: Reading | None = None
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One labelled trial; of a data set of images, one image.

    Attributes:
        id: unique name.
        subject: the person; trial: its number among the repetitions, or the session.
        label: class number; of a recording with a timeline, the class that it shows for the longest time.
        group: what must never straddle a split (subject, driver, source video).
        streams: by name.
        clip: the source video of an image; empty where it is not known.
        position: the image's frame number within `clip`.
        part: of the published split (`train`, `valid`, `test`); empty where there is none.
        factors: what else tells recordings apart, by name: session, scene, device. Protocols may split by them.
        timeline: of a long recording, what it shows when; None of one that shows one thing.
    """

    id: str
    subject: str
    trial: str
    label: int
    group: str
    streams: Mapping[str, Stream]
    clip: str = ""
    position: int | None = None
    part: str = ""
    factors: Mapping[str, str] = field(default_factory=dict)
    timeline: Timeline | None = None

    @property
    def classes(self) -> frozenset[int]:
        """The classes that it shows: one, or those of its timeline."""
        return frozenset({self.label}) if self.timeline is None else self.timeline.classes

    @property
    def unlabelled(self) -> bool:
        """Whether nobody knows its class."""
        return self.label == UNLABELLED and self.timeline is None

    def stream(self, name: str) -> Stream:
        """The stream called `name`.

        Raises:
            DataError: the recording has no such stream.
        """
        if name not in self.streams:
            have = ", ".join(sorted(self.streams)) or "none"
            raise DataError(
                f"Recording {self.id} has no stream '{name}' (it has: {have})",
                "Choose one of its streams, or complete the data set folder",
            )
        return self.streams[name]


@dataclass(frozen=True)
class Problem:
    """Something wrong in a data set folder: `kind` is missing, corrupt, duplicate, unpaired or unknown."""

    kind: Literal["missing", "corrupt", "duplicate", "unpaired", "unknown"]
    recording: str
    path: str
    detail: str


@dataclass(frozen=True)
class Index:
    """The list of a data set's recordings, sorted by id, and what was found wrong while listing them.

    `null_class` is the name of the class of what nobody labelled; empty where there is none. `unlabelled` are
    recordings whose class nobody knows (`UNLABELLED`): they train where a teacher speaks of them, and never test.
    """

    dataset: str
    root: Path
    labels: tuple[str, ...]
    recordings: tuple[Recording, ...]
    problems: tuple[Problem, ...] = field(default=())
    null_class: str = ""
    unlabelled: tuple[Recording, ...] = ()

    @property
    def everything(self) -> "Index":
        """All recordings in one list, those without a label among them."""
        if not self.unlabelled:
            return self
        both = sorted((*self.recordings, *self.unlabelled), key=lambda r: r.id)
        return replace(self, recordings=tuple(both), unlabelled=())

    def with_recordings(self, recordings: Iterable[Recording]) -> "Index":
        """The index of other recordings; those without a label stand by themselves."""
        given = tuple(recordings)
        known, bare = (tuple(r for r in given if r.unlabelled == wanted) for wanted in (False, True))
        return replace(self, recordings=known, unlabelled=bare)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    def __len__(self) -> int:
        return len(self.recordings)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects present, in natural order (2 before 10)."""
        return natural_order(r.subject for r in self.recordings)

    def by_id(self) -> dict[str, Recording]:
        """Recordings keyed by id.

        Raises:
            DataError: two recordings share an id.
        """
        counts = Counter(r.id for r in self.recordings)
        twice = sorted(i for i, n in counts.items() if n > 1)
        if twice:
            raise DataError(
                f"{self.root}: recording ids occur more than once: {first_few(twice, 5, ', ')}",
                "Remove or rename the duplicates; `vskd datasets index` lists them all",
            )
        return {r.id: r for r in self.recordings}

    def with_streams(self, names: Iterable[str]) -> tuple[Recording, ...]:
        """The recordings that have all of the streams `names`."""
        wanted = tuple(names)
        return tuple(r for r in self.recordings if all(n in r.streams for n in wanted))
