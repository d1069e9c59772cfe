"""A classifier by ridge regression: against the normal equations, and against fitting again without a sample."""

from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.distillation.ridge import best_scale, fit_classifier, heard, ridge_regression
from vskd.distillation.teacher.fusion import FusedTeacher
from vskd.distillation.teacher.outputs import ViewedTeacher
from vskd.modalities.base import Batch
from vskd.network import Outputs

STRENGTH = 0.1


def problem(samples: int, features: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features of any scale, class numbers, and targets of -1 and 1."""
    generator = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(samples, features, generator=generator, dtype=torch.float64) + 1
    labels = torch.randint(4, (samples,), generator=generator)
    return x, labels, 2 * F.one_hot(labels, 4).double() - 1


def normal_equations(x: Tensor, targets: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Weights (features, classes) and intercept, by the textbook; the intercept is not shrunk."""
    mean, middle = x.mean(dim=0), targets.mean(dim=0)
    centred = x - mean
    matrix = centred.T @ centred + penalty * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(matrix, centred.T @ (targets - middle))
    return weights, middle - mean @ weights


@pytest.mark.parametrize(("samples", "features"), [(20, 50), (50, 6)])
def test_equals_the_normal_equations_of_standardised_features(samples: int, features: int) -> None:
    x, _, targets = problem(samples, features)
    weights, intercept, _ = ridge_regression(x, targets, STRENGTH)
    standard = (x - x.mean(dim=0)) / x.std(dim=0, unbiased=False)
    theirs, middle = normal_equations(standard, targets, STRENGTH * features)
    torch.testing.assert_close(x @ weights.T + intercept, standard @ theirs + middle)


@pytest.mark.parametrize(("samples", "features"), [(20, 50), (50, 6)])
def test_what_is_answered_of_a_sample_left_out_is_what_a_fit_without_it_answers(samples: int, features: int) -> None:
    x, _, targets = problem(samples, features)
    _, _, without = ridge_regression(x, targets, STRENGTH)
    standard = (x - x.mean(dim=0)) / x.std(dim=0, unbiased=False)
    for k in (0, 7, samples - 1):
        others = torch.arange(samples) != k
        weights, intercept = normal_equations(standard[others], targets[others], STRENGTH * features)
        torch.testing.assert_close(without[k], standard[k] @ weights + intercept)


def test_a_feature_that_never_changes_has_no_weight() -> None:
    x, _, targets = problem(20, 5)
    x[:, 2] = torch.tensor([0.1, 0.1 + 1e-9]).repeat(10)  # rounding
    weights, intercept, _ = ridge_regression(x, targets, STRENGTH)
    others, same, _ = ridge_regression(x[:, [0, 1, 3, 4]], targets, STRENGTH * 5 / 4)
    torch.testing.assert_close(weights[:, 2], torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights[:, [0, 1, 3, 4]], others)
    torch.testing.assert_close(intercept, same)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_no_other_factor_makes_better_logits(label_smoothing: float) -> None:
    x, labels, targets = problem(200, 6)
    answers = 0.3 * targets + 0.3 * x[:, :4] / 3
    best = best_scale(answers, labels, label_smoothing)
    losses = [
        F.cross_entropy(factor * best * answers, labels, label_smoothing=label_smoothing).item()
        for factor in (0.8, 0.95, 1.0, 1.05, 1.2)
    ]
    assert min(losses) == losses[2]


class Small(nn.Module):
    """The embedding is the sample, with dropout in front of the classifier alone."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.dropout, self.classifier = nn.Dropout(0.5), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Outputs:
        return Outputs(self.classifier(self.dropout(x)), x)


def batches(labels: Tensor, x: Tensor) -> list[Batch]:
    return [
        Batch(tuple(map(str, part.tolist())), x[part].float(), labels[part], part)
        for part in torch.arange(len(x)).split(16)
    ]


def test_the_classifier_is_a_multiple_of_the_regression_and_samples_without_a_label_do_not_count() -> None:
    x, labels, targets = problem(50, 6)
    labels[40:] = -1
    model = Small().train()
    assert fit_classifier(model, model.classifier, batches(labels, x), STRENGTH) == 40
    assert model.training and model.dropout.training
    weights, intercept, without = ridge_regression(x[:40].float().double(), targets[:40], STRENGTH)
    scale = best_scale(without, labels[:40])
    torch.testing.assert_close(model.classifier.weight.detach(), (scale * weights).float())
    torch.testing.assert_close(model.classifier.bias.detach(), (scale * intercept).float())


def test_of_a_sample_without_a_label_counts_what_the_teacher_says_and_of_others_the_label() -> None:
    """The logits' scale is chosen on labels alone: a teacher's certainty is no measure of the student's."""
    x, labels, targets = problem(50, 6)
    said = torch.rand(50, 4, generator=torch.Generator().manual_seed(1)).softmax(dim=1)
    targets[40:] = 2 * said[40:].double() - 1
    labels[40:] = -1
    model = Small()
    asked: list[Batch] = []

    def teacher(batch: Batch) -> Tensor:
        asked.append(batch)
        return said[batch.positions]

    assert fit_classifier(model, model.classifier, batches(labels, x), STRENGTH, 0.1, teacher) == 50
    assert len(asked) == 4
    weights, intercept, without = ridge_regression(x.float().double(), targets, STRENGTH)
    scale = best_scale(without[:40], labels[:40], 0.1)
    torch.testing.assert_close(model.classifier.weight.detach(), (scale * weights).float())
    torch.testing.assert_close(model.classifier.bias.detach(), (scale * intercept).float())


class Speaks:
    """A teacher that always says the same."""

    ids, shapes = frozenset("r"), MappingProxyType({"logits": (2,), "embedding": (2,)})

    def __init__(self, *probabilities: float) -> None:
        self._said = torch.tensor([probabilities])

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        return Outputs(self._said.log(), self._said), batch.ids, batch.labels


def test_of_several_views_the_mean_is_heard_whatever_the_epoch_and_of_several_teachers_their_fusion() -> None:
    batch = Batch(("r",), torch.zeros(1, 1), torch.tensor([-1]), torch.tensor([0]))
    one, two = Speaks(0.9, 0.1), ViewedTeacher([Speaks(0.5, 0.5), Speaks(0.1, 0.9)])
    two.start_epoch(1)
    torch.testing.assert_close(heard(one)(batch), torch.tensor([[0.9, 0.1]]))
    torch.testing.assert_close(heard(two)(batch), torch.tensor([[0.3, 0.7]]))
    three = ViewedTeacher([Speaks(0.2, 0.8), Speaks(0.4, 0.6), Speaks(0.6, 0.4)])
    fused = FusedTeacher([one, two, three], (0.5, 0.25, 0.25))
    torch.testing.assert_close(heard(fused)(batch)[:, 0], torch.tensor([0.5 * 0.9 + 0.25 * 0.3 + 0.25 * 0.4]))
