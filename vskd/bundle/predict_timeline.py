"""Label a recording over time with a model of sliding windows: hours of signal at flat memory."""

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from vskd.bundle.bundle import load_bundle
from vskd.bundle.decision import NO_LABEL, Decider, DecisionSettings, Votes
from vskd.bundle.file_reading import AS_IS, FileReading, check_fits
from vskd.bundle.long_file import LongRecording, open_long
from vskd.bundle.markov import check_course, likely_labels, sure_labels
from vskd.bundle.predict import Predictor
from vskd.bundle.probabilities import softmax
from vskd.bundle.timeline import ROUNDING_S, Seconds, Segment, segments, window_bounds
from vskd.errors import BundleError, SettingError
from vskd.files import atomic_path
from vskd.progress import track
from vskd.schema import Fraction, NonNegative, Positive, Size, Strict

FloatArray = npt.NDArray[np.float32]
UNKNOWN = "unknown"
OUTLINE = 3000
COUNTS_WITH = {
    "votes": ("median", "majority", "hysteresis"),
    "hold": ("majority", "hysteresis"),
    "mean_seconds": ("hmm",),
}
"""Keys of `TimelineSettings` that count with some smoothings only."""


class TimelineSettings(Strict):
    """From the answers of windows to a timeline.

    Attributes:
        smoothing: `none`; `median` of the probabilities over `votes` windows around each; `majority` and `hysteresis`
            of the last `votes` windows, as the firmware decides (see `DecisionSettings`); `hmm`: the most likely course
            (see `likely_labels`).
        votes: see there; of `median`, `majority` and `hysteresis`.
        hold: windows for which a decision stays at least; of `majority` and `hysteresis`.
        mean_seconds: how long a label lasts in the mean; of `hmm`, which needs it.
        min_seconds: shorter stretches become part of their longer neighbour.
        unknown_below: probability of the best class below which a window is unknown; None: the bundle's threshold.

    Raises:
        SettingError: one was said that does nothing with this smoothing, or `mean_seconds` is missing.
    """

    smoothing: Literal["none", "median", "majority", "hysteresis", "hmm"] = "none"
    votes: Votes = 5
    hold: Size = 0
    mean_seconds: Positive | None = None
    min_seconds: NonNegative = 0.0
    unknown_below: Fraction | None = None

    @model_validator(mode="after")
    def _each_counts(self) -> Self:
        for name, smoothings in COUNTS_WITH.items():
            if name in self.model_fields_set and self.smoothing not in smoothings:
                raise SettingError(
                    f"{name} does nothing with smoothing {self.smoothing}",
                    f"Leave it out, or take smoothing {' or '.join(smoothings)}",
                )
        if self.smoothing == "hmm" and self.mean_seconds is None:
            raise SettingError("Smoothing hmm needs mean_seconds", "Say how long a label lasts in the mean")
        return self


@dataclass(frozen=True, eq=False)
class TimelinePrediction:
    """The answers about one recording over time.

    Attributes:
        segments: stretches of one label, in order; without the gaps.
        times: float64 (windows, 2), start and end in seconds since the file's first row.
        probabilities: float32 (windows, classes), before smoothing.
        classes: names, in order of class number.
        latency_ms: encoding and model together, mean per window.
        unknown_below: the threshold that was used; 0: none.
        notes: what was assumed, converted or left out.
        understood: what the file was understood to be.
        recording: its samples, for a plot.
        channels: of these samples.
        unit: theirs; empty of several sensors, which are shown in parts of their ranges.
    """

    segments: tuple[Segment, ...]
    times: Seconds
    probabilities: FloatArray
    classes: tuple[str, ...]
    latency_ms: float
    unknown_below: float
    notes: tuple[str, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    recording: LongRecording | None = field(default=None, repr=False)
    channels: tuple[str, ...] = ()
    unit: str = ""

    def name(self, segment: Segment) -> str:
        """The label of a stretch."""
        return self.classes[segment.label] if segment.label != NO_LABEL else UNKNOWN

    def outline(self) -> tuple[Seconds, FloatArray]:
        """The signal for a plot, (moments,) and (channels, moments): the extremes of `OUTLINE` parts of it at most."""
        recording = self.recording
        if recording is None:
            return np.empty(0), np.empty((0, 0), dtype=np.float32)
        count = recording.segments[-1][1]
        edges = np.unique(np.linspace(0, count, OUTLINE + 1).astype(int))
        parts = [recording.read(int(a), int(b)) for a, b in pairwise(edges)]
        low, high = (np.stack([of(part, axis=1) for part in parts], axis=1) for of in (np.min, np.max))
        moments = np.repeat([recording.time_of(int(a)) for a in edges[:-1]], 2)
        return moments, np.stack([low, high], axis=2).reshape(len(low), -1)

    def rows(self) -> list[tuple[float, float, str, float]]:
        """The timeline: start, end, label, confidence."""
        return [
            (round(s.start_s, 3) + 0.0, round(s.end_s, 3), self.name(s), round(s.confidence, 4))  # + 0.0: never -0.0
            for s in self.segments
        ]


def predict_timeline(
    bundle: Path,
    file: Path,
    reading: FileReading = AS_IS,
    settings: TimelineSettings | None = None,
) -> TimelinePrediction:
    """Label a file over time.

    Args:
        bundle: of a model that sees sliding windows.
        file: of any length.
        reading: what the caller says of it.
        settings: smoothing, rejection, shortest stretch.

    Raises:
        BundleError: the bundle was changed, or sees recordings as a whole, or the file does not fit its contract, or
            what is said does nothing for a recording.
        DataError: the file is missing or damaged.
        SettingError, MissingExtraError: see `likely_labels`.
    """
    predictor = Predictor(load_bundle(bundle))
    check_fits(reading, "sensor", bundle)
    contract, said = predictor.contract, settings or TimelineSettings()
    if contract.window_mode != "sliding":
        raise BundleError(
            f"{bundle} answers once for a whole recording, and has no timeline",
            "Use a bundle of sliding windows, or `vskd predict --stream`, which asks about pieces of the stream",
        )
    if said.mean_seconds is not None:
        check_course((contract.stride or 1) / (contract.window_rate_hz or 1.0), said.mean_seconds)
    recording = open_long(file, contract, reading)
    total = recording.count_windows(contract)
    if not total:
        longest = max(behind - first for first, behind in recording.segments)
        raise BundleError(
            f"{file}: no window fits: the model asks for {contract.length} samples at {contract.window_rate_hz:g} Hz, "
            f"and the longest piece between gaps has {longest} at {recording.rate_hz:g} Hz",
            "Record longer",
        )
    times, probabilities, latency = _answers(predictor, recording, total)
    below = said.unknown_below
    if below is None:
        below = contract.unknown.below if contract.unknown else 0.0
    return TimelinePrediction(
        decided(times, probabilities, said, below),
        times,
        probabilities,
        predictor.bundle.manifest.provenance.labels,
        latency,
        below,
        recording.notes,
        recording.understood,
        recording,
        contract.axes,
        "" if contract.streams else contract.unit,
    )


def _answers(predictor: Predictor, recording: LongRecording, total: int) -> tuple[Seconds, FloatArray, float]:
    """Times and probabilities of all windows, and milliseconds a window."""
    classes = len(predictor.bundle.manifest.provenance.labels)
    times, probabilities = np.empty((total, 2)), np.empty((total, classes), dtype=np.float32)
    windows = (
        (window, when)
        for some, bounds in recording.windows(predictor.contract)
        for window, when in zip(some, bounds, strict=True)
    )
    seconds = 0.0
    for number, (window, when) in enumerate(track(windows, "Predicting", total=total)):
        start = time.perf_counter()
        logits = predictor.logits(window)
        seconds += time.perf_counter() - start
        times[number], probabilities[number] = when, softmax(logits)
    return times, probabilities, 1000 * seconds / total


def decided(
    times: Seconds, probabilities: FloatArray, settings: TimelineSettings, unknown_below: float
) -> tuple[Segment, ...]:
    """From the probabilities of windows to stretches with labels.

    Args:
        times: (windows, 2), start and end, in order.
        probabilities: (windows, classes).
        settings: see there.
        unknown_below: see there.

    Raises:
        SettingError, MissingExtraError: see `likely_labels`.
    """
    first = np.flatnonzero(window_bounds(times)[1])
    pieces = [slice(a, b) for a, b in pairwise([*first.tolist(), len(times)])]
    smooth = probabilities
    if settings.smoothing == "median":
        smooth = np.concatenate([median_over(probabilities[piece], settings.votes) for piece in pieces])
    best = smooth.max(axis=1)
    labels = np.where(best >= unknown_below, smooth.argmax(axis=1), NO_LABEL).astype(np.int64)
    if settings.smoothing in ("majority", "hysteresis"):
        labels = np.concatenate([_as_the_firmware(labels[piece].tolist(), settings) for piece in pieces])
    own = np.where(labels == NO_LABEL, best, smooth[np.arange(len(labels)), labels])
    if settings.mean_seconds is not None:
        step, mean = _step(times, first), settings.mean_seconds
        likely = [likely_labels(smooth[piece], step_s=step, mean_seconds=mean) for piece in pieces]
        sure = [sure_labels(n, smooth[piece], unknown_below) for n, piece in zip(likely, pieces, strict=True)]
        labels, own = np.concatenate(sure), smooth[np.arange(len(smooth)), np.concatenate(likely)]
    return without_short(segments(times, labels, own.astype(np.float64)), settings.min_seconds)


def _step(times: Seconds, first: npt.NDArray[np.int64]) -> float:
    """Seconds from one window to the next within a piece; 0 where each piece is a single window."""
    inside = np.delete(np.diff(times[:, 0]), first[1:] - 1)
    return float(np.median(inside)) if len(inside) else 0.0


def median_over(probabilities: FloatArray, votes: int) -> FloatArray:
    """The median of each class over `votes` windows around each, fewer at the ends; rows sum to 1."""
    half = votes // 2
    padded = np.pad(probabilities, ((half, half), (0, 0)), constant_values=np.nan)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)  # (windows, classes, votes)
    medians = np.nanmedian(near, axis=2)
    return np.asarray(medians / np.maximum(medians.sum(axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _as_the_firmware(labels: Sequence[int], settings: TimelineSettings) -> npt.NDArray[np.int64]:
    smoothing: Literal["majority", "hysteresis"] = "majority" if settings.smoothing == "majority" else "hysteresis"
    decider = Decider(DecisionSettings(smoothing=smoothing, votes=settings.votes, hold=settings.hold))
    return np.array([decider.decide(label) for label in labels], dtype=np.int64)


def without_short(found: Sequence[Segment], min_seconds: float) -> tuple[Segment, ...]:
    """Stretches of which the short ones became part of the longer neighbour that they touch, the shortest first."""
    left = list(found)
    while True:
        short = [k for k, s in enumerate(left) if s.seconds < min_seconds - ROUNDING_S and _neighbours(left, k)]
        if not short:
            return tuple(left)
        place = min(short, key=lambda k: left[k].seconds)
        taking = max(_neighbours(left, place), key=lambda k: left[k].seconds)
        left[place] = replace(left[place], label=left[taking].label, confidence=left[taking].confidence)
        left = _joined(left)


def _touch(one: Segment, other: Segment) -> bool:
    return abs(other.start_s - one.end_s) <= ROUNDING_S


def _neighbours(found: Sequence[Segment], place: int) -> list[int]:
    before = place > 0 and _touch(found[place - 1], found[place])
    after = place + 1 < len(found) and _touch(found[place], found[place + 1])
    return [place - 1] * before + [place + 1] * after


def _joined(found: Sequence[Segment]) -> list[Segment]:
    """Neighbours that touch and have one label are one; its confidence is the mean over its time."""
    joined: list[Segment] = []
    for one in found:
        if joined and joined[-1].label == one.label and _touch(joined[-1], one):
            last = joined.pop()
            mean = (last.confidence * last.seconds + one.confidence * one.seconds) / (last.seconds + one.seconds)
            one = Segment(last.start_s, one.end_s, one.label, mean)
        joined.append(one)
    return joined


def write_timeline(answer: TimelinePrediction, path: Path) -> None:
    """Write the timeline as CSV: start_s, end_s, label, confidence.

    Raises:
        WriteError: it cannot be written; an earlier file is left untouched.
    """
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("start_s", "end_s", "label", "confidence"))
        writer.writerows(answer.rows())
