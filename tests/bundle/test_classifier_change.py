"""The change of a classifier by few recordings: against a naive solution, and against fitting again without each."""

import numpy as np
import pytest
import torch

from vskd.bundle.classifier_change import Change, change_of
from vskd.distillation.ridge import ridge_regression

CLASSES, FEATURES = 4, 30


def world(samples: int = 12, *, every: bool = True) -> tuple[np.ndarray, ...]:
    """Features, logits, labels of every class or of all but one, and a recording for every two samples."""
    generator = np.random.default_rng(samples)
    features = generator.standard_normal((samples, FEATURES)) + 2
    logits = features @ generator.standard_normal((FEATURES, CLASSES))
    labels = np.arange(samples) % (CLASSES if every else CLASSES - 1)
    return features, logits, labels, np.array([f"r{n // 2}" for n in range(samples)])


def asked_of(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """One sample and class after another."""
    largest = [row.max() for row in logits]
    others = [value for row in logits for value in np.delete(row, row.argmax())]
    asked = np.full(logits.shape, np.mean(others))
    for row, label in enumerate(labels):
        asked[row, label] = np.median(largest)
    return asked


def primal(features: np.ndarray, lack: np.ndarray, penalty: float, *, free: bool) -> tuple[np.ndarray, np.ndarray]:
    """The minimum of the squared error plus the penalty, by the normal equations; a free intercept has no penalty."""
    ones = np.hstack([features, np.full((len(features), 1), float(free))])
    shrink = penalty * np.eye(FEATURES + 1)
    shrink[-1, -1] = 0.0 if free else 1.0
    solution = np.linalg.solve(ones.T @ ones + shrink, ones.T @ lack)
    return solution[:-1].T, solution[-1]


def penalty_of(features: np.ndarray, strength: float) -> float:
    return strength * np.mean(np.sum((features - features.mean(axis=0)) ** 2, axis=1))


@pytest.mark.parametrize("every", [True, False], ids=["every class", "one is missing"])
@pytest.mark.parametrize("strength", [0.01, 0.05, 2.0])
@pytest.mark.parametrize("samples", [4, 12, 60])
def test_it_is_the_ridge_regression_of_what_is_lacking(samples: int, strength: float, every: bool):
    features, logits, labels, recordings = world(samples, every=every)
    change, centred = change_of(features, logits, labels, recordings, strength), features - features.mean(axis=0)
    lack, penalty = asked_of(logits, labels) - logits, penalty_of(features, strength)
    weight, intercept = primal(centred, lack, penalty, free=every)
    assert change.weight == pytest.approx(weight, abs=1e-8)
    assert change.bias == pytest.approx(intercept - weight @ features.mean(axis=0), abs=1e-8)


def test_of_standardised_features_the_penalty_is_that_of_training():
    features, logits, labels, recordings = world(40)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    lack = asked_of(logits, labels) - logits
    weight, bias, _ = ridge_regression(torch.from_numpy(features), torch.from_numpy(lack), 0.05)
    change = change_of(features, logits, labels, recordings, 0.05)
    assert change.weight == pytest.approx(weight.numpy(), abs=1e-8)
    assert change.bias == pytest.approx(bias.numpy(), abs=1e-8)


@pytest.mark.parametrize("every", [True, False], ids=["every class", "one is missing"])
def test_what_is_left_out_is_what_a_fit_without_it_says(every: bool):
    """Of each recording, both its samples at once; asked for, penalty and the mean of the features stay."""
    features, logits, labels, recordings = world(every=every)
    change, lack = change_of(features, logits, labels, recordings), asked_of(logits, labels) - logits
    centred, penalty = features - features.mean(axis=0), penalty_of(features, 0.05)
    for name in np.unique(recordings):
        rest = recordings != name
        weight, intercept = primal(centred[rest], lack[rest], penalty, free=every)
        assert change.without[~rest] == pytest.approx(logits[~rest] + centred[~rest] @ weight.T + intercept, abs=1e-8)


def test_a_classifier_that_says_what_is_asked_stays():
    features, _, labels, recordings = world()
    logits = np.where(np.arange(CLASSES) == labels[:, None], 5.0, -1.0)
    change = change_of(features, logits, labels, recordings)
    assert np.abs(change.weight).max() < 1e-12 and np.abs(change.bias).max() < 1e-12


def test_the_answer_to_the_mean_stays_where_a_class_is_missing():
    features, logits, labels, recordings = world(every=False)
    change = change_of(features, logits, labels, recordings)
    assert change.weight @ features.mean(axis=0) + change.bias == pytest.approx(np.zeros(CLASSES), abs=1e-12)


def test_the_weaker_the_penalty_the_closer():
    features, logits, labels, recordings = world(8)

    def missed(change: Change) -> float:
        return float(np.abs(logits + features @ change.weight.T + change.bias - asked_of(logits, labels)).max())

    far, near = (missed(change_of(features, logits, labels, recordings, s)) for s in (1.0, 1e-6))
    assert near < 1e-3 < far


@pytest.mark.parametrize("every", [True, False], ids=["every class", "one is missing"])
def test_equal_features_move_the_intercept_alone(every: bool):
    features, logits, labels, recordings = world(6, every=every)
    change = change_of(np.ones_like(features), logits, labels, recordings)
    assert np.abs(change.weight).max() == 0
    assert change.bias == pytest.approx((asked_of(logits, labels) - logits).mean(axis=0) * every)
