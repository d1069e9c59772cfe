"""Windows of a sensor stream, as they are or encoded as images."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from vskd.bundle.contract import Contract, EncodingContract, SensorContract
from vskd.datasets.sensors.source import window_source
from vskd.errors import SettingError
from vskd.modalities.base import Inputs, Sees
from vskd.modalities.batches import EpochBatches
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.matfile import mat_shape
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.sensor.encodings import AnyEncoding, Encoding, effective
from vskd.preprocessing.sensor.sensor_range import estimate_range
from vskd.preprocessing.stores.window_store import Mode, WindowStore, build_window_store
from vskd.schema import Count, OnlyWhere, Positive, parse, required_where

LENGTH_MARGIN = 0.5
"""A recording may be this much shorter or longer than any that the model was trained on."""
ANY_LENGTH = 10**9
ROTATED_AXES = 3


def samples_for(length: int, window_rate_hz: float, rate_hz: float) -> int:
    """Fewest samples at `rate_hz` that give `length` at `window_rate_hz`.

    >>> samples_for(32, 50.0, 50.0), samples_for(32, 25.0, 50.0)
    (32, 63)
    """
    return math.floor((length - 1) * rate_hz / window_rate_hz) + 1


class WindowSees(Sees):
    """Windows of `length` samples of one sensor stream.

    Attributes:
        window: `whole` resamples the whole recording to `length`; `sliding` resamples it to `rate_hz` and takes a
            window every `stride` samples.
        length: samples of a window.
        rate_hz, stride: of sliding windows.
        encoding: what becomes of a window in front of the network.
        augmentation: random changes of training windows.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "rate_hz": required_where("window", "sliding"),
        "stride": required_where("window", "sliding"),
    }
    modality: Literal["window"] = "window"
    window: Mode = "whole"
    length: Annotated[int, Field(ge=8, le=8192)] = 128
    rate_hz: Positive | None = None
    stride: Count | None = None
    encoding: AnyEncoding = parse(AnyEncoding, {"method": "gasf+gadf"})
    augmentation: WindowAugmentation = WindowAugmentation()


class WindowBatches(EpochBatches[torch.Generator]):
    """Windows of recordings, float32 (batch, channels, samples) in the stream's unit.

    Args:
        store: where windows are read.
        ids: recordings; one with several (sliding) windows gives several samples.
        labels: class number of each recording.
        batch_size, seed, sampling: see `EpochBatches`.
        augmentation: used only with a seed.
    """

    def __init__(
        self,
        store: WindowStore,
        ids: Sequence[str],
        labels: Sequence[int],
        *,
        batch_size: int,
        seed: int | None = None,
        augmentation: WindowAugmentation | None = None,
        sampling: Sampling = "natural",
    ) -> None:
        self._store, self._augmentation = store, augmentation
        items = [(i, k, label) for i, label in zip(ids, labels, strict=True) for k in range(store.num_windows(i))]
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
        windows = torch.from_numpy(np.stack([self._store.windows(i)[k] for i, k in chosen]))
        if self.seed is not None and self._augmentation is not None:
            windows = self._augmentation(windows, random)
        return windows, labels


class WindowInputs(Inputs):
    """Windows of one sensor stream."""

    reads = "sensor"
    exported = True
    unstored = frozenset({"augmentation", "encoding"})  # the encoding is the network's front, see `front`
    sees: WindowSees

    @cached_property
    def store(self) -> WindowStore:
        """The store of windows, built on first use."""
        streams = self.streams()
        build_window_store(
            [window_source(i, s) for i, s in streams.items()],
            self.store_file,
            mode=self.sees.window,
            length=self.sees.length,
            rate_hz=self.sees.rate_hz,
            stride=self.sees.stride,
            max_bad_fraction=self.source.max_bad_fraction,
        )
        return WindowStore(self.store_file)

    @property
    def shape(self) -> tuple[int, int]:
        """(axes, samples)."""
        return len(next(iter(self.streams().values())).axes), self.sees.length

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
        axes, turned = self.shape[0], self.sees.augmentation.rotation_deg
        if turned and axes != ROTATED_AXES:
            raise SettingError(
                f"sees.augmentation.rotation_deg: '{self.stream}' has {axes} axes; only a sensor of three is rotated",
                "Set it to 0",
            )
        return WindowBatches(
            self.store,
            ids,
            self.source.labels_of(ids),
            batch_size=batch_size,
            seed=seed,
            augmentation=self.sees.augmentation,
            sampling=sampling,
        )

    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """The first encoded window of each recording, of encodings that give images."""
        from vskd.modalities.tiles import gaf_tiles

        shown = {caption: i for i, caption in captions.items() if i in self.ids}
        if self.kind != "image" or not shown:
            return {}
        front, encoding = self.front(), self.sees.encoding
        with torch.inference_mode():
            images = {c: front(torch.from_numpy(self.store.windows(i)[:1]))[0].numpy() for c, i in shown.items()}
        channels = tuple(f"{half} {axis}" for half in encoding.method.split("+") for axis in self.store.axes)
        title = f"What the {who} sees ({encoding.method}, {encoding.scaling} scaling)"
        return {title: gaf_tiles(images, channels)}

    def contract(self, train: Sequence[str], *, encoding_inside: bool = False) -> SensorContract:
        """What the model asks of a recording.

        Args:
            train: recordings that it was trained on; they say which lengths it knows, and where the data set does not
                declare it, what the sensor can measure.
            encoding_inside: whether the encoding is part of the model.
        """
        stream = self.source.recordings[train[0]].stream(self.stream)
        lengths = [self.store.num_samples(i) for i in train]
        shortest = max(2, int(min(lengths) * (1 - LENGTH_MARGIN)))
        if self.sees.rate_hz is not None:  # of sliding windows: one is enough
            shortest = samples_for(self.sees.length, self.sees.rate_hz, stream.rate_hz)
        limit = stream.range_limit or estimate_range(self.store.largest_of(train), stream.unit)
        encoding = EncodingContract(**self.sees.encoding.stated())
        longest = int(max(lengths) * (1 + LENGTH_MARGIN))
        return SensorContract(
            stream=stream.name,
            placement=self.source.placement,
            unit=stream.unit,
            axes=stream.axes,
            rate_hz=stream.rate_hz,
            window_mode=self.sees.window,
            length=self.sees.length,
            stride=self.sees.stride,
            window_rate_hz=self.sees.rate_hz,
            min_samples=shortest,
            max_samples=longest if self.sees.window == "whole" else ANY_LENGTH,
            range_limit=max(encoding.limit, limit),
            encoding=encoding,
            encoding_inside=encoding_inside,
            mat_variable=stream.variable,
            mat_columns=stream.columns,
            mat_width=mat_shape(stream.path, stream.variable)[1] if stream.variable else None,
        )

    @classmethod
    def asks(cls, contract: Contract) -> dict[str, Any] | None:
        """See `Inputs.asks`."""
        if not isinstance(contract, SensorContract):
            return None
        sliding = {"rate_hz": contract.window_rate_hz, "stride": contract.stride}
        encoding = contract.encoding
        return {
            "modality": "window",
            "streams": [contract.stream],
            "window": contract.window_mode,
            "length": contract.length,
            **(sliding if contract.window_mode == "sliding" else {}),
            "encoding": effective(encoding.method, encoding.scaling, encoding.limit, encoding.image_size),
        }
