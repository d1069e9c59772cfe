"""Stretches of windows: each moment is spoken for by the window whose middle is nearest."""

import numpy as np

from vskd.bundle.timeline import Segment, segments, window_bounds


def test_runs_meet_half_way_between_the_middles() -> None:
    times = np.array([[0, 2], [1, 3], [2, 4], [3, 5]], dtype=float)
    found = segments(times, np.array([1, 1, 0, -1]), np.array([0.5, 0.7, 0.9, 0.2]))
    assert found == (Segment(0.0, 2.5, 1, 0.6), Segment(2.5, 3.5, 0, 0.9), Segment(3.5, 5.0, -1, 0.2))


def test_no_stretch_reaches_across_a_gap() -> None:
    times = np.array([[0, 2], [1, 3], [10, 12], [11, 13]], dtype=float)
    found = segments(times, np.array([1, 1, 1, 1]), np.ones(4))
    assert [(s.start_s, s.end_s) for s in found] == [(0.0, 3.0), (10.0, 13.0)]


def test_windows_without_overlap_speak_for_themselves() -> None:
    times = np.array([[0, 2], [2, 4], [4, 6]], dtype=float)
    bounds, first = window_bounds(times)
    np.testing.assert_allclose(bounds, times)
    assert first.tolist() == [True, False, False]


def test_every_moment_belongs_to_the_nearest_window() -> None:
    random = np.random.default_rng(0)
    starts = np.cumsum(random.uniform(0.1, 1.5, 40))
    times = np.stack([starts, starts + 2], axis=1)
    labels = random.integers(0, 3, 40)
    found = segments(times, labels, np.ones(40))
    for moment in np.arange(times[0, 0], times[-1, 1], 0.0137):
        nearest = int(np.abs(times.mean(axis=1) - moment).argmin())
        (label,) = [s.label for s in found if s.start_s <= moment < s.end_s]
        assert label == labels[nearest]
    assert segments(times[:0], labels[:0], np.ones(0)) == ()


def test_pieces_that_just_touch_are_one_and_single_windows_speak_for_themselves() -> None:
    times = np.array([[0, 2], [2 + 5e-7, 4], [4 + 2e-6, 6], [10, 12]])
    bounds, first = window_bounds(times)
    assert first.tolist() == [True, False, True, True]
    np.testing.assert_allclose(bounds, [[0, 2], [2, 4], [4, 6], [10, 12]], atol=1e-5)
    assert bounds[2, 0] == times[2, 0] and bounds[1, 1] == times[1, 1]
    (one,) = segments(times[:1], np.array([2]), np.array([0.25]))
    assert one == Segment(0.0, 2.0, 2, 0.25) and one.seconds == 2.0
    assert type(one.label) is int and [type(x) for x in (one.start_s, one.end_s, one.confidence)] == [float] * 3
    unknown = segments(np.array([[0, 2], [1, 3]], dtype=float), np.array([-1, -1]), np.array([0.2, 0.4]))
    assert len(unknown) == 1 and unknown[0].confidence == 0.30000000000000004
