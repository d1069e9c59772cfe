"""Figures of events: closed forms, and a second, naive implementation of each on random events."""

import itertools

import numpy as np
import pytest

from vskd.datasets.timeline import Timeline
from vskd.evaluation.events import (
    IOUS,
    ONSET_S,
    OVERLAPS,
    Event,
    event_figures,
    false_alarms,
    iou,
    mean_average_precision,
    onset_f1,
    segment_f1,
)
from vskd.evaluation.windows import WindowPredictions

CLASSES = ("none", "run", "walk")


def events(*rows: tuple[float, float, int], recording: str = "a", confidence: float = 1.0) -> list[Event]:
    return [Event(recording, start, end, label, confidence) for start, end, label in rows]


def at_random(seed: int, count: int) -> list[Event]:
    """Events of two recordings and classes that do not overlap within a recording."""
    random = np.random.default_rng(seed)
    found = []
    for recording in ("a", "b"):
        edges = np.sort(random.choice(np.arange(400), 2 * count, replace=False)) / 4
        for k in range(count):
            label = int(random.integers(1, 3))
            found.append(Event(recording, edges[2 * k], edges[2 * k + 1], label, float(random.uniform())))
    return found


def naive_iou(one: Event, other: Event) -> float:
    """By counting hundredths of a second."""
    if one.recording != other.recording:
        return 0.0
    moments = np.arange(0, 10_000) / 100 + 0.005
    first, second = ((moments >= e.start_s) & (moments < e.end_s) for e in (one, other))
    return float((first & second).sum() / (first | second).sum())


def naive_onset_hits(truth: list[Event], answered: list[Event], tolerance: float) -> int:
    """The largest matching, by augmenting paths."""
    fits = [
        [
            k
            for k, e in enumerate(answered)
            if (e.recording, e.label) == (t.recording, t.label) and abs(e.start_s - t.start_s) <= tolerance
        ]
        for t in truth
    ]
    owner: dict[int, int] = {}

    def place(number: int, seen: set[int]) -> bool:
        for k in fits[number]:
            if k not in seen:
                seen.add(k)
                if k not in owner or place(owner[k], seen):
                    owner[k] = number
                    return True
        return False

    return sum(place(n, set()) for n in range(len(truth)))


def naive_average_precision(truth: list[Event], answered: list[Event], label: int, least: float) -> float:
    """ActivityNet's own loops: precision and recall at every rank, then the area under the falling curve."""
    wanted = [e for e in truth if e.label == label]
    ranked = sorted((e for e in answered if e.label == label), key=lambda e: -e.confidence)
    free, points, right = list(wanted), [(0.0, 0.0)], 0
    for rank, event in enumerate(ranked, 1):
        near = sorted(free, key=lambda t: -iou(t, event))
        if near and iou(near[0], event) >= least:
            free.remove(near[0])
            right += 1
        points.append((right / len(wanted), right / rank))
    area = 0.0
    for (before, _), (now, _) in itertools.pairwise(points):
        area += (now - before) * max((p for r, p in points if r >= now), default=0.0)
    return area


@pytest.mark.parametrize("seed", range(8))
def test_against_naive_implementations(seed: int) -> None:
    truth, answered = at_random(seed, 12), at_random(seed + 100, 15)
    for one, other in zip(truth[:6], answered[:6], strict=True):
        assert iou(one, other) == pytest.approx(naive_iou(one, other), abs=1e-9)
    for tolerance in (0.5, 2.0, 10.0):
        hits = naive_onset_hits(truth, answered, tolerance)
        assert onset_f1(truth, answered, tolerance) == pytest.approx(2 * hits / (len(truth) + len(answered)))
    for least in (0.05, 0.2, 0.5):
        expected = np.mean([naive_average_precision(truth, answered, k, least) for k in {e.label for e in truth}])
        assert mean_average_precision(truth, answered, least) == pytest.approx(expected)
    alone = [e for e in answered if not any(e.label == t.label and naive_iou(e, t) > 0 for t in truth)]
    assert false_alarms(truth, answered) == len(alone)


def test_the_truth_itself_is_perfect() -> None:
    truth = at_random(3, 10)
    assert segment_f1(truth, truth, 0.99) == onset_f1(truth, truth, 0.0) == 1
    assert all(mean_average_precision(truth, truth, k) == pytest.approx(1) for k in IOUS)
    assert false_alarms(truth, truth) == 0


def test_segmental_f1_of_lea() -> None:
    """One true event cut in two: one half hits at 0.4, the other is a false one."""
    truth = events((0, 10, 1))
    assert segment_f1(truth, events((0, 4, 1), (5, 10, 1)), 0.4) == pytest.approx(2 / 3)
    assert segment_f1(truth, events((0, 4, 1), (5, 10, 1)), 0.6) == 0
    assert segment_f1(truth, events((0, 10, 2)), 0.1) == 0
    assert segment_f1(truth, events((0, 10, 1), recording="b"), 0.1) == 0
    assert segment_f1(truth, [], 0.1) == 0


def test_average_precision_closed_form() -> None:
    """Ranks hit, miss, hit of two true ones: 1/2 * 1 + 1/2 * 2/3."""
    truth = events((0, 10, 1), (20, 30, 1))
    answered = [Event("a", 0, 10, 1, 0.9), Event("a", 40, 50, 1, 0.8), Event("a", 20, 30, 1, 0.7)]
    assert mean_average_precision(truth, answered, 0.5) == pytest.approx(0.5 + 0.5 * 2 / 3)


def windows_of(answers: list[int], labels: list[int], seconds: float = 2.0) -> WindowPredictions:
    """Windows of 2 s, one a second."""
    starts = np.arange(len(answers), dtype=np.float64)
    return WindowPredictions(
        ("a",) * len(answers),
        ("1",) * len(answers),
        np.stack([starts, starts + seconds], axis=1),
        np.array(labels),
        np.eye(3)[answers] * 0.7 + 0.1,
        CLASSES,
    )


def test_all_figures_of_a_short_day() -> None:
    """9 s: run from 2 to 5, walk from 6 to 8. The run is found a second late, a walk alarm comes in the pause."""
    timeline = Timeline(((2.0, 5.0, 1), (6.0, 8.0, 2)), 0)
    answers = [2, 0, 0, 1, 1, 0, 2, 2]  # windows 0-2, 1-3, ... 7-9
    found = event_figures(windows_of(answers, answers), {"a": timeline}, "none")
    assert found is not None and (found.n, found.answered, found.found) == (2, 3, 1.0)
    # answered: walk 0 to 1.5, run 3.5 to 5.5, walk 6.5 to 9
    assert found.segment_f1 == {"0.1": 0.8, "0.25": 0.8, "0.5": pytest.approx(0.4)}  # 1.5 / 3.5 and 1.5 / 3
    assert found.onset_f1 == pytest.approx(0.4)  # 3.5 is not within a second of 2, 6.5 is of 6
    assert found.false_alarms_per_hour == pytest.approx(1 / (9 / 3600))
    assert found.latency_s == pytest.approx(((5 - 2) + (8 - 6)) / 2)  # windows 3-5 and 6-8 say it first
    assert found.average_precision["0.5"] == pytest.approx((0 + 0.5) / 2)  # the alarm and the walk are as sure


def test_time_that_nobody_labelled_is_neither_right_nor_wrong() -> None:
    timeline = Timeline(((2.0, 5.0, 1),))
    found = event_figures(windows_of([2, 1, 1, 1, 0, 2, 2, 2], [-1] * 8), {"a": timeline}, "")
    assert found is not None and found.hours == pytest.approx(3 / 3600)
    assert found.answered == 2  # what lies wholly where nobody labelled does not count: walk at both ends
    assert event_figures(windows_of([0, 0], [0, 0]), {"a": Timeline((), 0)}, "none") is None


def test_a_window_that_only_touches_an_event_does_not_find_it() -> None:
    """The event lasts from 2 to 4 s; windows of its label end where it begins, and begin where it ends."""
    found = event_figures(windows_of([1, 0, 0, 0, 1], [0] * 5), {"a": Timeline(((2.0, 4.0, 1),), 0)}, "none")
    assert found is not None and (found.found, found.latency_s) == (0.0, None)
    within = event_figures(windows_of([0, 1, 0, 0, 0], [0] * 5), {"a": Timeline(((2.0, 4.0, 1),), 0)}, "none")
    assert within is not None and (within.found, within.latency_s) == (1.0, 1.0)  # the window from 1 to 3


def test_figures_that_every_published_table_rests_on() -> None:
    assert IOUS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    assert (OVERLAPS, ONSET_S) == ((0.1, 0.25, 0.5), 1.0)


@pytest.mark.parametrize(("shift", "hits"), [(-2.0, 1), (-2.001, 0), (2.0, 1), (2.001, 0), (0.0, 1)])
def test_an_onset_at_the_tolerance_is_near_enough(shift: float, hits: int) -> None:
    assert onset_f1(events((10, 20, 1)), events((10 + shift, 20, 1)), 2.0) == hits


@pytest.mark.parametrize(("least", "found"), [(0.5, 1.0), (0.501, 0.0)])
def test_an_overlap_at_the_least_one_is_enough(least: float, found: float) -> None:
    truth, answered = events((0, 10, 1)), events((0, 5, 1))
    assert segment_f1(truth, answered, least) == mean_average_precision(truth, answered, least) == found


def test_what_only_touches_is_a_false_alarm() -> None:
    truth = events((2, 4, 1))
    assert false_alarms(truth, events((0, 2, 1), (4, 6, 1))) == 2
    assert false_alarms(truth, events((0, 2.01, 1), (3.99, 6, 1))) == 0
    assert iou(*truth, *events((0, 2, 1))) == 0.0 and iou(*truth, *events((3, 6, 1))) == 0.25


def test_of_equally_near_events_the_first_is_taken_first() -> None:
    """One answer lies over two true events; a second, less sure one lies over the first alone."""
    truth = events((0, 4, 1), (4, 8, 1))
    answered = [Event("a", 0, 8, 1, 0.9), Event("a", 4, 8, 1, 0.5)]
    assert mean_average_precision(truth, answered, 0.5) == pytest.approx(1.0)


def test_what_is_known_of_a_day_is_counted() -> None:
    """An answer that reaches out of unlabelled time counts; one of two classes is never answered."""
    timeline = Timeline(((1.0, 3.0, 1), (3.0, 5.0, 2)))
    found = event_figures(windows_of([1, 1, 1, 0, 0, 0, 0], [-1] * 7), {"a": timeline}, "none")
    assert found is not None and (found.n, found.answered, found.onset_s) == (2, 1, 1.0)
    assert found.hours == pytest.approx(4 / 3600) and found.found == 0.5
    assert found.latency_s == pytest.approx(1.0)  # the window from 0 to 2
    assert found.mean_average_precision == pytest.approx(np.mean(list(found.average_precision.values())))
    assert list(found.average_precision) == [f"{k:g}" for k in IOUS]
