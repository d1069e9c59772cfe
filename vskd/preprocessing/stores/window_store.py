"""The store of sensor windows: recording id -> float32 (windows, channels, length)."""

import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, first_few
from vskd.preprocessing.sensor.gravity import dead_fault, gravity_fault, measures_gravity
from vskd.preprocessing.sensor.joined import joined
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.resampling import plan_resampling, resampled
from vskd.preprocessing.sensor.signal_facts import signal_facts
from vskd.preprocessing.sensor.signals import Signal, resample_to_length, sliding_windows, window_count
from vskd.preprocessing.sensor.timed import Timed, read_timed
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Store
from vskd.preprocessing.stores.store_parts import keep_content
from vskd.preprocessing.sync.apply import cut_sensor
from vskd.preprocessing.sync.cut import Cut

logger = logging.getLogger(__name__)

Mode = Literal["whole", "sliding"]
Keep = Callable[[str, Signal], None]
"""Gets a recording's id, and its samples, float32 (channels, samples)."""
LEAST_WHOLE_HZ = 10.0
"""Samples a second that a whole recording should keep: of fewer, movement of 5 Hz and more is gone."""
RESAMPLING_VERSION = 2
"""Of what sliding windows at another rate than the stream's hold. 1: the line through the first and the last sample
went on beyond them; 2: these are held, as a stream can hold them, and sums are in the order of samples."""


@dataclass(frozen=True)
class WindowSource:
    """A sensor stream of one recording; see `vskd.preprocessing.sensor.signals.read_sensor`.

    Attributes:
        unit, stream: of the samples, and the stream's name; together they say whether gravity must show.
        time_column: of a text file's time stamps; None: the samples are evenly spaced.
        calibrated: whether a recording without 1 g at rest is refused; else it is only said.
        range_limit: of the device, in `unit`; 0 where it is not known.
        scale: what samples are divided by, so that streams of several units share a window; 1 leaves them as they are.
        others: further streams of the recording, whose channels follow; see `joined`.
        others_sha256: of their files, so that a change is noticed.
        reading: what somebody stated of the file, and which part of it the recording is; see `read_timed`.
        cut: what the recording's video covers, too, by their synchronisation; None: all of it.
    """

    id: str
    path: Path
    variable: str
    columns: tuple[int, ...]
    axes: tuple[str, ...]
    rate_hz: float
    unit: str = ""
    stream: str = ""
    time_column: int | None = None
    calibrated: bool = True
    range_limit: float = 0.0
    scale: float = 1.0
    others: tuple["WindowSource", ...] = ()
    others_sha256: tuple[str, ...] = ()
    reading: Reading | None = None
    cut: Cut | None = None

    @property
    def parts(self) -> tuple["WindowSource", ...]:
        """All of its streams."""
        return (self, *self.others)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the window's channels: the axes, behind their stream's name where there are several."""
        return channel_names([(part.stream, part.axes) for part in self.parts])


def channel_names(streams: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Names of the channels of (stream, axes): the axes, behind their stream's name where there are several.

    >>> channel_names([("accelerometer", "xy")]), channel_names([("accelerometer", "x"), ("gyroscope", "x")])
    (('x', 'y'), ('accelerometer x', 'gyroscope x'))
    """
    if len(streams) == 1:
        [(_, axes)] = streams
        return tuple(axes)
    return tuple(f"{stream} {axis}" for stream, axes in streams for axis in axes)


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
    keep: Keep | None = None,
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
        keep: gets what windows are cut from, as it is decoded; nothing of recordings that the store has already.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    cut = WindowSettings(mode, length, rate_hz, stride)
    axes = sources[0].channels if sources else ()
    later = {"times": 1} if mode == "sliding" else {}  # stores of before did not say when windows begin
    later |= {"resampling": RESAMPLING_VERSION} if mode == "sliding" and rate_hz is not None else {}
    plan = Plan(out, "windows", {**asdict(cut), "axes": list(axes), **later}, max_bad_fraction)
    report = build_store(
        plan, sources, partial(write_windows, cut=cut, keep=keep), description="Reading sensors", overwrite=overwrite
    )
    if not report.reused:
        for fact in WindowStore(out).device_facts():
            logger.warning("%s: %s", " + ".join(part.stream for part in sources[0].parts) or out.name, fact)
    return report


@dataclass(frozen=True)
class WindowSettings:
    """How recordings become windows; see `build_window_store`."""

    mode: Mode
    length: int
    rate_hz: float | None = None
    stride: int | None = None


def write_windows(source: WindowSource, file: h5py.File, *, cut: WindowSettings, keep: Keep | None = None) -> None:
    """Write the windows of one recording to `file["data"]`, with its number of samples and what it shows of its device.

    Raises:
        DataError: unreadable, shorter than one sliding window, a dead axis, or an accelerometer without 1 g at rest.
    """
    parts = [read_source(part) for part in source.parts]
    for part, timed in zip(source.parts, parts, strict=True):
        refuse_faults(part, timed.signal)
    whole = _joined(source, parts, cut)
    windows = cut_windows(whole, cut, source.path)
    data = file.create_dataset("data", data=windows, chunks=(1, *windows.shape[1:]))
    facts = [
        signal_facts(timed, stream=part.stream, unit=part.unit, range_limit=part.range_limit)
        for part, timed in zip(source.parts, parts, strict=True)
    ]
    data.attrs.update(
        num_samples=whole.signal.shape[1],
        rate_hz=whole.rate_hz,
        largest=[one.largest for one in facts],
        gaps=len(whole.clock.breaks),
        saturated=max(one.saturated for one in facts),
        glitches=sum(one.glitches for one in facts),
        gravity=np.bytes_(next((one.gravity for one in facts if one.gravity), "").encode()),
    )
    if cut.mode == "sliding":
        data.attrs["pieces"] = window_pieces(whole, cut)
    keep_content(data, whole.signal)
    if keep is not None:
        keep(source.id, whole.signal)


def read_whole(source: WindowSource, cut: WindowSettings) -> Signal:
    """What the windows of a recording are cut from, float32 (channels, samples).

    Raises:
        DataError: unreadable.
    """
    return _joined(source, [read_source(part) for part in source.parts], cut).signal


def window_pieces(timed: Timed, cut: WindowSettings) -> npt.NDArray[np.float64]:
    """When sliding windows begin: float64 (pieces, 3), a row for each piece between gaps that has windows.

    Of each: when it begins, in seconds since the recording's first row; its windows; and seconds per sample of these.
    """
    rate = cut.rate_hz or timed.rate_hz
    made = plan_resampling(timed.rate_hz, rate)
    stride = cut.stride or max(1, cut.length // 2)
    bounds = [0, *timed.clock.breaks, timed.signal.shape[1]]
    rows = []
    for first, behind in itertools.pairwise(bounds):
        count = window_count(made.count(behind - first), cut.length, stride)
        begin = timed.times[first] - timed.first_row_s
        rows += [[begin, count, made.down / made.up / timed.rate_hz]] if count else []
    return np.array(rows).reshape(-1, 3)


def _joined(source: WindowSource, parts: Sequence[Timed], cut: WindowSettings) -> Timed:
    """The streams as one, at the rate of the windows or else the highest of theirs; a single one as it is."""
    if len(parts) == 1:
        [alone] = parts
        return alone
    rate = cut.rate_hz or max(part.rate_hz for part in source.parts)
    names = [part.stream for part in source.parts]
    scaled = [
        dataclasses.replace(timed, signal=timed.signal / np.float32(part.scale)) if part.scale != 1 else timed
        for part, timed in zip(source.parts, parts, strict=True)
    ]
    return dataclasses.replace(joined(scaled, names, source.path, rate), first_row_s=parts[0].first_row_s)


def read_source(source: WindowSource) -> Timed:
    """Samples and clock of one stream of a recording.

    Raises:
        DataError: see `read_timed`.
    """
    timed = read_timed(
        source.path,
        axes=source.axes,
        rate_hz=source.rate_hz,
        variable=source.variable,
        columns=source.columns,
        stream=source.stream or "accelerometer",
        time_column=source.time_column,
        reading=source.reading,
    )
    return timed if source.cut is None else cut_sensor(timed, source.cut, source.path)


def refuse_faults(source: WindowSource, signal: Signal) -> None:
    """Refuse a signal that no working sensor gives in this unit.

    A sensor that was never calibrated may show anything at rest; that is stored with its windows, see `device_facts`.

    Raises:
        DataError: says what it is: a dead sensor or axis, another unit, or gravity removed.
    """
    fault = dead_fault(signal, source.axes)
    if fault is None and source.calibrated and measures_gravity(source.stream, source.unit):
        fault = gravity_fault(signal, source.unit, source.rate_hz, stated=True)
    if fault is not None:
        raise DataError(f"{source.path}: {fault.problem}", fault.action)


def cut_windows(timed: Timed, cut: WindowSettings, path: Path) -> Signal:
    """(channels, samples) with their clock -> (windows, channels, length); no sliding window reaches across a gap.

    Raises:
        DataError: the signal, or each part of it between gaps, is shorter than one sliding window; or too much is
            missing of a whole recording. `path` is named.
    """
    if cut.mode == "whole":
        return resample_to_length(timed.bridged(path), cut.length)[np.newaxis]
    rate, stride = cut.rate_hz or timed.rate_hz, cut.stride or max(1, cut.length // 2)
    pieces = [resampled(piece, timed.rate_hz, rate) for piece in timed.pieces()]
    windows = np.concatenate([sliding_windows(piece, cut.length, stride) for piece in pieces])
    if not len(windows):
        longest = max(piece.shape[1] for piece in pieces)
        between = f" between {len(timed.clock.breaks)} gaps" if timed.clock.breaks else ""
        raise DataError(
            f"{path}: {longest} samples{between} are shorter than one window of {cut.length}", "Use shorter windows"
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
        return self.length(recording)

    def num_samples(self, recording: str) -> int:
        """Length of the original recording, in samples at its own rate."""
        return int(self.fact(recording, "num_samples"))

    def largest(self, recordings: Sequence[str]) -> float:
        """Largest absolute value in the original recordings."""
        return max(self.largest_of(recordings))

    def largest_of(self, recordings: Sequence[str], stream: int = 0) -> list[float]:
        """Largest absolute value of each of some original recordings, of their `stream`-th stream, in its unit."""
        return [float(self.fact(i, "largest")[stream]) for i in recordings]

    def device_facts(self) -> tuple[str, ...]:
        """What the recordings show of their devices that a user should know, in sentences; see `SignalFacts`."""
        found = []
        for what, key in (
            ("have gaps in time (whole windows bridge them, sliding ones do not reach across)", "gaps"),
            ("reach the sensor's range, where it saturates", "saturated"),
            ("hold samples that the sensor cannot measure (glitches); they are left as they are", "glitches"),
            ("do not show 1 g at rest; the sensor is known not to be calibrated", "gravity"),
        ):
            those = sorted(i for i in self.ids if self.fact(i, key))
            if those:
                found.append(f"{len(those)} of {len(self.ids)} recordings {what}: {first_few(those, 3, ', ')}")
        return (*found, *self._squeezed())

    def _squeezed(self) -> Iterator[str]:
        """Whole recordings so long that their windows have lost the movement."""
        length = int(self.settings["length"])
        rates = {i: length * float(self.fact(i, "rate_hz")) / self.num_samples(i) for i in self.ids}
        those = sorted(i for i, rate in rates.items() if rate < LEAST_WHOLE_HZ)
        if those and self.settings["mode"] == "whole":
            yield (
                f"{len(those)} of {len(self.ids)} recordings are long: one window of {length} samples has as few as "
                f"{min(rates.values()):.2g} samples a second, and fast movement is lost; sliding windows keep it "
                f"(sees.window: sliding, as in recipe day-stream): {first_few(those, 3, ', ')}"
            )

    def windows(self, recording: str) -> npt.NDArray[np.float32]:
        """float32 (windows, channels, length), not to be changed."""
        return self.kept(recording)

    def window(self, recording: str, number: int) -> npt.NDArray[np.float32]:
        """One window, float32 (channels, length), not to be changed; of a long recording only this one is read."""
        return self.row(recording, number)

    def times(self, recording: str) -> npt.NDArray[np.float64]:
        """Start and end of each sliding window in seconds since the recording's first row, float64 (windows, 2)."""
        pieces, length = np.asarray(self.fact(recording, "pieces")), int(self.settings["length"])
        step = self.settings["stride"] or max(1, length // 2)
        starts = [begin + np.arange(int(count)) * step * period for begin, count, period in pieces]
        lengths = [np.full(int(count), length * period) for _, count, period in pieces]
        start = np.concatenate(starts)
        return np.stack([start, start + np.concatenate(lengths)], axis=1)
