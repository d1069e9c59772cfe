"""Figures of windows, and the rows of long recordings."""

import csv
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.timeline import UNLABELLED, Timeline
from vskd.errors import DataError
from vskd.evaluation.predictions import FIXED_COLUMNS, STAMPS
from vskd.evaluation.windows import WindowPredictions, read_windows, stretch_predictions, window_figures, window_rows

CLASSES = ("none", "run", "walk")


def answers(
    ids: str, labels: list[int], predicted: list[int], length: float = 2.0, stride: float = 1.0
) -> WindowPredictions:
    """Windows whose answers are 80 % sure; `ids` has a letter for each."""
    numbers = [ids[:k].count(one) for k, one in enumerate(ids)]
    times = np.array([[stride * k, stride * k + length] for k in numbers])
    probabilities = np.full((len(ids), 3), 0.1)
    probabilities[np.arange(len(ids)), predicted] = 0.8
    return WindowPredictions(
        tuple(ids), tuple(f"s{one}" for one in ids), times, np.array(labels), probabilities, CLASSES
    )


def test_windows_of_a_recording_stand_together() -> None:
    found = answers("aaabb", [0, 1, 1, 2, 2], [0, 1, 2, 2, 0])
    assert found.recordings == {"a": slice(0, 3), "b": slice(3, 5)}
    assert found.predicted.tolist() == [0, 1, 2, 2, 0] and len(found) == 5
    assert answers("", [], []).recordings == {}


def test_only_labelled_windows_are_predictions_with_names_of_their_own() -> None:
    known = answers("aab", [1, UNLABELLED, 2], [1, 1, 2]).labelled()
    assert (known.ids, known.subjects, known.labels.tolist()) == (("a#0", "b#2"), ("sa", "sb"), [1, 2])


def test_figures_count_labelled_windows_and_what_is_taken_for_nothing() -> None:
    truth = [0, 0, 0, 0, 1, 1, 2, UNLABELLED]
    found = window_figures(answers("a" * 8, truth, [0, 1, 2, 0, 1, 0, 2, 1]), "none")
    assert (found.n, found.unlabelled, found.accuracy) == (7, 1, pytest.approx(4 / 7))
    assert found.confusion == ((2, 1, 1), (1, 1, 0), (0, 0, 1))
    assert (found.null_answered, found.null_missed) == (pytest.approx(2 / 4), pytest.approx(1 / 3))
    assert found.balanced_accuracy == pytest.approx((2 / 4 + 1 / 2 + 1) / 3)
    without = window_figures(answers("a" * 8, truth, [0, 1, 2, 0, 1, 0, 2, 1]), "")
    assert (without.null_answered, without.null_missed) == (None, None)


def test_shares_of_classes_that_do_not_occur_are_nothing() -> None:
    assert window_figures(answers("aa", [1, 2], [1, 0]), "none").null_answered is None
    assert window_figures(answers("aa", [0, 0], [1, 0]), "none").null_missed is None


def test_a_stretch_is_the_mean_of_the_windows_whose_middle_lies_within() -> None:
    windows = answers("aaaa", [1, 1, 2, 2], [1, 2, 2, 0])  # middles at 1, 2, 3 and 4 s of 5
    found, places = stretch_predictions(windows, {"a": Timeline(((0.0, 2.5, 1), (2.5, 3.9, 2)))})
    assert (found.ids, found.subjects, found.labels.tolist()) == (("a@0.00", "a@2.50"), ("sa", "sa"), [1, 2])
    assert places == [(0.0, 2.5), (2.5, 3.9)]
    np.testing.assert_allclose(found.probabilities, [[0.1, 0.45, 0.45], [0.1, 0.1, 0.8]])


def test_a_middle_on_a_border_belongs_to_what_begins_there() -> None:
    windows = answers("aaaa", [1, 1, 2, 2], [1, 1, 2, 0])  # middles at 1, 2, 3 and 4 s
    found, _ = stretch_predictions(windows, {"a": Timeline(((1.0, 3.0, 1), (3.0, 4.0, 2)))})
    np.testing.assert_allclose(found.probabilities, [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])


def test_a_stretch_between_two_middles_has_the_nearest_window() -> None:
    windows = answers("aaaa", [1, 1, 2, 2], [1, 2, 0, 0])
    found, _ = stretch_predictions(windows, {"a": Timeline(((2.1, 2.5, 1),))})
    assert found.predicted.tolist() == [2]


def test_recordings_without_a_labelled_stretch_are_refused() -> None:
    with pytest.raises(DataError, match="No stretch of the recordings has a label"):
        stretch_predictions(answers("aa", [UNLABELLED] * 2, [1, 1]), {"a": Timeline(())})


def test_rows_are_read_back_as_they_were(tmp_path: Path) -> None:
    windows = answers("aab", [1, UNLABELLED, 2], [1, 0, 2], stride=0.3)
    path = tmp_path / "predictions.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        table = csv.writer(handle)
        table.writerow([*FIXED_COLUMNS, *STAMPS, *(f"p_{name}" for name in CLASSES)])
        blank = [""] * len(STAMPS)
        table.writerow(["a", "sa", 1, "run", 1, "run", *blank, 0.1, 0.8, 0.1])  # of the recording as a whole
        numbers = []
        for head, probabilities in window_rows(windows):
            numbers.append(head[-3])
            table.writerow([*head, *[""] * (len(FIXED_COLUMNS) + len(STAMPS) - len(head)), *probabilities])
    assert numbers == [0, 1, 0]  # counted in each recording
    read = read_windows(path)
    assert read is not None and (read.ids, read.subjects, read.class_names) == (windows.ids, windows.subjects, CLASSES)
    assert read.labels.tolist() == [1, UNLABELLED, 2]
    np.testing.assert_array_equal(read.times, windows.times)
    np.testing.assert_array_equal(read.probabilities, windows.probabilities)


def test_without_rows_of_windows_there_are_none(tmp_path: Path) -> None:
    """A file of before windows were written, and one whose rows are all of recordings."""
    from vskd.evaluation.predictions import Predictions, Stamp, write_csv

    of_recordings = Predictions(("a",), ("s",), np.array([1]), np.array([[0.1, 0.8, 0.1]]), CLASSES)
    for stamp in (None, Stamp(None, 0)):
        write_csv(of_recordings, tmp_path / "p.csv", stamp)
        assert read_windows(tmp_path / "p.csv") is None
    (tmp_path / "p.csv").write_text("nonsense")
    with pytest.raises(DataError, match="row 1"):
        read_windows(tmp_path / "p.csv")


def test_the_nearest_window_is_that_of_the_stretch_s_middle() -> None:
    """Middles at 1, 2, 3 and 4 s; of two equally near ones the first speaks."""
    windows = answers("aaaa", [1, 1, 2, 2], [1, 2, 0, 1])
    timeline = Timeline(((1.2, 1.4, 1), (1.6, 1.9, 1), (2.1, 2.9, 1)))
    found, places = stretch_predictions(windows, {"a": timeline})
    assert found.predicted.tolist() == [1, 2, 2] and places == [(1.2, 1.4), (1.6, 1.9), (2.1, 2.9)]


def test_stretches_of_several_recordings_are_those_of_their_own_windows() -> None:
    windows = answers("aabb", [1, 1, 2, 2], [1, 1, 2, 0])
    found, _ = stretch_predictions(windows, {"a": Timeline((), 1), "b": Timeline(((0.0, 1.5, 2),), 0)})
    assert (found.ids, found.subjects) == (("a@0.00", "b@0.00", "b@1.50"), ("sa", "sb", "sb"))
    assert (found.labels.tolist(), found.predicted.tolist()) == ([1, 2, 0], [1, 2, 0])


def test_windows_are_told_apart_as_objects() -> None:
    """They hold arrays, which are neither equal nor hashed as a whole."""
    one, other = (answers("ab", [0, 1], [0, 2]) for _ in range(2))
    assert one != other and len({one, other}) == 2
