"""What a modality is: how one kind of stream becomes network input. One file each; the engine asks no further.

To add one: a file beside this one with its settings (a `Sees`) and its inputs (an `Inputs`), one line in catalog.py and
one mirrored test. The shared contract tests then run on it by themselves.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field
from torch import Tensor, nn

from vskd.bundle.contract import Contract
from vskd.datasets.recording import UNLABELLED, Recording, Stream, StreamKind
from vskd.datasets.sensors.copies_file import FoundCopies
from vskd.datasets.splits.contents import part_hash
from vskd.errors import SettingError
from vskd.files import sha256_json
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.file_hashes import file_hashes
from vskd.preprocessing.stores.store_file import Store
from vskd.schema import Strict

Sample = npt.NDArray[Any]

FINGERPRINT_DIGITS = 16
"""Of a hash in hexadecimal: among a million recordings two are alike by chance once in 10^7 data sets."""


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        ids: recordings.
        inputs: samples, the batch first.
        labels: (batch,) int64; of a mirror image, the class of the mirror image.
        positions: (batch,) int64, each sample's place in the list that the batches were made of.
    """

    ids: tuple[str, ...]
    inputs: Tensor
    labels: Tensor
    positions: Tensor


class Batches(Protocol):
    """The batches of one epoch; `samples` is how many samples there are to show."""

    samples: int

    def __len__(self) -> int:
        """How many batches."""

    def __iter__(self) -> Iterator[Batch]:
        """The batches, in an order that the epoch's seed decides."""


class Sees(Strict):
    """What a network sees: a modality of one or more streams, with the modality's own settings.

    Attributes:
        modality: which; a subclass makes it a literal.
        streams: of the data set, by name.
    """

    modality: str
    streams: Annotated[tuple[str, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Source:
    """The recordings that samples are read from, and what a modality has to know of their data set.

    Attributes:
        dataset: its name.
        recordings: by id; all have the streams that are seen.
        class_names: in order of class number.
        label_swap: class -> class of the mirror image, where it changes; None where nothing may be mirrored.
        placement: where the sensor is worn, or the camera is mounted.
        cache: folder of the stores.
        max_bad_fraction: share of unreadable recordings that is tolerated.
        hidden: recordings whose label training must not see.
    """

    dataset: str
    recordings: Mapping[str, Recording]
    class_names: tuple[str, ...]
    label_swap: Mapping[str, str] | None
    placement: str
    cache: Path
    max_bad_fraction: float = 0.02
    hidden: frozenset[str] = frozenset()

    def labels_of(self, ids: Sequence[str]) -> list[int]:
        """Class numbers of recordings; `UNLABELLED` of hidden ones."""
        return [UNLABELLED if i in self.hidden else self.recordings[i].label for i in ids]

    def mirror_labels(self) -> tuple[int, ...]:
        """The class of the mirror image of each class.

        Raises:
            SettingError: the classes of the data set do not fit mirror images.
        """
        swap, names = self.label_swap, self.class_names
        if swap is None:
            raise SettingError(
                f"sees.augmentation.flip: the classes of '{self.dataset}' do not fit mirror images", "Set it to 0"
            )
        return tuple(names.index(swap.get(name, name)) for name in names)


LABELS = "labels"
"""The part of the data that is no stream: ids, classes and subjects."""

Rows = Mapping[str, Mapping[str, str]]
"""Recording -> part of its data (`LABELS`, or a stream by name) -> hash."""


def data_rows(source: Source, streams: Sequence[str]) -> Rows:
    """What is on disk of some streams, recording by recording.

    By content: the bytes of the files, how they are read (columns, rate, unit), boxes, subjects, and classes by name.
    Nothing is decoded; where the folder lies and when its files were written does not count. Files are hashed once, see
    `vskd.preprocessing.file_hashes`.

    Raises:
        DataError: a recording lacks one of the streams.
    """
    recordings = source.recordings.values()
    found = {r.id: [r.stream(name) for name in sorted(set(streams))] for r in recordings}
    contents = file_hashes((stream.path for own in found.values() for stream in own), source.cache)
    return {
        r.id: {
            LABELS: sha256_json([*_labels(r, source.class_names), r.subject]),
            **{stream.name: sha256_json([contents[stream.path], _how_read(stream)]) for stream in found[r.id]},
        }
        for r in recordings
    }


def _labels(recording: Recording, names: Sequence[str]) -> list[Any]:
    """The class of a recording by name; of a timeline all of it."""
    if recording.timeline is None:
        return [names[recording.label] if recording.label != UNLABELLED else None]
    spans = [[start, end, names[label]] for start, end, label in recording.timeline.spans]
    elsewhere = recording.timeline.elsewhere
    return [spans, names[elsewhere] if elsewhere != UNLABELLED else None]


def _how_read(stream: Stream) -> dict[str, Any]:
    """What decides what a file means, beside its content; a `reading` and a `cut` only where there is one."""
    fields = [f.name for f in dataclasses.fields(stream) if f.name not in ("path", "reading", "cut")]
    stated = {name: getattr(stream, name) for name in fields}
    if stream.reading is not None:
        stated["reading"] = stream.reading.told()
    if stream.cut is not None:
        stated["cut"] = dataclasses.asdict(stream.cut)
    return stated


def data_parts(rows: Rows, class_names: Sequence[str]) -> dict[str, str]:
    """One hash for the labels and for each stream of some recordings, whatever their order."""
    parts = sorted({part for row in rows.values() for part in row})
    hashes = {part: sha256_json({i: row[part] for i, row in rows.items()}) for part in parts}
    return {**hashes, LABELS: sha256_json([list(class_names), hashes.get(LABELS)])}


def data_hash(source: Source, streams: Sequence[str]) -> str:
    """Hash of what is on disk of some streams of all recordings; see `data_rows`.

    Raises:
        DataError: a recording lacks one of the streams.
    """
    return sha256_json([source.dataset, data_parts(data_rows(source, streams), source.class_names)])


class Inputs(ABC):
    """The samples of recordings as one network sees them. Nothing is read before it is asked for.

    Args:
        source: the recordings.
        sees: the modality's settings.

    Attributes:
        reads: kind of its streams.
        exported: whether a network that sees this modality can be shipped in a bundle.
        unstored: settings that change nothing of what the store holds.
    """

    reads: ClassVar[StreamKind]
    exported: ClassVar[bool] = False
    unstored: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, source: Source, sees: Any) -> None:
        self.source, self.sees = source, sees

    @property
    def name(self) -> str:
        """The streams, for messages."""
        return " + ".join(self.sees.streams)

    @property
    def stream(self) -> str:
        """The one stream that is seen.

        Raises:
            SettingError: there are several.
        """
        name, *more = self.sees.streams
        if more:
            raise SettingError(
                f"modality '{self.sees.modality}' sees one stream, not {len(self.sees.streams)} ({self.name})",
                "Name one in `streams`",
            )
        return str(name)

    def streams(self) -> dict[str, Stream]:
        """The one stream that is seen, of every recording by id.

        Raises:
            SettingError: there are several, or it is not of the kind that the modality reads.
            DataError: a recording lacks it.
        """
        return self.streams_of(self.stream)

    def streams_of(self, name: str) -> dict[str, Stream]:
        """The stream called `name` of every recording by id; see `streams`."""
        found = {i: recording.stream(name) for i, recording in self.source.recordings.items()}
        kinds = {stream.kind for stream in found.values()} - {self.reads}
        if kinds:
            raise SettingError(
                f"modality '{self.sees.modality}' reads {self.reads} streams; '{name}' is {kinds.pop()}",
                "Name another stream, or another modality",
            )
        return found

    @property
    @abstractmethod
    def store(self) -> Store:
        """Where the samples lie; built on first use, in `source.cache`."""

    @property
    def ids(self) -> frozenset[str]:
        """Recordings whose sample is usable."""
        return self.store.ids

    @property
    def problems(self) -> Mapping[str, str]:
        """Of the others, by id: what was wrong."""
        return self.store.problems

    def fingerprints(self, ids: Sequence[str]) -> dict[str, str]:
        """What tells the content of recordings from others, in any data set and under any id.

        Of each the hash of its file, and of the samples decoded from it, which files written otherwise share.

        Args:
            ids: recordings; those that are not usable are left out.

        Returns:
            Beginning of the hash -> id.
        """
        usable, contents = [i for i in ids if i in self.ids], self.store.contents
        streams = [(self.source.recordings[i].stream(name), i) for i in usable for name in self.sees.streams]
        files = file_hashes((stream.path for stream, _ in streams), self.source.cache)
        known = [(part_hash(files[s.path], s), i) for s, i in streams] + [(contents[i], i) for i in usable]
        return {content[:FINGERPRINT_DIGITS]: i for content, i in known}

    @property
    def near_copies(self) -> FoundCopies | None:
        """Recordings in the store that hold one movement and not the same samples; None of what has none to compare."""
        return None

    @cached_property
    def store_hash(self) -> str:
        """Hash of the data and of the settings that decide what the store holds."""
        settings = self.sees.model_dump(mode="json", exclude=set(self.unstored))
        return sha256_json([data_hash(self.source, self.sees.streams), settings])

    @property
    def store_file(self) -> Path:
        """Where the store lies: inputs with the same data and settings share it."""
        return self.source.cache / f"{self.sees.modality}-{'+'.join(self.sees.streams)}-{self.store_hash[:12]}.h5"

    @property
    def hash(self) -> str:
        """Hash of the data and everything that decides the samples before random changes."""
        return self.store_hash

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, as batches hold it."""

    @property
    @abstractmethod
    def kind(self) -> TensorKind:
        """What reaches the network, behind `front`."""

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one sample as the network sees it, behind `front`: as batches hold it, where that changes none."""
        return self.shape

    @property
    @abstractmethod
    def augmented(self) -> bool:
        """Whether training changes samples at random."""

    @property
    def mirrored(self) -> bool:
        """Whether a change may turn a sample into one of another class."""
        return False

    def front(self) -> nn.Module:
        """What stands between sample and network and is exported with it or before it: an encoding, or nothing."""
        return nn.Identity()

    @abstractmethod
    def batches(
        self,
        ids: Sequence[str],
        *,
        batch_size: int,
        seed: int | None = None,
        sampling: Sampling = "natural",
    ) -> Batches:
        """The samples of `ids`.

        Args:
            ids: recordings; one may have several samples.
            batch_size: largest number of samples in a batch.
            seed: of one epoch: order, random changes; None gives the samples in order and unchanged.
            sampling: of an epoch; used only with a seed.
        """

    def sample_labels(self, ids: Sequence[str]) -> list[int]:
        """Class numbers by which classes are weighed: of recordings, or of the samples of those that show several."""
        return self.source.labels_of(ids)

    @property
    def several(self) -> bool:
        """Whether a recording may have several samples."""
        return False

    @abstractmethod
    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """What the network sees of a few recordings.

        Args:
            captions: recording -> its caption.
            who: `student` or `teacher`.

        Returns:
            Title -> PNG; empty where there is nothing to look at.
        """

    def contract(self, train: Sequence[str], *, encoding_inside: bool = False) -> Contract:
        """What a bundle asks of its input, read off the training recordings.

        Raises:
            SettingError: the modality cannot be exported.
        """
        raise SettingError(
            f"A network that sees {self.sees.modality} cannot be shipped in a bundle",
            "Export a student that sees one of the exported modalities: window, image, clip",
        )

    @classmethod
    def asks(cls, contract: Contract) -> dict[str, Any] | None:
        """The content of `sees` that feeds a bundle from a data set, or None where its contract is not of this kind."""
        return None

    def deployed(self, samples: Tensor) -> Sample:
        """Samples of a batch as the contract describes them, e.g. 8-bit pixels for images."""
        return np.asarray(samples)
