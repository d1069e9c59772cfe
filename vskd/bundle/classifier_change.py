"""Make a bundle know one person: its classifier is moved by a few labelled recordings of theirs, in closed form.

Networks that were trained on others fail where a person moves otherwise than they did. Of each class one recording by
the wearer tells how. No training data are needed, no training and no GPU: the change of the classifier is the ridge
regression, on the wearer's features, of what the shipped classifier's answers lack, so that the penalty pulls towards
the shipped weights rather than towards zero (biased regularisation: Schoelkopf, Herbrich & Smola, COLT 2001; in
transfer learning Orabona et al., ICRA 2009). Both models of the bundle get it, each from the features that it computes
by itself, so that int8 is allowed for.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.bundle.last_layer import Floats, LastLayer

STRENGTH = 0.05
"""Of the penalty; that of the shipped recipe `wrist-ridge`."""


@dataclass(frozen=True)
class Change:
    """What is added to a classifier.

    Attributes:
        weight: (classes, features).
        bias: (classes,).
        without: (samples, classes), what would be answered of each sample had its recording not been there.
    """

    weight: Floats
    bias: Floats
    without: Floats


def change_of(
    features: Floats,
    logits: Floats,
    labels: npt.NDArray[np.int64],
    recordings: npt.NDArray[np.str_],
    strength: float = STRENGTH,
) -> Change:
    """The change of a classifier that few recordings ask for.

    Asked for are, of each sample, the logits that the classifier gives when it is sure: for its class the median of the
    largest ones, for the others the mean of the others. With X the features less their mean, R what the logits lack of
    that and n samples, the change is X^T (X X^T + strength * trace(X X^T) / n)^-1 R; of standardised features the
    penalty is that of `vskd.distillation.ridge`. Where every class has a recording the intercept is free, so that what
    is lacking everywhere is given; else it moves so that what is answered of the mean stays, and classes without a
    recording do not lose to those that have one (see results/utd-mhad/README.md).

    Args:
        features: (samples, features), what the classifier sees.
        logits: (samples, classes), its answers.
        labels: class number of each sample.
        recordings: of each sample; those of one are left out together.
        strength: of the penalty.
    """
    classes = logits.shape[1]
    largest = logits.max(axis=1)
    sure, other = np.median(largest), (logits.sum(axis=1) - largest).mean() / (classes - 1)
    lack = np.where(np.arange(classes) == labels[:, None], sure, other) - logits
    every = len(set(labels.tolist())) == classes
    mean, offset = features.mean(axis=0), lack.mean(axis=0) * every
    centred = features - mean
    products = centred @ centred.T
    penalty = strength * np.trace(products) / len(products) or 1.0  # of equal features any will do
    inverse = np.linalg.inv(products + penalty * np.eye(len(products)))
    weight = (inverse @ (lack - offset)).T @ centred
    smoother = products @ inverse + every / len(products)  # what is given is a mix of what is lacking
    without = logits + lack - _left_out(smoother, lack - smoother @ lack, recordings)
    return Change(weight, offset - weight @ mean, without)


def _left_out(smoother: Floats, missed: Floats, recordings: npt.NDArray[np.str_]) -> Floats:
    """What a linear smoother misses of each recording when it is fitted without it.

    Args:
        smoother: (samples, samples), its weights.
        missed: (samples, classes), what it misses of all, fitted with all.
        recordings: of each sample.
    """
    result = np.empty_like(missed)
    for recording in np.unique(recordings):
        own = recordings == recording
        result[own] = np.linalg.solve(np.eye(own.sum()) - smoother[np.ix_(own, own)], missed[own])
    return result


def changed_model(
    content: bytes,
    x: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    recordings: npt.NDArray[np.str_],
    strength: float,
) -> tuple[bytes, Floats, Change]:
    """A LiteRT model whose classifier is changed by `change_of`.

    Args:
        content: the model.
        x: its inputs, (samples, ...).
        labels, recordings, strength: see `change_of`.

    Returns:
        The changed model, the logits (samples, classes) of the one before, and the change.

    Raises:
        BundleError: see `LastLayer`.
    """
    layer = LastLayer(content)
    asked = layer.asked(x)
    features = asked.mean(axis=1)
    logits = features @ layer.weight.T + layer.bias  # not the model's own, which an int8 output may cut off
    change = change_of(features, logits, labels, recordings, strength)
    return layer.replaced(layer.weight + change.weight, layer.bias + change.bias, asked), logits, change
