"""Windows of a sensor stream, as they are or encoded as images."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import Tensor

from vskd.bundle.contract import Contract, EncodingContract, SensorContract, StreamContract
from vskd.datasets.recording import UNLABELLED, Stream
from vskd.datasets.sensors.copies_file import FoundCopies, looking_for_copies, read_copies
from vskd.datasets.sensors.source import joined_source
from vskd.datasets.window_labels import LabelRule, window_labels
from vskd.errors import SettingError
from vskd.files import sha256_json
from vskd.modalities.base import Inputs, Sees
from vskd.modalities.batches import EpochBatches
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.matfile import mat_shape
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.sensor.encodings import AnyEncoding, Encoding, effective
from vskd.preprocessing.sensor.resampling import plan_resampling
from vskd.preprocessing.sensor.sensor_range import estimate_range
from vskd.preprocessing.stores.window_store import (
    RESAMPLING_VERSION,
    Mode,
    WindowSettings,
    WindowStore,
    build_window_store,
    channel_names,
    read_whole,
)
from vskd.schema import Count, Fraction, OnlyWhere, Positive, only_where, parse, required_where

LENGTH_MARGIN = 0.5
"""A recording may be this much shorter or longer than any that the model was trained on."""
ANY_LENGTH = 10**9
ROTATED_AXES = 3


def samples_for(length: int, window_rate_hz: float, rate_hz: float) -> int:
    """Fewest samples at `rate_hz` that give `length` at `window_rate_hz`.

    >>> samples_for(32, 50.0, 50.0), samples_for(32, 25.0, 50.0)
    (32, 63)
    """
    return plan_resampling(rate_hz, window_rate_hz).fewest(length)


def one_array(streams: Sequence[Stream]) -> bool:
    """Whether streams lie in one array of the data set's own .mat files, whose unit and rate need not be said again.

    Files that a user describes may be in any unit: a bundle asks for that of each file.
    """
    if any(s.path.suffix.lower() != ".mat" or s.reading is not None for s in streams):
        return False
    return len({(s.path, s.variable) for s in streams}) == 1 and (len(streams) == 1 or all(s.columns for s in streams))


def _is_at(stream: Stream, rate_hz: float) -> bool:
    """Whether the samples are at a rate for certain: no clock says another one."""
    stated = stream.time_column is not None or stream.reading is not None or stream.cut is not None
    return stream.rate_hz == rate_hz and not stated


class WindowSees(Sees):
    """Windows of `length` samples of one sensor stream, or of several streams with their channels one below the other.

    Attributes:
        window: `whole` resamples the whole recording to `length`; `sliding` resamples it to `rate_hz` and takes a
            window every `stride` samples.
        length: samples of a window.
        rate_hz, stride: of sliding windows.
        encoding: what becomes of a window in front of the network.
        augmentation: random changes of training windows.
        window_labels: of sliding windows of recordings that are labelled over time: a window's label is that of most of
            its time (`majority`), or of its middle (`centre`).
        most_mixed: training leaves out windows of which a larger share has another label; evaluation keeps all.
        limits: of several streams: range of each in its own unit, in their order. Its samples are divided by it, so
            that streams in g and deg/s share a window; the encoding's own limit is then 1.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "rate_hz": required_where("window", "sliding"),
        "stride": required_where("window", "sliding"),
        "window_labels": only_where("window", "sliding", default="majority"),
        "most_mixed": only_where("window", "sliding", default=1.0),
    }
    modality: Literal["window"] = "window"
    window: Mode = "whole"
    length: Annotated[int, Field(ge=8, le=8192)] = 128
    rate_hz: Positive | None = None
    stride: Count | None = None
    window_labels: LabelRule | None = None
    most_mixed: Fraction | None = None
    encoding: AnyEncoding = parse(AnyEncoding, {"method": "gasf+gadf"})
    augmentation: WindowAugmentation = WindowAugmentation()
    limits: tuple[Positive, ...] | None = None

    @model_validator(mode="after")
    def _limits_fit(self) -> "WindowSees":
        if self.limits is None:
            return self
        if len(self.streams) == 1 or self.encoding.scaling != "fixed":
            raise ValueError("limits does nothing here: it counts only for several streams with fixed scaling")
        if len(self.limits) != len(self.streams):
            raise ValueError(f"limits has {len(self.limits)} entries for {len(self.streams)} streams")
        if self.encoding.limit != 1:
            raise ValueError("limits makes every stream a fraction of its own range: set encoding.limit to 1")
        return self

    @model_serializer(mode="wrap")
    def _as_before_there_were_others(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        for key in ("limits", "window_labels", "most_mixed"):
            if getattr(self, key) is None:
                content.pop(key, None)
        return content

    @property
    def scales(self) -> tuple[float, ...]:
        """What the samples of each stream are divided by."""
        return self.limits or (1.0,) * len(self.streams)


@dataclass(frozen=True)
class WindowLabels:
    """Labels of the windows of a recording that shows several classes.

    Attributes:
        labels: int64 (windows,); `UNLABELLED` where nobody knows it.
        learned: bool (windows,), which training learns from.
    """

    labels: npt.NDArray[np.int64]
    learned: npt.NDArray[np.bool_]


def _labelled_windows(of: int | WindowLabels, count: int, *, training: bool) -> list[tuple[int, int]]:
    """The windows of a recording that are shown, and the label of each."""
    if isinstance(of, int):
        return [(k, of) for k in range(count)]
    labels = of.labels.tolist()
    shown = np.flatnonzero(of.learned).tolist() if training else range(count)
    return [(k, labels[k]) for k in shown]


class WindowBatches(EpochBatches[torch.Generator]):
    """Windows of recordings, float32 (batch, channels, samples) in the stream's unit.

    Args:
        store: where windows are read.
        ids: recordings; one with several (sliding) windows gives several samples.
        labels: class number of each recording; of one that shows several classes, those of its windows.
        batch_size, seed, sampling: see `EpochBatches`.
        augmentation: used only with a seed.
        places: of each three channels, where their sensor is worn; see `WindowAugmentation`.
    """

    def __init__(
        self,
        store: WindowStore,
        ids: Sequence[str],
        labels: Sequence[int | WindowLabels],
        *,
        batch_size: int,
        seed: int | None = None,
        augmentation: WindowAugmentation | None = None,
        sampling: Sampling = "natural",
        places: tuple[str, ...] = ("",),
    ) -> None:
        self._store, self._augmentation, self._places = store, augmentation, places
        items = [
            (i, k, label)
            for i, of in zip(ids, labels, strict=True)
            for k, label in _labelled_windows(of, store.num_windows(i), training=seed is not None)
        ]
        self._windows = [(i, k) for i, k, _ in items]
        super().__init__(
            [i for i, _, _ in items],
            [label for _, _, label in items],
            batch_size=batch_size,
            seed=seed,
            sampling=sampling,
        )

    def _random(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed or 0)

    def _read(self, positions: list[int], labels: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = [self._windows[p] for p in positions]
        windows = torch.from_numpy(np.stack([self._store.window(i, k) for i, k in chosen]))
        if self.seed is not None and self._augmentation is not None:
            windows = self._augmentation(windows, random, self._places)
        return windows, labels


class WindowInputs(Inputs):
    """Windows of one sensor stream, or of several."""

    reads = "sensor"
    exported = True
    # the encoding is the network's front, see `front`; labels are no samples
    unstored = frozenset({"augmentation", "encoding", "window_labels", "most_mixed"})
    sees: WindowSees

    @cached_property
    def store_hash(self) -> str:
        """Hash of the data and of the settings that decide what the store holds."""
        stored, rate = super().store_hash, self.sees.rate_hz
        if rate is None or all(_is_at(s, rate) for name in self.sees.streams for s in self.streams_of(name).values()):
            return stored
        return sha256_json([stored, RESAMPLING_VERSION])

    @cached_property
    def store(self) -> WindowStore:
        """The store of windows, built on first use."""
        sources = {i: joined_source(i, parts, self.sees.scales) for i, parts in self.parts().items()}
        cut = WindowSettings(self.sees.window, self.sees.length, self.sees.rate_hz, self.sees.stride)
        with looking_for_copies(self.store_file, lambda i: read_whole(sources[i], cut)) as keep:
            build_window_store(
                list(sources.values()),
                self.store_file,
                **dataclasses.asdict(cut),
                max_bad_fraction=self.source.max_bad_fraction,
                overwrite=True,
                keep=keep,
            )
        return WindowStore(self.store_file)

    @cached_property
    def near_copies(self) -> FoundCopies:
        """See `Inputs.near_copies`; of all streams together."""
        return read_copies(self.store.path)

    def parts(self) -> dict[str, tuple[Stream, ...]]:
        """The streams that are seen, of every recording by id.

        Raises:
            SettingError: one is no sensor's, or they are in several units and `limits` does not say their ranges.
            DataError: a recording lacks one.
        """
        each = [self.streams_of(name) for name in self.sees.streams]
        found = {i: tuple(streams[i] for streams in each) for i in self.source.recordings}
        units = dict.fromkeys(stream.unit for stream in next(iter(found.values())))
        if len(units) > 1 and self.sees.limits is None and self.sees.encoding.scaling == "fixed":
            raise SettingError(
                f"sees: the streams {self.name} are in {' and '.join(units)}, and one limit cannot scale them all",
                "Set sees.limits to the range of each in its unit, e.g. [4, 1000], and sees.encoding.limit to 1",
            )
        return found

    @cached_property
    def first(self) -> tuple[Stream, ...]:
        """The streams of one recording, which stand for those of all."""
        return next(iter(self.parts().values()))

    @property
    def shape(self) -> tuple[int, int]:
        """(axes, samples)."""
        return sum(len(stream.axes) for stream in self.first), self.sees.length

    @property
    def kind(self) -> TensorKind:
        """What the encoding gives."""
        return self.front().kind

    @cached_property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of an encoded window.

        Raises:
            DataError: the window is shorter than the image that it should become.
        """
        return tuple(self.front()(torch.zeros(1, *self.shape)).shape[1:])

    @property
    def augmented(self) -> bool:
        """Whether training changes windows at random."""
        return self.sees.augmentation.active

    @property
    def several(self) -> bool:
        """Sliding windows are several."""
        return self.sees.window == "sliding"

    def front(self) -> Encoding:
        """The encoding."""
        return self.sees.encoding.build()

    def batches(
        self, ids: Sequence[str], *, batch_size: int, seed: int | None = None, sampling: Sampling = "natural"
    ) -> WindowBatches:
        """Windows of `ids`; a recording may have several.

        Raises:
            SettingError: a sensor without three axes is to be rotated.
        """
        for stream in self.first if self.sees.augmentation.rotation_deg else ():
            if len(stream.axes) != ROTATED_AXES:
                raise SettingError(
                    f"sees.augmentation.rotation_deg: '{stream.name}' has {len(stream.axes)} axes; "
                    "only a sensor of three is rotated",
                    "Set it to 0",
                )
        return WindowBatches(
            self.store,
            ids,
            self.window_labels(ids),
            batch_size=batch_size,
            seed=seed,
            augmentation=self.sees.augmentation,
            sampling=sampling,
            places=tuple(stream.placement for stream in self.first),
        )

    def window_labels(self, ids: Sequence[str]) -> list[int | WindowLabels]:
        """The class number of each recording, or those of its windows where it shows several classes.

        Raises:
            SettingError: a recording shows several classes, and is seen as a whole.
        """
        return [self._labels_over_time(i, label) for i, label in zip(ids, self.source.labels_of(ids), strict=True)]

    def _labels_over_time(self, recording: str, label: int) -> int | WindowLabels:
        timeline = self.source.recordings[recording].timeline
        if timeline is None:
            return label
        if self.sees.window_labels is None or self.sees.most_mixed is None:
            raise SettingError(
                f"{recording} shows several classes one after the other, and sees.window is 'whole'",
                "Set sees.window to sliding, with sees.rate_hz and sees.stride",
            )
        if label == UNLABELLED:
            return label  # hidden from training, all of it
        labels, shares = window_labels(timeline, self.store.times(recording), self.sees.window_labels)
        mixed = 1 - shares > self.sees.most_mixed + 1e-9
        return WindowLabels(labels, (labels != UNLABELLED) & ~mixed)

    def sample_labels(self, ids: Sequence[str]) -> list[int]:
        """See `Inputs.sample_labels`."""
        found: list[int] = []
        for of in self.window_labels(ids):
            found += [of] if isinstance(of, int) else of.labels[of.learned].tolist()
        return found

    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """The first encoded window of each recording, of encodings that give images."""
        from vskd.modalities.tiles import gaf_tiles

        shown = {caption: i for i, caption in captions.items() if i in self.ids}
        if self.kind != "image" or not shown:
            return {}
        front, encoding = self.front(), self.sees.encoding
        with torch.inference_mode():
            images = {
                c: front(torch.from_numpy(self.store.window(i, 0)[np.newaxis]))[0].numpy() for c, i in shown.items()
            }
        channels = tuple(f"{half} {axis}" for half in encoding.method.split("+") for axis in self.store.axes)
        title = f"What the {who} sees ({encoding.method}, {encoding.scaling} scaling)"
        return {title: gaf_tiles(images, channels)}

    def contract(self, train: Sequence[str], *, encoding_inside: bool = False) -> SensorContract:
        """What the model asks of a recording.

        Args:
            train: recordings that it was trained on; they say which lengths it knows, and where the data set does not
                declare it, what the sensor can measure.
            encoding_inside: whether the encoding is part of the model.

        Raises:
            SettingError: the encoding cannot be.
        """
        if encoding_inside and self.sees.encoding.method == "mtf":
            raise SettingError(
                "export.encoding_inside: a Markov transition field sorts samples into bins, for which a model has no "
                "int8 operator",
                "Set it to false",
            )
        streams = self.parts()[train[0]]
        stream, several = streams[0], len(streams) > 1
        rate = (self.sees.rate_hz or max(s.rate_hz for s in streams)) if several else stream.rate_hz
        lengths = [self.store.num_samples(i) for i in train]
        shortest = max(2, int(min(lengths) * (1 - LENGTH_MARGIN)))
        if self.sees.rate_hz is not None:  # of sliding windows: one is enough
            shortest = samples_for(self.sees.length, self.sees.rate_hz, rate)
        parts = [self._stream_contract(k, stream, train) for k, stream in enumerate(streams)]
        encoding = EncodingContract(**self.sees.encoding.stated())
        longest = int(max(lengths) * (1 + LENGTH_MARGIN))
        limit = max(part.range_limit / part.limit for part in parts)
        columns = tuple(c for s in streams for c in s.columns) if one_array(streams) else ()
        variable = stream.variable if one_array(streams) else ""
        return SensorContract(
            stream=self.name,
            placement=" + ".join(dict.fromkeys(part.placement for part in parts)),
            unit=" + ".join(dict.fromkeys(part.unit for part in parts)),
            axes=channel_names([(s.name, s.axes) for s in streams]),
            rate_hz=rate,
            window_mode=self.sees.window,
            length=self.sees.length,
            stride=self.sees.stride,
            window_rate_hz=self.sees.rate_hz,
            min_samples=shortest,
            max_samples=longest if self.sees.window == "whole" else ANY_LENGTH,
            range_limit=max(encoding.limit, limit),
            encoding=encoding,
            encoding_inside=encoding_inside,
            mat_variable=variable,
            mat_columns=columns,
            mat_width=mat_shape(stream.path, variable)[1] if variable else None,
            streams=tuple(parts) if several else (),
            calibrated=all(s.calibrated for s in streams),
        )

    def _stream_contract(self, number: int, stream: Stream, train: Sequence[str]) -> StreamContract:
        """What the model asks of one of its streams."""
        measured = stream.range_limit or estimate_range(self.store.largest_of(train, number), stream.unit)
        return StreamContract(
            stream=stream.name,
            placement=stream.placement or self.source.placement,
            unit=stream.unit,
            axes=stream.axes,
            range_limit=measured,
            limit=self.sees.scales[number],
            calibrated=stream.calibrated,
        )

    @classmethod
    def asks(cls, contract: Contract) -> dict[str, Any] | None:
        """See `Inputs.asks`."""
        if not isinstance(contract, SensorContract):
            return None
        sliding = {"rate_hz": contract.window_rate_hz, "stride": contract.stride}
        encoding = contract.encoding
        streams = [part.stream for part in contract.streams] or [contract.stream]
        limits = [part.limit for part in contract.streams]
        return {
            "modality": "window",
            "streams": streams,
            **({"limits": limits} if any(limit != 1 for limit in limits) else {}),
            "window": contract.window_mode,
            "length": contract.length,
            **(sliding if contract.window_mode == "sliding" else {}),
            "encoding": effective(encoding.method, encoding.scaling, encoding.limit, encoding.image_size),
        }
