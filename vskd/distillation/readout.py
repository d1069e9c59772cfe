"""The classifier of a trained network, computed at once by ridge regression in place of what gradient descent left.

Where features are many and recordings few, the classifier that descent ends at depends on rate, budget and the noise of
batches; ridge regression has one answer. It is what ROCKET and MiniRocket read their features with (Dempster et al.,
arXiv 1910.13051 and 2012.08791). Point of deviation: its values are scaled to logits, see `ridge_classifier`.
"""

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from torch import nn

from vskd.distillation.batch_norm import PlainBatches
from vskd.distillation.lightning_imports import Callback, LightningModule, Trainer
from vskd.distillation.model import Model
from vskd.errors import DataError
from vskd.models.head import linear_classifier

logger = logging.getLogger(__name__)

PENALTIES = tuple(np.logspace(-3, 1, 9))
"""Candidates for the penalty, times the number of features."""
FOLDS = 5
"""Of the predictions on samples held out, which the scale of the logits is chosen by."""

Array = npt.NDArray[np.float64]


def ridge_classifier(embeddings: Array, labels: npt.NDArray[np.int64], classes: int) -> tuple[Array, Array]:
    """Weights and biases of a linear classifier: one ridge regression for each class, on +1 and -1.

    The penalty is the one of least error on each sample left out. All values are then multiplied by the factor with
    which they, computed on samples that five folds hold out, have the greatest likelihood as logits.

    Args:
        embeddings: (samples, width).
        labels: (samples,), 0 to classes - 1. A class without samples gets -1 everywhere.
        classes: their number.

    Returns:
        (classes, width) and (classes,).

    Raises:
        DataError: there are fewer samples than folds.
    """
    if len(labels) < FOLDS:
        raise DataError(
            f"training.readout: {len(labels)} labelled sample(s) are too few for ridge regression",
            f"Label {FOLDS} or more, or set training.readout to trained",
        )
    targets = 2.0 * np.eye(classes)[labels] - 1
    penalty = float(RidgeCV([p * embeddings.shape[1] for p in PENALTIES]).fit(embeddings, targets).alpha_)
    held_out = KFold(FOLDS, shuffle=True, random_state=0)
    values = cross_val_predict(Ridge(penalty), embeddings, targets, cv=held_out)

    def surprise(power: float) -> float:
        return -float(log_softmax(np.exp(power) * values, axis=1)[np.arange(len(labels)), labels].mean())

    factor = float(np.exp(minimize_scalar(surprise, bounds=(-2.0, 5.0), method="bounded").x))
    fitted = Ridge(penalty).fit(embeddings, targets)
    logger.info("the classifier was computed by ridge regression, penalty %.3g, logits scaled by %.3g", penalty, factor)
    return factor * fitted.coef_, factor * fitted.intercept_


@torch.no_grad()
def read_out(model: Model, plain: PlainBatches) -> None:
    """Put the ridge classifier of its own embeddings into a model, in place.

    Args:
        model: its mode is put back.
        plain: the training samples; those without a label (-1) are left out.

    Raises:
        SettingError: its logits are not one linear layer of the embedding.
        DataError: see `ridge_classifier`.
    """
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    embeddings, labels = [], []
    for batch in plain():
        known = batch.labels >= 0
        if known.any():
            embeddings.append(model(batch.inputs.to(device)).embedding.cpu()[known].double())
            labels.append(batch.labels[known])
        shape = model.front(batch.inputs[:1].to(device)).shape[1:]
    _, classifier = linear_classifier(model.network, tuple(shape), "the student")
    found = ridge_classifier(torch.cat(embeddings).numpy(), torch.cat(labels).numpy(), classifier.out_features)
    _put(classifier, *found)
    model.train(training)


def _put(classifier: nn.Linear, weights: Array, biases: Array) -> None:
    classifier.weight.copy_(torch.from_numpy(weights))
    classifier.bias.copy_(torch.from_numpy(biases))


class RidgeReadout(Callback):
    """Compute the classifier anew after the last batch of the last epoch, behind BatchNorm's statistics."""

    def __init__(self, batches: PlainBatches) -> None:
        self._batches = batches

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Act once."""
        if trainer.is_last_batch and trainer.current_epoch + 1 == trainer.max_epochs:
            read_out(pl_module.model, self._batches)
