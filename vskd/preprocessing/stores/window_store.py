"""The store of sensor windows: recording id -> float32 (windows, channels, length)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.sensor.gravity import dead_fault, gravity_fault, measures_gravity
from vskd.preprocessing.sensor.signals import Signal, read_sensor, resample_to_length, resample_to_rate, sliding_windows
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Store
from vskd.preprocessing.stores.store_parts import keep_content

Mode = Literal["whole", "sliding"]


@dataclass(frozen=True)
class WindowSource:
    """A sensor stream of one recording; see `vskd.preprocessing.sensor.signals.read_sensor`.

    Attributes:
        unit, stream: of the samples, and the stream's name; together they say whether gravity must show.
    """

    id: str
    path: Path
    variable: str
    columns: tuple[int, ...]
    axes: tuple[str, ...]
    rate_hz: float
    unit: str = ""
    stream: str = ""


def build_window_store(
    sources: Sequence[WindowSource],
    out: Path,
    *,
    mode: Mode,
    length: int,
    rate_hz: float | None = None,
    stride: int | None = None,
    max_bad_fraction: float = 0.0,
    overwrite: bool = False,
) -> StoreReport:
    """Cut recordings into windows.

    Args:
        sources: what to read.
        out: the store, an HDF5 file.
        mode: `whole` resamples each recording to `length` samples, one window each; `sliding` resamples to `rate_hz`
            and takes a window of `length` every `stride` samples.
        length: samples of a window.
        rate_hz: for `sliding`; None keeps the stream's own rate.
        stride: for `sliding`; None is half a window.
        max_bad_fraction: a larger fraction of corrupt recordings stops the build.
        overwrite: replace a store that was made with other settings.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    cut = WindowSettings(mode, length, rate_hz, stride)
    axes = sources[0].axes if sources else ()
    plan = Plan(out, "windows", {**asdict(cut), "axes": list(axes)}, max_bad_fraction)
    return build_store(
        plan, sources, partial(write_windows, cut=cut), description="Reading sensors", overwrite=overwrite
    )


@dataclass(frozen=True)
class WindowSettings:
    """How recordings become windows; see `build_window_store`."""

    mode: Mode
    length: int
    rate_hz: float | None = None
    stride: int | None = None


def write_windows(source: WindowSource, file: h5py.File, *, cut: WindowSettings) -> None:
    """Write the windows of one recording to `file["data"]`, with its number of samples and largest absolute value.

    Raises:
        DataError: unreadable, shorter than one sliding window, a dead axis, or an accelerometer without 1 g at rest.
    """
    signal = read_sensor(source.path, axes=source.axes, variable=source.variable, columns=source.columns)
    refuse_faults(source, signal)
    windows = cut_windows(signal, source.rate_hz, cut, source.path)
    data = file.create_dataset("data", data=windows, chunks=(1, *windows.shape[1:]))
    data.attrs.update(rate_hz=source.rate_hz, num_samples=signal.shape[1], largest=float(np.abs(signal).max()))
    keep_content(data, signal)


def refuse_faults(source: WindowSource, signal: Signal) -> None:
    """Refuse a signal that no working sensor gives in this unit.

    Raises:
        DataError: says what it is: a dead sensor or axis, another unit, or gravity removed.
    """
    fault = dead_fault(signal, source.axes)
    if fault is None and measures_gravity(source.stream, source.unit):
        fault = gravity_fault(signal, source.unit, source.rate_hz, stated=True)
    if fault is not None:
        raise DataError(f"{source.path}: {fault.problem}", fault.action)


def cut_windows(signal: Signal, rate_hz: float, cut: WindowSettings, path: Path) -> Signal:
    """(channels, samples) at `rate_hz` -> (windows, channels, length).

    Raises:
        DataError: the signal is shorter than one sliding window; `path` is named.
    """
    if cut.mode == "whole":
        return resample_to_length(signal, cut.length)[np.newaxis]
    resampled = resample_to_rate(signal, rate_hz, cut.rate_hz or rate_hz)
    windows = sliding_windows(resampled, cut.length, cut.stride or max(1, cut.length // 2))
    if not len(windows):
        raise DataError(
            f"{path}: {resampled.shape[1]} samples are shorter than one window of {cut.length}", "Use shorter windows"
        )
    return windows


class WindowStore(Store):
    """Reads windows by recording id."""

    kind = "windows"

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(self.settings["axes"])

    @property
    def channels(self) -> int:
        """Number of channels."""
        return len(self.axes)

    def num_windows(self, recording: str) -> int:
        """How many windows a recording has."""
        return int(self.dataset(recording).shape[0])

    def num_samples(self, recording: str) -> int:
        """Length of the original recording, in samples at its own rate."""
        return int(self.fact(recording, "num_samples"))

    def largest(self, recordings: Sequence[str]) -> float:
        """Largest absolute value in the original recordings."""
        return max(float(self.fact(i, "largest")) for i in recordings)

    def largest_of(self, recordings: Sequence[str]) -> list[float]:
        """Largest absolute value of each of some original recordings."""
        return [float(self.fact(i, "largest")) for i in recordings]

    def windows(self, recording: str) -> npt.NDArray[np.float32]:
        """float32 (windows, channels, length)."""
        return self.read(recording)
