"""Metrics of predictions, with scikit-learn's definitions.

Which classes count is what scikit-learn does by default, in the training's validation figures, in results and in
reports alike: macro F1 averages over the classes that occur as truth OR as an answer (`f1_score(average="macro",
zero_division=0)`; a class that is answered but never performed has an F1 of 0), balanced accuracy over those that occur
as truth (`balanced_accuracy_score`). A class that does neither counts nowhere.

Every scalar metric but mean average precision is a function of sums over recordings (`AdditiveMetric`). One definition
thus serves the figure itself and all samples of a bootstrap at once, which only weigh the recordings differently. Mean
average precision depends on the order of all recordings, and has no interval.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.errors import natural_order
from vskd.evaluation.predictions import Predictions

Floats = npt.NDArray[np.float64]
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class AdditiveMetric:
    """A metric that needs only sums over recordings.

    Attributes:
        name: key in results.json.
        contributions: predictions -> (n, k), what each recording adds to the sums.
        finish: sums (..., k) -> metric (...).
    """

    name: str
    contributions: Callable[[Predictions], Floats]
    finish: Callable[[Floats], Floats]

    def __call__(self, predictions: Predictions) -> float:
        """The metric of all recordings."""
        return float(self.finish(self.contributions(predictions).sum(axis=0)))


@dataclass(frozen=True)
class ClassMetrics:
    """One class against the rest; undefined ratios are 0 (zero_division=0). `support`: recordings of the class."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class SubjectMetrics:
    """The recordings of one subject."""

    subject: str
    accuracy: float
    macro_f1: float
    n: int


@dataclass(frozen=True, eq=False)
class Metrics:
    """All figures of one set of predictions.

    Attributes:
        ece: expected calibration error, 15 equal-width bins.
        nll: mean negative log likelihood, in nats.
        mean_average_precision: see `mean_average_precision`.
        top3_accuracy: how often the true class is among the three most probable ones.
        confusion: int64 (classes, classes), rows are the truth, columns the prediction.
        Others: see the module's text.
    """

    n: int
    accuracy: float
    macro_f1: float
    balanced_accuracy: float
    top3_accuracy: float
    ece: float
    nll: float
    mean_average_precision: float
    per_class: tuple[ClassMetrics, ...]
    per_subject: tuple[SubjectMetrics, ...]
    confusion: npt.NDArray[np.int64]


def evaluate_predictions(predictions: Predictions) -> Metrics:
    """Compute every metric of `predictions`."""
    scalars = {name: metric(predictions) for name, metric in METRICS.items()}
    return Metrics(
        n=len(predictions),
        per_class=per_class_metrics(predictions),
        per_subject=per_subject_metrics(predictions),
        confusion=confusion_matrix(predictions),
        mean_average_precision=mean_average_precision(predictions),
        **scalars,
    )


def confusion_matrix(predictions: Predictions) -> npt.NDArray[np.int64]:
    """Count recordings by (true class, predicted class): int64 (classes, classes)."""
    classes = len(predictions.class_names)
    cells = predictions.labels * classes + predictions.predicted
    counts: npt.NDArray[np.int64] = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    return counts


def per_class_metrics(predictions: Predictions) -> tuple[ClassMetrics, ...]:
    """Precision, recall, F1 and support of every class in the class list, performed or not."""
    confusion = confusion_matrix(predictions)
    hits, truth, answers = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = _ratio(hits, answers), _ratio(hits, truth)
    f1 = _ratio(2 * hits, truth + answers)
    return tuple(
        ClassMetrics(name, float(precision[c]), float(recall[c]), float(f1[c]), int(truth[c]))
        for c, name in enumerate(predictions.class_names)
    )


def per_subject_metrics(predictions: Predictions) -> tuple[SubjectMetrics, ...]:
    """Accuracy and macro F1 of each subject alone, subjects in natural order (2 before 10)."""
    rows = []
    owners = np.array(predictions.subjects)
    for subject in natural_order(predictions.subjects):
        own = predictions.take(np.flatnonzero(owners == subject))
        rows.append(SubjectMetrics(subject, METRICS["accuracy"](own), METRICS["macro_f1"](own), len(own)))
    return tuple(rows)


def mean_average_precision(predictions: Predictions) -> float:
    """Mean of the average precisions of the classes that occur as truth: of each, by the probability of that class.

    Average precision is the mean of the precisions at the recordings of the class, in the order of falling probability,
    as scikit-learn's `average_precision_score`; recordings of equal probability count together.
    """
    classes = np.unique(predictions.labels)
    return float(
        np.mean([_average_precision(predictions.labels == c, predictions.probabilities[:, c]) for c in classes])
    )


def _average_precision(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of those of equal score
    hits = np.cumsum(truth[order])[last]
    return float((np.diff(hits, prepend=0) * hits / (last + 1)).sum() / hits[-1])


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """What a reliability diagram shows, each (bins,): `edges` has one more. Empty bins have count 0 and zeros."""

    edges: Floats
    count: npt.NDArray[np.int64]
    accuracy: Floats
    confidence: Floats


def reliability_bins(predictions: Predictions, bins: int = CALIBRATION_BINS) -> ReliabilityBins:
    """Group recordings by confidence into equal-width bins (lo, hi], as Guo et al., ICML 2017."""
    index = _confidence_bin(predictions.confidence, bins)
    count = np.bincount(index, minlength=bins)
    correct = np.bincount(index, weights=predictions.correct, minlength=bins)
    confidence = np.bincount(index, weights=predictions.confidence, minlength=bins)
    return ReliabilityBins(np.linspace(0, 1, bins + 1), count, _ratio(correct, count), _ratio(confidence, count))


def _confidence_bin(confidence: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Bin of each confidence; bin b is (b/bins, (b+1)/bins], so that a confidence of 1 falls into the last."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1).astype(np.int64)


def _ratio(numerator: npt.NDArray[np.generic], denominator: npt.NDArray[np.generic]) -> Floats:
    """Elementwise quotient in float64, 0 where the denominator is 0."""
    above, below = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    return np.divide(above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below != 0)


def _one_hot(classes: npt.NDArray[np.int64], count: int) -> Floats:
    hot: Floats = np.eye(count)[classes]  # (n,) -> (n, classes)
    return hot


def _mean_contributions(values: npt.NDArray[np.generic]) -> Floats:
    """Columns (value, 1): their sums give a mean."""
    return np.stack([np.asarray(values, dtype=np.float64), np.ones(len(values))], axis=1)


def _finish_mean(sums: Floats) -> Floats:
    return _ratio(sums[..., 0], sums[..., 1])


def _class_contributions(predictions: Predictions) -> Floats:
    """(n, 3 * classes): hit, true and predicted class of each recording, one-hot."""
    classes = len(predictions.class_names)
    truth, answer = _one_hot(predictions.labels, classes), _one_hot(predictions.predicted, classes)
    return np.concatenate([truth * answer, truth, answer], axis=1)


def _mean_where(values: Floats, count: Floats) -> Floats:
    """Mean over the last axis of the classes of which there are any."""
    present = count > 0
    return _ratio((values * present).sum(axis=-1), present.sum(axis=-1))


def _finish_macro_f1(sums: Floats) -> Floats:
    hits, truth, answers = np.split(sums, 3, axis=-1)
    return _mean_where(_ratio(2 * hits, truth + answers), truth + answers)


def _finish_balanced_accuracy(sums: Floats) -> Floats:
    hits, truth, _ = np.split(sums, 3, axis=-1)
    return _mean_where(_ratio(hits, truth), truth)


def _top3_contributions(predictions: Predictions) -> Floats:
    ranking = np.argsort(-predictions.probabilities, axis=1, kind="stable")  # stable: agrees with argmax on ties
    return _mean_contributions((ranking[:, :3] == predictions.labels[:, None]).any(axis=1))


def _ece_contributions(predictions: Predictions) -> Floats:
    """(n, bins + 1): confidence minus correctness in the recording's bin, and a 1."""
    gap = predictions.confidence - predictions.correct
    in_bin = _one_hot(_confidence_bin(predictions.confidence, CALIBRATION_BINS), CALIBRATION_BINS)
    return np.concatenate([gap[:, None] * in_bin, np.ones((len(predictions), 1))], axis=1)


def _finish_ece(sums: Floats) -> Floats:
    return _ratio(np.abs(sums[..., :-1]).sum(axis=-1), sums[..., -1])


def _nll_contributions(predictions: Predictions) -> Floats:
    """Clipped to float64's epsilon, as scikit-learn's log_loss: a probability of 0 counts 36 nats, not infinity."""
    own = predictions.probabilities[np.arange(len(predictions)), predictions.labels]
    return _mean_contributions(-np.log(np.clip(own, np.finfo(np.float64).eps, 1.0)))


METRICS: dict[str, AdditiveMetric] = {
    metric.name: metric
    for metric in (
        AdditiveMetric("accuracy", lambda p: _mean_contributions(p.correct), _finish_mean),
        AdditiveMetric("macro_f1", _class_contributions, _finish_macro_f1),
        AdditiveMetric("balanced_accuracy", _class_contributions, _finish_balanced_accuracy),
        AdditiveMetric("top3_accuracy", _top3_contributions, _finish_mean),
        AdditiveMetric("ece", _ece_contributions, _finish_ece),
        AdditiveMetric("nll", _nll_contributions, _finish_mean),
    )
}
