"""Labels of windows from labelled stretches, against a count of fine samples."""

import numpy as np
import numpy.typing as npt
import pytest

from vskd.datasets.timeline import UNLABELLED, Timeline
from vskd.datasets.window_labels import LabelRule, window_labels

STEP = 0.01


def naive(timeline: Timeline, start: float, end: float, rule: LabelRule) -> tuple[int, float]:
    """By looking at the middle of every hundredth of a second."""
    moments = np.arange(round(start / STEP), round(end / STEP)) * STEP + STEP / 2
    labels = np.full(len(moments), timeline.elsewhere)
    for first, last, label in timeline.spans:
        labels[(moments >= first) & (moments < last)] = label
    if rule == "centre":
        answer = int(labels[len(labels) // 2])
    else:
        counts = {int(k): int((labels == k).sum()) for k in np.unique(labels)}
        most = max(counts.values())
        answer = min((k for k, n in counts.items() if n == most), key=lambda k: (k == UNLABELLED, k))
    return answer, float((labels == answer).mean())


@pytest.mark.parametrize("elsewhere", [UNLABELLED, 0, 3])
@pytest.mark.parametrize("rule", ["majority", "centre"])
def test_windows_are_labelled_as_a_count_of_samples_says(elsewhere: int, rule: LabelRule) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        edges = np.sort(random.choice(np.arange(1, 1000), 8, replace=False)) * STEP
        labels = random.integers(0, 4, 4)
        spans = tuple((float(edges[2 * k]), float(edges[2 * k + 1]), int(labels[k])) for k in range(4))
        timeline = Timeline(spans, elsewhere)
        starts = np.round(random.uniform(0, 8, 12), 2)
        times = np.stack([starts, starts + 2.02], axis=1)
        found, shares = window_labels(timeline, times, rule)
        expected = [naive(timeline, start, end, rule) for start, end in times]
        assert found.tolist() == [label for label, _ in expected]
        np.testing.assert_allclose(shares, [share for _, share in expected], atol=1e-6)


def test_a_timeline_without_spans_is_all_the_null_class() -> None:
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    rules: tuple[LabelRule, ...] = ("majority", "centre")
    for rule in rules:
        assert window_labels(Timeline((), 2), times, rule)[0].tolist() == [2, 2]
        assert window_labels(Timeline((), UNLABELLED), times, rule)[0].tolist() == [UNLABELLED] * 2


def test_adjacent_spans_touch_without_a_moment_between() -> None:
    timeline = Timeline(((0.0, 1.0, 0), (1.0, 2.0, 1)))
    times: npt.NDArray[np.float64] = np.array([[0.0, 1.0], [0.5, 1.5], [1.0, 2.0]])
    assert window_labels(timeline, times, "majority")[0].tolist() == [0, 0, 1]  # of equal ones the lower class
    assert window_labels(timeline, times, "centre")[0].tolist() == [0, 1, 1]
