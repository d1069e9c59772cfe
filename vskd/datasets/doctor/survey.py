"""Everything that the checks look at, gathered in one pass over the files; no recording is kept.

Sensors are read once each, images once, of videos the headers.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vskd.datasets.doctor.measure import SensorFacts, in_one_scale, sensor_facts
from vskd.datasets.images.image_baselines import thumbnails
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.splits.contents import of_files
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import SplitFacts
from vskd.datasets.sync.table import FILE, SyncRow, read_sync
from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.video.probe import probe_video
from vskd.progress import track

Floats = npt.NDArray[np.float32]
IMAGE = "image"


@dataclass(frozen=True)
class Survey:
    """What was gathered.

    Attributes:
        index: of the data set.
        sensors: stream -> recording -> facts.
        unreadable: recording -> what is wrong with its file.
        contents: recording -> hash of what it holds: samples of its main stream, or the bytes of its image.
        sketches: recording -> a few numbers that say what it looks like.
        video_seconds: recording -> length of its first video by the header, where a rate is stated.
        sync: lines of `sync.csv`, where the folder has one.
        splits: of the protocol that is asked for; one for each fold.
        shared: for each split, what its parts share.
        protocol_problem: why the protocol cannot be used on this folder; empty where it can.
        window_s: length of the window that a model will see; 0 where recordings are seen whole.
    """

    index: Index
    sensors: Mapping[str, Mapping[str, SensorFacts]]
    unreadable: Mapping[str, str]
    contents: Mapping[str, str]
    sketches: Mapping[str, Floats]
    video_seconds: Mapping[str, float] = field(default_factory=dict)
    sync: tuple[SyncRow, ...] = ()
    splits: tuple[Split, ...] = ()
    shared: tuple[SplitFacts, ...] = ()
    protocol_problem: str = ""
    window_s: float = 0.0

    @property
    def total(self) -> int:
        """Recordings in the index, and those that are too damaged to be in it."""
        damaged = {p.recording for p in self.index.problems if p.kind == "corrupt"} - {r.id for r in self.index}
        return len(self.index) + len(damaged - {""})

    @property
    def name(self) -> str:
        """Data set and folder as a command takes them."""
        return f"{self.index.dataset} --data {shlex.quote(str(self.index.root))}"

    def stream(self, recording: str, stream: str) -> Stream:
        """The stream `stream` of a recording."""
        return self.by_id[recording].streams[stream]

    def is_null(self, recording: str) -> bool:
        """Whether a recording is of the null class as a whole."""
        one = self.by_id[recording]
        null = self.index.null_class
        return bool(null) and one.timeline is None and self.index.labels[one.label] == null

    @cached_property
    def by_id(self) -> dict[str, Recording]:
        """Recordings by id; of several with one id the first."""
        return {r.id: r for r in reversed(self.index.recordings)}


def survey_of(index: Index, *, main: str | None = None, window_s: float = 0.0) -> Survey:
    """Read a data set.

    Args:
        index: of its folder.
        main: sensor whose samples are compared between recordings; None takes the first.
        window_s: see `Survey`.
    """
    unreadable: dict[str, str] = {}
    sensors = _sensors(index, unreadable)
    main = main if main in sensors else next(iter(sensors), None)
    contents: dict[str, str] = {}
    sketches: dict[str, Floats] = {}
    if main is not None:
        contents = {i: facts.content for i, facts in sensors[main].items()}
        axes = len(next(iter(sensors[main].values())).direction)
        sketches = in_one_scale({i: facts.sketch for i, facts in sensors[main].items()}, axes)
    images = index.with_streams([IMAGE])
    if images:
        pictures = thumbnails(images)
        unreadable |= pictures.unreadable
        contents |= of_files({r.id: r.streams[IMAGE] for r in images})
        sketches |= {i: pictures.pixels[row].ravel() for i, row in pictures.row.items()}
    path = index.root / FILE
    return Survey(
        index=index,
        sensors=sensors,
        unreadable=unreadable,
        contents=contents,
        sketches=sketches,
        video_seconds=_video_seconds(index, unreadable),
        sync=read_sync(path) if path.is_file() else (),
        window_s=window_s,
    )


def _sensors(index: Index, unreadable: dict[str, str]) -> dict[str, dict[str, SensorFacts]]:
    found: dict[str, dict[str, SensorFacts]] = {}
    parts = [(r.id, s) for r in index for s in r.streams.values() if s.kind == "sensor"]
    for recording, stream in track(parts, "Reading sensors"):
        try:
            found.setdefault(stream.name, {})[recording] = sensor_facts(stream)
        except DataError as error:
            unreadable[recording] = error.problem
    return dict(sorted(found.items()))


def _video_seconds(index: Index, unreadable: dict[str, str]) -> dict[str, float]:
    seconds = {}
    filmed = [(r.id, [s for s in r.streams.values() if s.kind == "video"]) for r in index]
    for recording, streams in track([one for one in filmed if one[1]], "Reading headers of videos"):
        try:
            frames, *_ = [probe_video(stream.path, stream.variable).num_frames for stream in streams]
        except DataError as error:
            unreadable[recording] = error.problem
            continue
        except MissingExtraError:
            return {}
        if frames and streams[0].rate_hz:
            seconds[recording] = frames / streams[0].rate_hz
    return seconds
