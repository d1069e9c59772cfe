"""Measure where the videos of a data set lie on their sensors' clocks. Nothing is written here.

Curves are made recording by recording, and only what was found of each is kept.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vskd.datasets.recording import Index, Recording, StreamKind
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.splits.split import FACTS, unit_of
from vskd.datasets.sync.lengths import length_ratio
from vskd.datasets.sync.table import OWN, SyncRow
from vskd.errors import DataError, first_few
from vskd.preprocessing.sync.align import CLEAR, Alignment, align
from vskd.preprocessing.sync.curve import Curve, motion_curve, sensor_curve
from vskd.progress import track

ALL = "all"
FEWEST_OF_GROUP = 3
"""Recordings with a clear peak that make a median."""


@dataclass(frozen=True)
class Pair:
    """What was found of one recording."""

    recording: Recording
    sensor_s: float
    video_s: float
    alignment: Alignment


@dataclass(frozen=True)
class Measured:
    """What was found of a data set.

    Attributes:
        sensor, video: the streams that were compared.
        pairs: of the recordings that have both.
        unreadable: recording -> what is wrong with its file.
        unpaired: recordings without one of the streams.
    """

    sensor: str
    video: str
    pairs: tuple[Pair, ...]
    unreadable: Mapping[str, str]
    unpaired: tuple[str, ...]

    @property
    def unclear(self) -> tuple[str, ...]:
        """Recordings whose peak does not stand out."""
        return tuple(pair.recording.id for pair in self.pairs if not pair.alignment.clear)


def uncut(index: Index) -> Index:
    """The index without what an earlier `sync.csv` cut off."""
    recordings = [
        dataclasses.replace(r, streams={n: dataclasses.replace(s, cut=None) for n, s in r.streams.items()})
        for r in index.everything
    ]
    return index.with_recordings(recordings)


def chosen_stream(index: Index, kind: StreamKind, asked: str | None) -> str:
    """The stream to compare: the one asked for, or the only one of its kind, of sensors the only accelerometer.

    Raises:
        DataError: there is none, or several and none was asked for.
    """
    there = sorted({s.name for r in index for s in r.streams.values() if s.kind == kind})
    if asked in there:
        return asked
    fitting = [name for name in there if kind != "sensor" or "acc" in name]
    if asked is None and len(fitting) == 1:
        (only,) = fitting
        return only
    what = f"no {kind} stream '{asked}'" if asked else f"{len(fitting)} {kind} streams that could be meant"
    raise DataError(f"{index.root} has {what}", f"Choose with --{kind}: {', '.join(there) or 'there is none'}")


def curves_of(recording: Recording, sensor: str, video: str) -> tuple[Curve, Curve]:
    """The energy of both streams.

    Raises:
        DataError: a file is unreadable, or nobody says the frame rate of the video.
    """
    seen = recording.stream(video)
    if not seen.rate_hz:
        raise DataError(f"{seen.path}: does not say its frame rate", "Convert it, e.g. to .mp4")
    return sensor_curve(read_stream(recording.stream(sensor))), motion_curve(seen.path, seen.rate_hz, seen.variable)


def measure(
    index: Index, sensor: str, video: str, *, max_offset_s: float = 10.0, video_rate_hz: float | None = None
) -> Measured:
    """Compare the streams `sensor` and `video` of every recording that has both.

    Args:
        index: of the data set; see `uncut`.
        sensor, video: names of streams.
        max_offset_s: offsets beyond are not looked for.
        video_rate_hz: frames per second at which the videos were truly taken; None: what their files say.

    Raises:
        DataError: no recording has both.
    """
    index = index.everything
    both = index.with_streams([sensor, video])
    if not both:
        raise DataError(f"{index.root}: no recording has both {sensor} and {video}", "Complete the folder")
    pairs, unreadable = [], {}
    for recording in track(both, "Comparing sensor and video"):
        try:
            one, other = curves_of(recording, sensor, video)
        except DataError as error:
            unreadable[recording.id] = error.problem
            continue
        scale = recording.stream(video).rate_hz / video_rate_hz if video_rate_hz else 1.0
        found = align(one, other, max_offset_s=max_offset_s, video_scale=scale)
        pairs.append(Pair(recording, one.seconds, other.seconds, found))
    unpaired = tuple(r.id for r in index if r not in both)
    return Measured(sensor, video, tuple(pairs), unreadable, unpaired)


def true_rate(measured: Measured) -> float | None:
    """Frames per second by the lengths of many recordings, where it is not what the files say; see `length_ratio`.

    Args:
        measured: with the videos' own rates.
    """
    ratio = length_ratio([pair.sensor_s for pair in measured.pairs], [pair.video_s for pair in measured.pairs])
    if ratio is None:
        return None
    return float(np.median([pair.recording.stream(measured.video).rate_hz for pair in measured.pairs])) / ratio


def rows_of(measured: Measured, *, median: str | None = None, clear_only: bool = False) -> tuple[SyncRow, ...]:
    """The lines of `sync.csv`.

    Args:
        measured: what was found.
        median: `all`, `subject`, `trial` or a factor, e.g. `session`, `device`: recordings that agree on it share the
            median of those among them with a clear peak; None gives each its own figures.
        clear_only: leave out recordings whose figures are not known, instead of refusing.

    Raises:
        DataError: recordings have no clear peak, or fewer than three of their group have one; they are named.
    """
    rows = _own(measured) if median is None else _by_group(measured, median)
    covered = {row.recording for row in rows}
    doubtful = [pair.recording.id for pair in measured.pairs if pair.recording.id not in covered]
    if (doubtful and not clear_only) or not rows:
        raise DataError(
            f"{len(doubtful)} of {len(measured.pairs)} recordings have no clear peak (less than {CLEAR:g} times the "
            f"second one{'' if median is None else f', in groups by {median}'}): {first_few(doubtful, 8, ', ')}",
            "Take medians (--median subject, session or all), or write the others alone (--clear-only)",
        )
    return rows


def _row(measured: Measured, pair: Pair, found: Alignment, by: str) -> SyncRow | None:
    """None where sensor and video would have no moment in common."""
    row = SyncRow(
        pair.recording.id,
        measured.sensor,
        measured.video,
        found.offset_s,
        found.drift_ppm,
        found.confidence,
        pair.sensor_s,
        pair.video_s,
        by,
    )
    return row if row.covered[0] < row.covered[1] else None


def _own(measured: Measured) -> tuple[SyncRow, ...]:
    rows = [_row(measured, pair, pair.alignment, OWN) for pair in measured.pairs if pair.alignment.clear]
    return tuple(row for row in rows if row)


def _group(recording: Recording, unit: str) -> str:
    if unit == ALL:
        return ALL
    lacking = [name for name in unit.split("-") if name not in (*FACTS, *recording.factors)]
    if lacking:
        known = ", ".join((ALL, *FACTS, *sorted(recording.factors)))
        raise DataError(f"Recording {recording.id} has no '{lacking[0]}' to group by", f"Choose one of: {known}")
    return unit_of(recording, unit)


def _by_group(measured: Measured, unit: str) -> tuple[SyncRow, ...]:
    groups: dict[str, list[Pair]] = {}
    for pair in measured.pairs:
        groups.setdefault(_group(pair.recording, unit), []).append(pair)
    rows: list[SyncRow] = []
    for group, pairs in groups.items():
        clear = [pair.alignment for pair in pairs if pair.alignment.clear]
        if len(clear) < FEWEST_OF_GROUP:
            continue
        figures = {f: float(np.median([getattr(one, f) for one in clear])) for f in ("offset_s", "drift_ppm")}
        by = f"median of {len(clear)}" + ("" if unit == ALL else f" of {unit} {group}")
        found = [_row(measured, p, dataclasses.replace(p.alignment, **figures), by) for p in pairs]
        rows += [row for row in found if row]
    return tuple(sorted(rows, key=lambda row: row.recording))
