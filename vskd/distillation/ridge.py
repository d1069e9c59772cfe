"""A classifier that is computed, not trained: ridge regression on the embedding, at the end of a training.

Of few recordings and thousands of features, gradient descent finds one of many classifiers that make no mistake on
them; ridge regression the one of smallest weights for its squared error, in a second. MiniRocket (Dempster, Schmidt &
Webb, KDD 2021) is published with it, its strength chosen by leaving one recording out. Deviations: the strength is a
setting, and for each feature rather than for all of them; and the answers, which for ridge regression are near -1 and
1, are multiplied by the one number that makes them the best logits: that of the smallest cross entropy on recordings
left out, with the training's label smoothing.

A recording without a label counts where a teacher says its classes' probabilities p: what is regressed on is 2 p - 1,
where it is -1 and 1 of a label.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.distillation.distiller import hears_logits
from vskd.distillation.teacher.outputs import FollowsEpochs, TeacherSource
from vskd.errors import RecipeError, as_recipe_error
from vskd.modalities.base import Batch
from vskd.models.head import linear_classifier
from vskd.network import Shape, answer
from vskd.recipe import Recipe

Says = Callable[[Batch], Tensor]
"""Of a batch, the probabilities (batch, classes) that a teacher says."""

SCALES = torch.logspace(-1, 3, 401, dtype=torch.float64)
"""Factors from the answers of ridge regression to logits that are tried."""

CONSTANT = 1e-6
"""A feature that deviates by less, of its largest value, differs by rounding alone: it is left out."""


def ridge_regression(features: Tensor, targets: Tensor, strength: float) -> tuple[Tensor, Tensor, Tensor]:
    """Linear weights of smallest squared error plus strength * (number of features) * their squares.

    The features are standardised for it; the intercept is not shrunk.

    Args:
        features: (samples, features), float64.
        targets: (samples, classes), float64.
        strength: of the penalty.

    Returns:
        Weights (classes, features) and intercept (classes,), for features as they were given; and what would be
        answered of each sample by a regression without it, (samples, classes), with the same standardisation.
    """
    mean, deviation = features.mean(dim=0), features.std(dim=0, unbiased=False)
    constant = deviation <= CONSTANT * features.abs().amax(dim=0)
    deviation = torch.where(constant, 1.0, deviation)
    standard = torch.where(constant, 0.0, (features - mean) / deviation)
    middle = targets.mean(dim=0)
    left, singular, right = torch.linalg.svd(standard, full_matrices=False)
    kept = singular.square() / (singular.square() + strength * features.shape[1])
    projected = left.T @ (targets - middle)
    found = left @ (kept[:, None] * projected) + middle
    inverse = torch.where(singular > 0, kept / singular, 0.0)
    weights = (right.T @ (inverse[:, None] * projected)).T / deviation
    leverage = (left.square() @ kept + 1 / len(features)).clamp(max=1 - 1e-9)
    without = targets - (targets - found) / (1 - leverage)[:, None]
    return weights, middle - weights @ mean, without


def best_scale(answers: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> float:
    """The factor of `SCALES` that makes answers (samples, classes) the logits of smallest cross entropy."""
    scaled = (scale * answers for scale in SCALES.to(answers.device))
    losses = torch.stack([F.cross_entropy(logits, labels, label_smoothing=label_smoothing) for logits in scaled])
    return float(SCALES[int(losses.argmin())])


def fit_classifier(
    model: nn.Module,
    classifier: nn.Linear,
    batches: Iterable[Batch],
    strength: float,
    label_smoothing: float = 0.0,
    teacher: Says | None = None,
) -> int:
    """Put ridge regression from the embedding to the classes in the place of a classifier's weights.

    Args:
        model: gives `Outputs`, whose logits are the classifier's answer to the embedding; its modes stay.
        classifier: of the model; changed in place. Needs a bias.
        batches: of samples; those without a label (-1) do not count, unless a teacher speaks of them.
        strength: of the penalty, see `ridge_regression`.
        label_smoothing: of the cross entropy that the logits' scale is chosen by, on samples with labels.
        teacher: what it says of samples without a label.

    Returns:
        How many samples it is from.
    """
    device, embeddings, labels, targets = classifier.weight.device, [], [], []
    for batch in batches:
        target = _targets(batch, classifier.out_features, teacher)
        counts = target.isfinite().all(dim=1)
        embedding = answer(model, batch.inputs.to(device)).embedding
        embeddings.append(embedding[counts.to(device)].double())
        labels.append(batch.labels[counts].to(device))
        targets.append(target[counts].to(device))
    features, numbers = torch.cat(embeddings), torch.cat(labels)
    weights, intercept, without = ridge_regression(features, torch.cat(targets), strength)
    scale = best_scale(without[numbers >= 0], numbers[numbers >= 0], label_smoothing)
    with torch.no_grad():
        classifier.weight.copy_(scale * weights)
        classifier.bias.copy_(scale * intercept)
    return len(numbers)


def _targets(batch: Batch, classes: int, teacher: Says | None) -> Tensor:
    """-1 and 1 of a label, 2 p - 1 of what the teacher says where there is none, NaN where nobody speaks."""
    unknown = (batch.labels < 0)[:, None]
    said = torch.full((len(batch.labels), classes), torch.nan) if teacher is None else teacher(batch).cpu()
    true = F.one_hot(batch.labels.clamp(min=0), classes)
    return 2 * torch.where(unknown, said.double(), true.double()) - 1


def fitted_classifier(recipe: Recipe, network: nn.Module, shape: Shape, *, unlabelled: bool) -> nn.Linear:
    """The layer of a recipe's student that ridge regression fits.

    Args:
        recipe: wants ridge regression.
        network: the student's.
        shape: of one sample.
        unlabelled: whether there are training recordings without a label.

    Raises:
        RecipeError: it is not one linear layer on the embedding; or it alone is trained, and from labels alone, so that
            the recipe's teachers would change nothing.
    """
    name, distiller = recipe.student.network.name, recipe.distiller
    with as_recipe_error("student"):
        _, classifier = linear_classifier(network, shape, f"network '{name}', which training.ridge is to fit,")
    trained = {id(p) for p in network.parameters() if p.requires_grad} - {id(p) for p in classifier.parameters()}
    if not distiller.needs_teacher or trained or (unlabelled and hears_logits(distiller.terms)):
        return classifier
    why = "no term compares logits" if unlabelled else "every training recording carries a label"
    raise RecipeError(
        f"distiller '{distiller.title}' does nothing here: network '{name}' trains its classifier alone, which "
        f"training.ridge computes from labels, and from a teacher's logits where there is no label; {why}",
        "Give the distiller a term like kd"
        if unlabelled
        else "Say with --labels who carries labels, or set distiller to none",
    )


def heard(source: TeacherSource) -> Says:
    """What a teacher says, as probabilities; of several views the mean."""
    views = source.views() if isinstance(source, FollowsEpochs) else (source,)
    return lambda batch: torch.stack([view.outputs(batch)[0].logits.softmax(dim=1) for view in views]).mean(dim=0)
