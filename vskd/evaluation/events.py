"""Figures of events: stretches of one label in long recordings, true ones against those that were answered.

sed_eval, which computes some of them for sound, was not taken: it brings dcase_util and with it a dozen packages.

Sources: segmental F1 at an overlap: Lea et al., "Temporal Convolutional Networks for Action Segmentation and
Detection", CVPR 2017. F1 with a tolerant onset: Mesaros et al., "Metrics for Polyphonic Sound Event Detection", Applied
Sciences 2016. Mean average precision over temporal IoU, 0.5 to 0.95: ActivityNet's evaluation (Heilbron et al., CVPR
2015).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vskd.bundle.timeline import segments
from vskd.datasets.timeline import UNLABELLED, Timeline
from vskd.evaluation.windows import WindowPredictions
from vskd.schema import Count, Fraction, NonNegative, Size, Strict

OVERLAPS = (0.1, 0.25, 0.5)
IOUS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
ONSET_S = 1.0


@dataclass(frozen=True)
class Event:
    """A stretch of one class in a recording; `confidence` counts for those that were answered."""

    recording: str
    start_s: float
    end_s: float
    label: int
    confidence: float = 1.0


class EventFigures(Strict):
    """Figures of events; the null class and time that nobody labelled are no events.

    Attributes:
        n: true events. answered: events that were answered.
        hours: labelled time.
        segment_f1: overlap (IoU) that a pair must have -> F1 over all events of all classes.
        onset_f1: F1 where a pair's beginnings may differ by `onset_s`.
        mean_average_precision: mean over classes and over IoU of 0.5 to 0.95.
        average_precision: IoU -> mean over classes.
        false_alarms_per_hour: answered events that overlap with no true one of their class.
        found: share of the true events in which a window got their label.
        latency_s: median over these of the time from the beginning to the end of the first such window; None if none.
    """

    n: Count
    answered: Size
    hours: NonNegative
    segment_f1: dict[str, Fraction]
    onset_s: NonNegative
    onset_f1: Fraction
    mean_average_precision: Fraction
    average_precision: dict[str, Fraction]
    false_alarms_per_hour: NonNegative
    found: Fraction
    latency_s: NonNegative | None


def iou(one: Event, other: Event) -> float:
    """Time that two events share, as a fraction of the time that either lasts; 0 in different recordings."""
    if one.recording != other.recording:
        return 0.0
    shared = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return max(0.0, shared) / (max(one.end_s, other.end_s) - min(one.start_s, other.start_s)) if shared > 0 else 0.0


def event_figures(
    windows: WindowPredictions, timelines: Mapping[str, Timeline], null_class: str
) -> EventFigures | None:
    """All figures of events; None where there is no true one.

    Args:
        windows: of recordings with a timeline.
        timelines: of each recording.
        null_class: its name; empty where there is none.
    """
    null = windows.class_names.index(null_class) if null_class in windows.class_names else UNLABELLED
    ends = {i: float(windows.times[part][-1, 1]) for i, part in windows.recordings.items()}
    stretches = {i: timelines[i].stretches(end) for i, end in ends.items()}
    truth = [Event(i, *s) for i, own in stretches.items() for s in own if s[2] not in (null, UNLABELLED)]
    if not truth:
        return None
    known = sum(end - start for own in stretches.values() for start, end, label in own if label != UNLABELLED)
    answered = _inside(answered_events(windows, null), truth, stretches)
    precision = {f"{k:g}": mean_average_precision(truth, answered, k) for k in IOUS}
    latencies = [latency for event in truth if (latency := _latency(event, windows)) is not None]
    return EventFigures(
        n=len(truth),
        answered=len(answered),
        hours=known / 3600,
        segment_f1={f"{k:g}": segment_f1(truth, answered, k) for k in OVERLAPS},
        onset_s=ONSET_S,
        onset_f1=onset_f1(truth, answered, ONSET_S),
        mean_average_precision=float(np.mean(list(precision.values()))),
        average_precision=precision,
        false_alarms_per_hour=false_alarms(truth, answered) / (known / 3600),
        found=len(latencies) / len(truth),
        latency_s=float(np.median(latencies)) if latencies else None,
    )


def answered_events(windows: WindowPredictions, null: int) -> list[Event]:
    """Runs of windows that got one label, but for the null class."""
    events = []
    for recording, part in windows.recordings.items():
        best = windows.probabilities[part].max(axis=1)
        for one in segments(windows.times[part], windows.predicted[part], best):
            if one.label != null:
                events.append(Event(recording, one.start_s, one.end_s, one.label, one.confidence))
    return events


def _inside(
    answered: Sequence[Event], truth: Sequence[Event], stretches: Mapping[str, Sequence[tuple[float, float, int]]]
) -> list[Event]:
    """Without the answers that lie wholly in time that nobody labelled: nobody can say whether they are right."""
    bare = {i: [s for s in own if s[2] == UNLABELLED] for i, own in stretches.items()}
    return [
        event
        for event in answered
        if not any(start <= event.start_s and event.end_s <= end for start, end, _ in bare[event.recording])
    ]


def _f1(hits: int, truth: int, answered: int) -> float:
    return 2 * hits / (truth + answered) if truth + answered else 0.0


def segment_f1(truth: Sequence[Event], answered: Sequence[Event], overlap: float) -> float:
    """F1 of events: an answer is right if it overlaps enough with a true event of its class that no other one took.

    Each answer is held against the true event of its class with which it overlaps most; of several that are held
    against one, one is right (Lea et al.).
    """
    taken: set[int] = set()
    alike = _alike(truth)
    for event in answered:
        overlaps = {k: iou(event, truth[k]) for k in alike.get((event.recording, event.label), ())}
        best = max(overlaps, key=lambda k: overlaps[k], default=-1)
        if best >= 0 and overlaps[best] >= overlap:
            taken.add(best)
    return _f1(len(taken), len(truth), len(answered))


def _alike(events: Sequence[Event]) -> dict[tuple[str, int], list[int]]:
    """Positions of the events of each recording and class."""
    groups: dict[tuple[str, int], list[int]] = {}
    for k, event in enumerate(events):
        groups.setdefault((event.recording, event.label), []).append(k)
    return groups


def onset_f1(truth: Sequence[Event], answered: Sequence[Event], tolerance_s: float) -> float:
    """F1 of events of which only the beginning counts; as many are paired as possible, each once.

    On a line, taking the earliest answer that fits each true event in turn pairs the most.
    """
    hits = 0
    groups = {(e.recording, e.label) for e in truth}
    for group in groups:
        wanted = sorted(e.start_s for e in truth if (e.recording, e.label) == group)
        given = sorted(e.start_s for e in answered if (e.recording, e.label) == group)
        place = 0
        for onset in wanted:
            while place < len(given) and given[place] < onset - tolerance_s:
                place += 1
            if place < len(given) and given[place] <= onset + tolerance_s:
                hits, place = hits + 1, place + 1
    return _f1(hits, len(truth), len(answered))


def mean_average_precision(truth: Sequence[Event], answered: Sequence[Event], least_iou: float) -> float:
    """Mean over the classes that occur of the average precision at an overlap, as ActivityNet computes it."""
    classes = sorted({event.label for event in truth})
    return float(np.mean([_average_precision(truth, answered, k, least_iou) for k in classes]))


def _average_precision(truth: Sequence[Event], answered: Sequence[Event], label: int, least_iou: float) -> float:
    """Area under the curve of precision, which is made to fall, over recall."""
    wanted = [e for e in truth if e.label == label]
    given = sorted((e for e in answered if e.label == label), key=lambda e: -e.confidence)
    taken: set[int] = set()
    hits, alike = np.zeros(len(given)), _alike(wanted)
    for place, event in enumerate(given):
        near = alike.get((event.recording, label), ())
        overlaps = [(iou(event, wanted[k]), -k) for k in near if k not in taken]
        best, number = max(overlaps, default=(0.0, 0))
        if best >= least_iou:
            taken.add(-number)
            hits[place] = 1
    recall = np.concatenate([[0.0], np.cumsum(hits) / len(wanted), [1.0]])
    precision = np.concatenate([[0.0], np.cumsum(hits) / np.arange(1, len(given) + 1), [0.0]])
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.flatnonzero(np.diff(recall)) + 1
    return float(((recall[steps] - recall[steps - 1]) * falling[steps]).sum())


def false_alarms(truth: Sequence[Event], answered: Sequence[Event]) -> int:
    """Answered events that overlap with no true one of their class."""
    alike = _alike(truth)
    return sum(not any(iou(e, truth[k]) > 0 for k in alike.get((e.recording, e.label), ())) for e in answered)


def _latency(event: Event, windows: WindowPredictions) -> float | None:
    """Seconds from the beginning of a true event to the end of the first window of its label within; None: none was.

    A window that ends before the event does not count, nor does one that begins after it.
    """
    part = windows.recordings[event.recording]
    times = windows.times[part]
    right = (windows.predicted[part] == event.label) & (times[:, 1] > event.start_s) & (times[:, 0] < event.end_s)
    return float(times[right][0, 1] - event.start_s) if right.any() else None
