"""Metrics against scikit-learn, torchmetrics and sums by hand."""

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from vskd.evaluation.metrics import METRICS, evaluate_predictions, mean_average_precision, reliability_bins
from vskd.evaluation.predictions import Predictions
from vskd.models.torchvision_shim import load_torchvision


def skewed(n: int, classes: int, absent: int, seed: int) -> Predictions:
    """Random predictions in which the last `absent` classes are never performed but sometimes predicted."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes - absent, n)
    logits = generator.normal(size=(n, classes)) * 2
    logits[np.arange(n), truth] += 2
    return Predictions.from_logits(
        [str(i) for i in range(n)], [f"s{i % 11}" for i in range(n)], truth, logits, [f"c{i}" for i in range(classes)]
    )


@pytest.mark.parametrize(("n", "classes", "absent"), [(500, 27, 0), (60, 27, 5), (7, 3, 1), (1, 2, 0)])
def test_agrees_with_scikit_learn(n: int, classes: int, absent: int) -> None:
    p = skewed(n, classes, absent, seed=n)
    truth, answer = p.labels, p.predicted
    metrics = evaluate_predictions(p)
    everything = list(range(classes))
    assert metrics.n == n
    assert metrics.accuracy == pytest.approx(sk.accuracy_score(truth, answer), abs=1e-12)
    expected = sk.f1_score(truth, answer, average="macro", zero_division=0)
    assert metrics.macro_f1 == pytest.approx(expected, abs=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an answered class is not performed
        assert metrics.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(truth, answer), abs=1e-12)
    assert metrics.nll == pytest.approx(sk.log_loss(truth, p.probabilities, labels=everything), abs=1e-9)
    if classes > 3:
        expected = sk.top_k_accuracy_score(truth, p.probabilities, k=3, labels=everything)
        assert metrics.top3_accuracy == pytest.approx(expected)
    np.testing.assert_array_equal(metrics.confusion, sk.confusion_matrix(truth, answer, labels=everything))
    table = np.array([[c.precision, c.recall, c.f1, c.support] for c in metrics.per_class])
    expected = sk.precision_recall_fscore_support(truth, answer, labels=everything, zero_division=0)
    np.testing.assert_allclose(table, np.array(expected).T, atol=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_macro_f1_is_one_number_in_training_results_and_scikit_learn(seed: int) -> None:
    """With any classes absent from truth, answers, or both."""
    load_torchvision()  # torchmetrics imports torchvision
    from torchmetrics.classification import MulticlassF1Score

    generator = np.random.default_rng(seed)
    classes = int(generator.integers(2, 9))
    performed, answered = (generator.permutation(classes)[: generator.integers(1, classes + 1)] for _ in range(2))
    truth, answer = generator.choice(performed, 30), generator.choice(answered, 30)
    answer = np.where(generator.random(30) < 0.5, truth, answer)
    p = answering(truth.tolist(), answer.tolist(), classes)
    expected = sk.f1_score(truth, answer, average="macro", zero_division=0)
    assert evaluate_predictions(p).macro_f1 == pytest.approx(expected, abs=1e-12)
    in_training = MulticlassF1Score(classes, average="macro")
    in_training.update(torch.from_numpy(p.probabilities), torch.from_numpy(truth))
    assert in_training.compute().item() == pytest.approx(expected, abs=1e-6)


def answering(truth: list[int], answers: list[int], classes: int) -> Predictions:
    """Sure of every answer."""
    ids, names = tuple(str(i) for i in range(len(truth))), tuple(f"c{i}" for i in range(classes))
    return Predictions(ids, ("s",) * len(truth), np.array(truth), np.eye(classes)[answers], names)


def test_a_class_that_is_answered_but_never_performed_counts_as_nought() -> None:
    """92 % over the classes performed is 46 % by scikit-learn's default, where as many others are answered once."""
    truth, answers = [0] * 25 + [1] * 25, [0] * 23 + [2, 3] + [1] * 23 + [0, 0]
    f1 = (2 * 23 / (25 + 25), 2 * 23 / (25 + 23), 0, 0)
    assert evaluate_predictions(answering(truth, answers, 6)).macro_f1 == pytest.approx(sum(f1) / 4)


@pytest.mark.parametrize(("n", "classes", "absent"), [(500, 27, 0), (60, 27, 5), (7, 3, 1)])
def test_mean_average_precision_against_scikit_learn(n: int, classes: int, absent: int) -> None:
    p = skewed(n, classes, absent, seed=n)
    coarse = dataclasses.replace(p, probabilities=np.eye(classes)[p.predicted])  # many equal ones
    for one in (p, coarse):
        each = [sk.average_precision_score(one.labels == c, one.probabilities[:, c]) for c in np.unique(one.labels)]
        assert mean_average_precision(one) == pytest.approx(np.mean(each), abs=1e-12)


def test_macro_f1_by_hand() -> None:
    # Truth x x y; answers x z y, and z is never performed: F1(x) = 2*1/(2+1), F1(y) = 1, F1(z) = 0; w counts nowhere.
    metrics = evaluate_predictions(answering([0, 0, 1], [0, 2, 1], 4))
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert metrics.balanced_accuracy == pytest.approx((1 / 2 + 1) / 2)
    assert metrics.per_class[2].f1 == 0


@pytest.mark.parametrize("seed", range(5))
def test_calibration_error_agrees_with_torchmetrics(seed: int) -> None:
    load_torchvision()  # torchmetrics imports torchvision
    from torchmetrics.functional.classification import multiclass_calibration_error

    p = skewed(400, 6, 0, seed)
    expected = multiclass_calibration_error(
        torch.tensor(p.probabilities), torch.tensor(p.labels), num_classes=6, n_bins=15, norm="l1"
    )
    assert evaluate_predictions(p).ece == pytest.approx(float(expected), abs=1e-6)


def test_calibration_error_by_a_naive_loop() -> None:
    confidence = np.array([0.6, 0.6, 0.8, 1.0, 1.0, 2 / 3])
    truth = np.array([0, 1, 0, 0, 1, 0])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    p = Predictions(tuple("abcdef"), ("s",) * 6, truth, probabilities, ("x", "y"))
    expected = 0.0
    for b in range(15):
        rows = [i for i in range(6) if b / 15 < confidence[i] <= (b + 1) / 15]
        if rows:
            right = np.mean([truth[i] == 0 for i in rows])
            expected += len(rows) / 6 * abs(right - np.mean(confidence[rows]))
    assert evaluate_predictions(p).ece == pytest.approx(expected, abs=1e-12)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    edges = np.linspace(0, 1, 16)[8:]
    probabilities = np.stack([edges, 1 - edges], axis=1)
    p = Predictions(tuple("abcdefgh"), ("s",) * 8, np.zeros(8, np.int64), probabilities, ("x", "y"))
    assert reliability_bins(p).count.tolist() == [0] * 7 + [1] * 8


def test_reliability_bins_add_up_to_the_calibration_error() -> None:
    p = skewed(300, 4, 0, seed=9)
    bins = reliability_bins(p)
    assert bins.count.sum() == 300
    total = np.sum(bins.count * np.abs(bins.accuracy - bins.confidence)) / 300
    assert total == pytest.approx(METRICS["ece"](p), abs=1e-12)


def test_perfect_and_hopeless() -> None:
    ids, subjects, names = ("a", "b"), ("s", "s"), ("x", "y", "z", "w")
    right = evaluate_predictions(Predictions(ids, subjects, np.array([0, 1]), np.eye(4)[[0, 1]], names))
    scores = (right.accuracy, right.macro_f1, right.balanced_accuracy, right.top3_accuracy, right.ece, right.nll)
    assert scores == (1, 1, 1, 1, 0, 0)
    wrong = evaluate_predictions(Predictions(ids, subjects, np.array([3, 3]), np.eye(4)[[0, 1]], names))
    assert (wrong.accuracy, wrong.macro_f1, wrong.balanced_accuracy, wrong.top3_accuracy, wrong.ece) == (0, 0, 0, 0, 1)
    assert wrong.nll == pytest.approx(-np.log(np.finfo(np.float64).eps))  # finite although a probability is 0


def test_per_subject_rows_are_the_metrics_of_the_subject_alone() -> None:
    p = skewed(200, 5, 0, seed=1)
    rows = evaluate_predictions(p).per_subject
    assert [row.subject for row in rows] == [*(f"s{i}" for i in range(10)), "s10"]  # natural order
    assert sum(row.n for row in rows) == 200
    owner = np.array(p.subjects)
    for row in rows:
        truth, answer = p.labels[owner == row.subject], p.predicted[owner == row.subject]
        assert row.accuracy == pytest.approx(sk.accuracy_score(truth, answer))
        expected = sk.f1_score(truth, answer, average="macro", zero_division=0)
        assert row.macro_f1 == pytest.approx(expected)


def test_top3_resolves_ties_as_argmax_does() -> None:
    probabilities = np.full((2, 5), 0.2)
    p = Predictions(("a", "b"), ("s", "s"), np.array([2, 3]), probabilities, tuple("vwxyz"))
    assert METRICS["top3_accuracy"](p) == 0.5  # classes 0, 1, 2 are the first three of equals
    alternating = np.tile([0.5, 1.5], (2, 14)) / 28  # more classes than a sort that is not stable leaves in order
    names = tuple(f"c{k}" for k in range(28))
    p = Predictions(("a", "b"), ("s", "s"), np.array([5, 5]), alternating, names)
    assert METRICS["top3_accuracy"](p) == 1.0  # classes 1, 3, 5


def test_figures_are_told_apart_as_objects(make_predictions) -> None:
    """They hold arrays, which are neither equal nor hashed as a whole."""
    for make in (reliability_bins, evaluate_predictions):
        one, other = make(make_predictions()), make(make_predictions())
        assert one != other and len({one, other}) == 2
