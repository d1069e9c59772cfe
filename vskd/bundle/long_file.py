"""A recording of any length for a model of sliding windows: hours of text are read block by block, at flat memory.

The samples of a long file wait in a temporary file, in the contract's unit, while the rest of it is read: only then is
known where its gaps are, and where its pieces end. Each window is what it would be of the file as a whole.
"""

import bisect
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import SensorContract
from vskd.bundle.file_reading import AS_IS, FileReading
from vskd.bundle.recorded import Recorded
from vskd.bundle.sensor_block import block_stamp, read_block
from vskd.bundle.sensor_checks import RANGE_EXCESS
from vskd.bundle.sensor_file import check_columns_of_all, read_recording
from vskd.errors import BundleError, DataError, VskdError, rounded
from vskd.preprocessing.sensor.delimited import SAMPLE_LINES, parse_delimited
from vskd.preprocessing.sensor.resampling import Read, plan_resampling, resampled_pieces
from vskd.preprocessing.sensor.samples import TextSamples
from vskd.preprocessing.sensor.signals import sliding_windows, window_count
from vskd.preprocessing.sensor.stamps import parse_stamps
from vskd.preprocessing.text_file import TEXT, read_text
from vskd.progress import track

FloatArray = npt.NDArray[np.float32]
Seconds = npt.NDArray[np.float64]

LONG_BYTES = 1 << 20
"""Longer text files are read block by block."""
BLOCK_ROWS = 20_000
AHEAD = 32
"""Rows of the next block that are looked at too, so that gaps near its beginning are seen."""
PIECE = 4096
"""Samples at the windows' rate that are cut at a time."""
HEAD_BYTES = 1 << 16
RATES_AGREE = 0.05
MOST_LEFT_OUT = 0.5
_UNITS = {"in s": 1.0, "in ms": 1e-3, "in us": 1e-6, "in ns": 1e-9}


@dataclass(frozen=True)
class LongRecording:
    """A recording whose samples are read when they are asked for.

    Attributes:
        read: samples `first` to `behind`, float32 (channels, samples) in the contract's unit.
        segments: stretches of samples without a gap, (first, behind).
        anchors: (sample, its time in seconds, seconds from one to the next), in order: the clock.
        rate_hz, notes, understood: see `Recorded`.
    """

    read: Read
    segments: tuple[tuple[int, int], ...]
    anchors: tuple[tuple[int, float, float], ...]
    rate_hz: float
    notes: tuple[str, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()

    def time_of(self, sample: int) -> float:
        """When a sample was taken, in seconds since the file's first row."""
        place = bisect.bisect_right(self.anchors, (sample, float("inf"))) - 1
        first, time, period = self.anchors[place]
        return time + (sample - first) * period

    def count_windows(self, contract: SensorContract) -> int:
        """How many windows it gives."""
        return sum(self._count(segment, contract) for segment in self.segments)

    def _count(self, segment: tuple[int, int], contract: SensorContract) -> int:
        rate, stride = _sliding(contract)
        first, behind = segment
        samples = plan_resampling(self.rate_hz, rate).count(behind - first)
        return window_count(samples, contract.length, stride)

    def windows(self, contract: SensorContract) -> Iterator[tuple[FloatArray, Seconds]]:
        """Its windows in the order of time, some at a time: (n, channels, length), and (n, 2) start and end.

        They are those of `contract_windows`.
        """
        rate, stride = _sliding(contract)
        made = plan_resampling(self.rate_hz, rate)
        for first, behind in self.segments:
            if not self._count((first, behind), contract):
                continue

            def read(start: int, stop: int, first: int = first) -> FloatArray:
                return self.read(first + start, first + stop)

            number = 0
            pieces = resampled_pieces(read, behind - first, made, PIECE)
            for windows in _cut(pieces, contract.length, stride):
                starts = (number + np.arange(len(windows))) * stride * made.down / made.up  # in samples of the file
                times = np.array([self.time_of(first + int(s)) + (s % 1) / self.rate_hz for s in starts])
                yield windows, np.stack([times, times + contract.length * made.down / made.up / self.rate_hz], axis=1)
                number += len(windows)


def _sliding(contract: SensorContract) -> tuple[float, int]:
    if contract.window_rate_hz is None or contract.stride is None:
        raise ValueError("a contract of whole recordings has no sliding windows")
    return contract.window_rate_hz, contract.stride


def _cut(pieces: Iterator[FloatArray], length: int, stride: int) -> Iterator[FloatArray]:
    """Windows of a signal that comes in pieces."""
    kept: FloatArray | None = None
    skip = 0
    for piece in pieces:
        kept = piece if kept is None else np.concatenate([kept, piece], axis=1)
        drop = min(skip, kept.shape[1])
        kept, skip = kept[:, drop:], skip - drop
        windows = sliding_windows(kept, length, stride)
        if len(windows):
            used = len(windows) * stride
            skip = max(0, used - kept.shape[1])
            kept = kept[:, min(used, kept.shape[1]) :]
            yield windows


def as_long(recorded: Recorded) -> LongRecording:
    """A recording that is in memory."""
    bounds = (0, *recorded.breaks, recorded.signal.shape[1])
    segments = tuple(itertools.pairwise(bounds))
    period = 1 / recorded.rate_hz
    if recorded.times is None:
        anchors: tuple[tuple[int, float, float], ...] = ((0, 0.0, period),)
    else:
        anchors = tuple(_anchors(recorded.times, (0, *recorded.breaks), 0, period))
    return LongRecording(
        lambda first, behind: recorded.signal[:, first:behind],
        segments,
        anchors,
        recorded.rate_hz,
        recorded.notes,
        recorded.understood,
    )


def _anchors(times: Seconds, starts: tuple[int, ...], offset: int, period: float) -> Iterator[tuple[int, float, float]]:
    """The clock of some samples, whose stretches between gaps begin at `starts`."""
    for first, behind in itertools.pairwise([*starts, len(times)]):
        step = float(times[behind - 1] - times[first]) / (behind - 1 - first) if behind - first > 1 else period
        yield first + offset, float(times[first]), step


def open_long(file: Path, contract: SensorContract, reading: FileReading = AS_IS) -> LongRecording:
    """Read a recording for a model of sliding windows; see `read_recording` for the arguments.

    Text of more than a megabyte is read in blocks, each understood by itself. A block that does not fit the contract (a
    dead sensor, another unit) is left out and named; so are samples that the sensor cannot have measured, as a gap is.

    Raises:
        BundleError: see `read_recording`; or blocks contradict each other, or most of them do not fit.
        DataError: see `read_recording`.
    """
    text = file.suffix.lower() in TEXT and file.is_file() and file.stat().st_size > LONG_BYTES
    if text:
        encoding = read_text(file, HEAD_BYTES)[1]
        if encoding != "utf-16":
            check_columns_of_all(file, contract, reading.columns)
            return _Spool(file, contract, encoding, reading).filled()
    return as_long(read_recording(file, contract, reading))


@dataclass
class _Spool:
    """Fills a temporary file with the samples of a long text file.

    Attributes:
        file, contract, encoding, reading: what is read, and what the caller says.
        store: the samples, float32, one after the other.
        count: samples in it. rows: data rows that were read, those that were left out too.
    """

    file: Path
    contract: SensorContract
    encoding: str
    reading: FileReading
    store: BinaryIO = field(default_factory=lambda: tempfile.TemporaryFile("w+b"))  # noqa: SIM115 - lives with it
    count: int = 0
    rows: int = 0
    first: Recorded | None = None
    first_stamp: str = ""
    breaks: list[int] = field(default_factory=list)
    anchors: list[tuple[int, float, float]] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    left_out: list[tuple[int, int, VskdError]] = field(default_factory=list)

    def filled(self) -> LongRecording:
        """Read all of the file."""
        for head, lines, ahead in track(_blocks(self.file, self.encoding), f"Reading {self.file.name}"):
            self._take(head, lines, ahead)
        if self.first is None or sum(n for _, n, _ in self.left_out) > MOST_LEFT_OUT * self.rows:
            raise self.left_out[0][2]
        self.notes |= {
            f"data rows {at + 1} to {at + n} are left out: {error.problem}": None for at, n, error in self.left_out
        }
        bounds = [0, *sorted(set(self.breaks) - {0, self.count}), self.count]
        return LongRecording(
            self.read,
            tuple(itertools.pairwise(bounds)),
            tuple(self.anchors),
            self.first.rate_hz,
            tuple(self.notes),
            self.first.understood,
        )

    def read(self, first: int, behind: int) -> FloatArray:
        """Samples, float32 (channels, behind - first)."""
        width = len(self.contract.axes)
        self.store.seek(4 * width * first)
        content = self.store.read(4 * width * (behind - first))
        return np.ascontiguousarray(np.frombuffer(content, dtype=np.float32).reshape(-1, width).T)

    def _take(self, head: str, lines: list[str], ahead: list[str]) -> None:
        """Append a block."""
        own = len(lines)
        try:
            recorded, offset, kept = self._understood(head, [*lines, *ahead], len(ahead))
        except (BundleError, DataError) as error:
            if isinstance(error, DataError) and self.first is None:
                raise
            if isinstance(error, DataError):
                raise DataError(f"{error.problem} (counted from data row {self.rows + 1})", error.action) from error
            self.first_stamp = self.first_stamp or self._stamp(head, lines)
            self.left_out.append((self.rows, own, error))
            self.breaks.append(self.count)
            self.rows += own
            return
        self._check_rate(recorded)
        self._append(recorded, kept, offset)
        self.rows += own

    def _understood(self, head: str, lines: list[str], ahead: int) -> tuple[Recorded, float, int]:
        """A block, when it begins, and how many of its samples are its own."""
        table = parse_delimited(self.file, head + "".join(lines), self.encoding)
        recorded, stamp, said, kept = read_block(
            self.file, TextSamples(table), self.contract, len(table.rows) - ahead, self.reading
        )
        self.first_stamp = self.first_stamp or stamp
        return recorded, self._offset(stamp, said, (self.first or recorded).rate_hz), kept

    def _stamp(self, head: str, lines: list[str]) -> str:
        """When a block that is left out begins, as it is written: the time of the others counts from there."""
        try:
            samples = TextSamples(parse_delimited(self.file, head + "".join(lines), self.encoding))
            return block_stamp(self.file, samples, self.contract, self.reading)
        except (BundleError, DataError):  # its columns, or its clock, are why it is left out
            return ""

    def _check_rate(self, recorded: Recorded) -> None:
        if self.first is not None and abs(recorded.rate_hz - self.first.rate_hz) > RATES_AGREE * self.first.rate_hz:
            raise BundleError(
                f"{self.file}: {self.first.rate_hz:g} Hz at the beginning, {recorded.rate_hz:g} Hz from data row "
                f"{self.rows + 1} on",
                "Cut the file there",
            )

    def _offset(self, cell: str, said: str, rate_hz: float) -> float:
        """When the block begins, in seconds since the file's first row."""
        if not cell:
            return self.rows / rate_hz
        read = parse_stamps([self.first_stamp, cell], _UNITS.get(said))
        if read is None:
            return 0.0
        (_, seconds), *_ = read
        return float(seconds)

    def _append(self, recorded: Recorded, kept: int, offset: float) -> None:
        start = self.count
        signal, bad = recorded.signal[:, :kept], self._beyond(recorded.signal[:, :kept])
        low = 0 if self.first is None else AHEAD // 2
        breaks = [b for b in recorded.breaks if low < b <= kept + AHEAD // 2]
        self.breaks += [start + b for b in breaks]
        times = (np.arange(kept) / recorded.rate_hz if recorded.times is None else recorded.times[:kept]) + offset
        inside = (0, *(b for b in recorded.breaks if 0 < b < kept))
        self.anchors += list(_anchors(times, inside, start, 1 / recorded.rate_hz))
        for k in bad:  # a gap on either side: no window holds the sample
            self.breaks += [start + int(k), start + int(k) + 1]
        if len(bad):
            self.notes[
                f"{len(bad)} samples near data row {self.rows + int(bad[0]) + 1} are beyond what the sensor can "
                "measure: windows do not reach across them"
            ] = None
        self.store.seek(0, 2)
        self.store.write(np.ascontiguousarray(signal.T, dtype=np.float32).tobytes())
        self.count += kept
        self.notes |= dict.fromkeys(note for note in recorded.notes if "gap of" not in note)
        for b in breaks:
            before = times[b - 1] if b <= kept else times[-1]
            after = float(times[b]) if b < kept else None
            gap = f", {rounded(after - before)} s long" if after is not None else ""
            self.notes[f"a gap {before:.1f} s after the beginning{gap}"] = None
        self.first = self.first or recorded

    def _beyond(self, signal: FloatArray) -> npt.NDArray[np.int64]:
        limit = RANGE_EXCESS * self.contract.range_limit
        return np.flatnonzero(np.abs(signal).max(axis=0) > limit)


def _blocks(file: Path, encoding: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Head of a text file, data lines of a block, and the first data lines of the next one.

    Raises:
        DataError: the text is in another encoding further down.
    """
    try:
        with file.open(encoding="utf-8-sig" if encoding.startswith("utf-8") else encoding, newline="") as handle:
            lines = (line for line in handle if line.strip())
            start = list(itertools.islice(lines, 10 * SAMPLE_LINES))
            head = _head_length(file, start, encoding)
            text = "".join(start[:head])
            rest = (line for line in itertools.chain(start[head:], lines) if not _is_remark(line))
            block = list(itertools.islice(rest, BLOCK_ROWS))
            while block:
                following = list(itertools.islice(rest, BLOCK_ROWS))
                if len(following) <= AHEAD:  # too few to be understood by themselves
                    block, following = block + following, []
                yield text, block, following[:AHEAD]
                block = following
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a readable text file ({error})", "Save it as UTF-8 text") from error


def _head_length(file: Path, lines: list[str], encoding: str) -> int:
    """How many of the first lines are remarks, names and units."""
    rows = len(parse_delimited(file, "".join(lines), encoding).rows)
    return [k for k, line in enumerate(lines) if not _is_remark(line)][-rows]


def _is_remark(line: str) -> bool:
    return line.lstrip().startswith(("#", "%", "//"))
