"""Stretches of a long recording."""

from vskd.datasets.timeline import Timeline


def test_stretches_fill_all_of_the_time() -> None:
    timeline = Timeline(((1.0, 2.0, 1), (2.0, 3.0, 0), (5.0, 9.0, 1)), 2)
    assert timeline.stretches(6.0) == (
        (0.0, 1.0, 2), (1.0, 2.0, 1), (2.0, 3.0, 0), (3.0, 5.0, 2), (5.0, 6.0, 1),
    )  # fmt: skip
    assert Timeline((), 2).stretches(4.0) == ((0.0, 4.0, 2),)


def test_the_class_of_a_recording_is_the_one_shown_longest() -> None:
    assert Timeline(((0.0, 1.0, 3), (1.0, 2.5, 1), (3.0, 4.0, 3)), 0).longest == 3
    assert Timeline((), 4).longest == 4
    assert Timeline(((0.0, 1.0, 3),), 0).classes == {0, 3} and Timeline(((0.0, 1.0, 3),)).classes == {3}


def test_of_classes_shown_equally_long_the_first_counts() -> None:
    assert Timeline(((0.0, 1.0, 3), (1.0, 2.0, 1), (2.0, 3.0, 2)), 0).longest == 1


def test_a_gap_of_rounding_is_none() -> None:
    times = ((0.0, 0.1 + 0.2, 1), (0.3 + 5e-7, 1.0, 0))
    assert [label for _, _, label in Timeline(times, 2).stretches(1.0)] == [1, 0]
    assert [label for _, _, label in Timeline(((0.0, 0.3, 1), (0.300002, 1.0, 0)), 2).stretches(1.0)] == [1, 2, 0]
    assert Timeline(((0.0, 1.0, 1), (2.0, 3.0, 0))).stretches(1.5) == ((0.0, 1.0, 1), (1.0, 1.5, -1))


def test_a_gap_as_short_as_rounding_is_none_at_the_beginning_either() -> None:
    assert Timeline(((1e-6, 1.0, 1),), 0).stretches(1.0) == ((1e-6, 1.0, 1),)
    assert Timeline(((2e-6, 1.0, 1),), 0).stretches(1.0) == ((0.0, 2e-6, 0), (2e-6, 1.0, 1))
    assert Timeline(((0.0, 1.0, 1), (0.5, 2.0, 0)), 2).stretches(3.0) == ((0.0, 1.0, 1), (0.5, 2.0, 0), (2.0, 3.0, 2))
