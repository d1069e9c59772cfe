"""A data set as a library user holds it: recordings, labels, subjects and splits, and windows as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vskd.datasets.catalog import get_dataset
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError, MissingExtraError, SettingError, first_few
from vskd.preprocessing.sensor.signals import Signal, resample_to_length

if TYPE_CHECKING:
    from vskd.datasets.splits.split import Split


@dataclass(frozen=True)
class OpenedDataset:
    """A data set in its folder. Nothing is decoded before it is asked for.

    Attributes:
        entry: what is known of the data set.
        index: the recordings found, and what was found wrong.

    Examples:
        >>> from vskd import open_dataset
        >>> world = open_dataset("synthetic", "world")
        >>> len(world.ids), world.class_names
        (24, ('swipe left', 'swipe right', 'wave'))
        >>> split = world.split("cross-subject")
        >>> x = world.windows("accelerometer", split.train)
        >>> y = world.labels_of(split.train)
        >>> x.shape, x.dtype, y.shape
        ((12, 3, 128), dtype('float32'), (12,))
        >>> sorted(set(world.subjects_of(split.train))), sorted(set(world.subjects_of(split.test)))
        (['1', '3'], ['2', '4'])
    """

    entry: DatasetEntry
    index: Index

    @property
    def ids(self) -> tuple[str, ...]:
        """Recordings, sorted by id."""
        return tuple(r.id for r in self.index)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In order of class number."""
        return self.index.labels

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """(recordings,), class number of each of `ids`."""
        return self.labels_of(self.ids)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subject of each of `ids`."""
        return self.subjects_of(self.ids)

    def labels_of(self, ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """(ids,), class number of each.

        Raises:
            DataError: the data set has no such recording.
            SettingError: one id is given where a list of them belongs.
        """
        return np.array([self.recording(i).label for i in _several(ids)], dtype=np.int64)

    def subjects_of(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Subject of each.

        Raises:
            DataError: the data set has no such recording.
            SettingError: one id is given where a list of them belongs.
        """
        return tuple(self.recording(i).subject for i in _several(ids))

    def recording(self, name: str) -> Recording:
        """The recording called `name`.

        Raises:
            DataError: there is none.
        """
        if name not in self._by_id:
            raise DataError(
                f"{self.index.root} has no recording '{name}'", f"Choose one of: {first_few(self.ids, 5, ', ')}"
            )
        return self._by_id[name]

    @cached_property
    def _by_id(self) -> dict[str, Recording]:
        return self.index.by_id()

    def split(self, protocol: str | None = None, fold: str | None = None) -> "Split":
        """Ids of the recordings that train, validate and test.

        Args:
            protocol: name, or path of a YAML file; None takes the folder's own one or else the data set's usual one,
                and its usual fold where none is named.
            fold: of a protocol that has folds.

        Raises:
            ProtocolError: no such protocol or fold, it does not fit the recordings, or none is named and the folder has
                several of its own.
            MissingExtraError: PyYAML is not installed.
        """
        try:
            from vskd.datasets.splits.own_protocols import usual_protocol
            from vskd.datasets.splits.protocol import load_protocol
        except ModuleNotFoundError as error:
            raise MissingExtraError("PyYAML", "train") from error
        if protocol is None:
            protocol, fold = usual_protocol(self.entry, self.index.root), fold or self.entry.fold
        return load_protocol(self.entry.name, protocol).split(self.index, fold)

    def windows(self, stream: str, ids: Sequence[str] | None = None, *, length: int = 128) -> npt.NDArray[np.float32]:
        """Whole recordings of a sensor, each resampled to one window, as the recipes' `window: whole` sees them.

        Args:
            stream: e.g. `accelerometer`.
            ids: recordings; None takes all that have the stream.
            length: samples of a window, at least 2.

        Returns:
            (recordings, axes, length), in the stream's unit.

        Raises:
            SettingError: the stream is no sensor's, `length` is below 2, or `ids` is a single one.
            DataError: a recording has no such stream, or its file is damaged; the file is named.
        """
        if length < 2:
            raise SettingError(f"length is {length}", "Set it to 2 or more")
        chosen = [r.id for r in self.index.with_streams([stream])] if ids is None else _several(ids)
        found = [self.recording(i).stream(stream) for i in chosen]
        windows = [resample_to_length(_signal(one), length) for one in found]
        if not windows:
            raise DataError(f"{self.index.root}: no recording of stream '{stream}' was named", "Name at least one")
        return np.stack(windows)


def _several(ids: Iterable[str]) -> Iterable[str]:
    """The ids; a text alone would be read letter by letter."""
    if isinstance(ids, str):
        raise SettingError(f"The ids are '{ids}', a text", f"Give a list of ids: ['{ids}']")
    return ids


def _signal(stream: Stream) -> Signal:
    """Samples of a stream, (axes, samples), evenly spaced."""
    if stream.kind != "sensor":
        raise SettingError(f"Stream '{stream.name}' is of the kind {stream.kind}", "Name a stream of a sensor")
    return read_stream(stream).bridged(stream.path)


def open_dataset(name: str, path: Path | str) -> OpenedDataset:
    """List the recordings of a data set.

    Args:
        name: of the data set, see `vskd datasets list`.
        path: its folder.

    Raises:
        DataError: no such data set, or the folder does not hold it.
        SettingError: the path is none, e.g. of an environment variable that is not set.

    Examples:
        >>> from vskd import open_dataset
        >>> open_dataset("synthetic", "world").index.subjects
        ('1', '2', '3', '4')
    """
    entry = get_dataset(name)
    if not isinstance(path, str | Path):
        raise SettingError(f"The path of {name} is {path!r}", "Give the folder of the data set, a str or a Path")
    return OpenedDataset(entry, entry.index(Path(path)))
