"""The most likely course of labels, against Viterbi's algorithm in plain Python and against all courses."""

import math
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest

from vskd.bundle.markov import check_course, likely_labels, sure_labels
from vskd.errors import MissingExtraError, SettingError

needs_librosa = pytest.mark.skipif(find_spec("librosa") is None, reason="librosa is not installed (extra hmm)")


def chances(windows: int, classes: int = 3, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), windows).astype(np.float32)


def course(windows: int) -> npt.NDArray[np.float32]:
    """Probabilities of stretches of ten windows of one of three classes each; every fourth says nothing."""
    random = np.random.default_rng(1)
    stretches = [np.eye(3)[k % 3] * (0 if k % 4 == 3 else 4) + 1 for k in range(windows // 10)]
    return np.concatenate([random.dirichlet(shape, 10) for shape in stretches]).astype(np.float32)


def score(path: Sequence[int], rows: list[list[float]], stay: float) -> float:
    go = (1 - stay) / (len(rows[0]) - 1)
    moves = sum(math.log(stay if a == b else go) for a, b in pairwise(path))
    return moves + sum(math.log(row[state]) for row, state in zip(rows, path, strict=True))


def naive(rows: list[list[float]], stay: float) -> list[int]:
    states, go = range(len(rows[0])), (1 - stay) / (len(rows[0]) - 1)
    best = [(math.log(p), [k]) for k, p in enumerate(rows[0])]
    for row in rows[1:]:
        best = [
            max((best[j][0] + math.log(stay if j == k else go) + math.log(row[k]), [*best[j][1], k]) for j in states)
            for k in states
        ]
    return max(best)[1]


@needs_librosa
def test_it_is_viterbis_path() -> None:
    given = course(200)
    found = likely_labels(given, step_s=0.5, mean_seconds=2.5)
    assert found.tolist() == naive(given.tolist(), stay=0.8)
    assert 0 < np.count_nonzero(np.diff(found)) < np.count_nonzero(np.diff(given.argmax(axis=1)))  # it smooths


@needs_librosa
def test_no_other_course_is_more_likely() -> None:
    given = chances(6, seed=3)
    found = likely_labels(given, step_s=1.0, mean_seconds=4.0)
    best = max(product(range(3), repeat=6), key=lambda path: score(path, given.tolist(), 0.75))
    assert found.tolist() == list(best)


@needs_librosa
def test_where_staying_is_as_likely_as_each_change_the_window_decides() -> None:
    given = chances(300, classes=2)  # two classes, two steps in the mean: a half
    found = likely_labels(given, step_s=1.0, mean_seconds=2.0)
    assert found.tolist() == given.argmax(axis=1).tolist()


def test_a_run_is_unknown_where_its_mean_is_too_low() -> None:
    labels = np.array([0, 0, 1, 1, 1, 0])
    own = [0.4, 0.8, 0.6, 0.5, 0.1, 0.59]
    given = np.array([[p, 1 - p] if k == 0 else [1 - p, p] for k, p in zip(labels, own, strict=True)], np.float32)
    assert sure_labels(labels, given, 0.6).tolist() == [0, 0, -1, -1, -1, -1]  # means 0.6, 0.4, 0.59
    assert sure_labels(labels, given, 0.3).tolist() == labels.tolist() == sure_labels(labels, given, 0.0).tolist()


@needs_librosa
def test_sure_windows_are_kept_and_no_probability_is_impossible() -> None:
    given = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0]], np.float32)
    assert likely_labels(given, step_s=1, mean_seconds=1000).tolist() == [0, 0, 1, 1, 0]


def test_a_mean_shorter_than_two_steps_is_refused() -> None:
    with pytest.raises(
        SettingError, match=r"mean duration of 1\.9 s is too short: windows come every 1 s.* 2 s or more"
    ):
        check_course(1.0, 1.9)


def test_without_librosa_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingExtraError, match=r"'librosa'.* pip install 'vskd\[hmm\]'"):
        check_course(1.0, 10.0)


@needs_librosa
def test_rows_count_by_their_shares() -> None:
    given = course(100)
    found = likely_labels(given, step_s=0.5, mean_seconds=2.5)
    scaled = (given * np.linspace(0.5, 3, len(given))[:, None]).astype(np.float32)
    assert likely_labels(scaled, step_s=0.5, mean_seconds=2.5).tolist() == found.tolist()


def test_a_mean_that_is_exactly_the_threshold_is_sure_enough() -> None:
    labels, given = np.array([1, 1]), np.array([[0.75, 0.25], [0.25, 0.75]], np.float32)
    assert sure_labels(labels, given, 0.5).tolist() == [1, 1]
    assert sure_labels(labels, given, 0.5001).tolist() == [-1, -1]
    with pytest.raises(SettingError, match=r"A mean duration of 1\.5 s is too short"):
        likely_labels(given, step_s=1.0, mean_seconds=1.5)
