"""Ridge regression in place of a trained classifier: against the normal equations, and what it leaves alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from vskd.distillation.batch_norm import RecomputeStatistics
from vskd.distillation.fitting import _last_steps
from vskd.distillation.model import Model
from vskd.distillation.readout import PENALTIES, RidgeReadout, read_out, ridge_classifier
from vskd.errors import DataError
from vskd.modalities.base import Batch
from vskd.models.catalog import build_network, parse_network
from vskd.recipe import Training


def clouds(samples: int = 60, width: int = 5, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    return rng.normal(size=(classes, width))[labels] + 0.7 * rng.normal(size=(samples, width)), labels


def normal_equations(x: np.ndarray, labels: np.ndarray, classes: int, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    targets = np.where(np.arange(classes) == labels[:, None], 1.0, -1.0)
    centred, wanted = x - x.mean(axis=0), targets - targets.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ wanted)
    return weights.T, targets.mean(axis=0) - x.mean(axis=0) @ weights


def left_out_error(x: np.ndarray, labels: np.ndarray, penalty: float) -> float:
    """Mean squared error on each sample, by a regression without it."""
    errors = []
    for k in range(len(x)):
        rest = np.arange(len(x)) != k
        weights, biases = normal_equations(x[rest], labels[rest], 3, penalty)
        errors.append((weights @ x[k] + biases - np.where(np.arange(3) == labels[k], 1.0, -1.0)) ** 2)
    return float(np.mean(errors))


def test_it_is_the_ridge_regression_of_least_error_on_samples_left_out() -> None:
    x, labels = clouds()
    weights, biases = ridge_classifier(x, labels, 3)
    penalty = min((5 * p for p in PENALTIES), key=lambda p: left_out_error(x, labels, p))
    expected, offsets = normal_equations(x, labels, 3, penalty)
    factor = weights[0, 0] / expected[0, 0]
    assert factor > 1  # values of +1 and -1 say too little as logits
    np.testing.assert_allclose(weights, factor * expected, rtol=1e-6)
    np.testing.assert_allclose(biases, factor * offsets, rtol=1e-6)


def surprise(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels)))


def test_logits_are_as_sure_as_they_are_right_on_other_samples() -> None:
    x, labels = clouds(samples=400)
    weights, biases = ridge_classifier(x[:200], labels[:200], 3)
    logits = x[200:] @ weights.T + biases
    assert surprise(logits, labels[200:]) < min(surprise(factor * logits, labels[200:]) for factor in (0.5, 2.0))


def test_a_class_without_samples_is_never_named() -> None:
    x, labels = clouds()
    weights, biases = ridge_classifier(x, np.where(labels == 2, 3, labels), 4)
    assert not weights[2].any()
    assert set((x @ weights.T + biases).argmax(axis=1)) == {0, 1, 3}


@pytest.mark.parametrize("samples", [4, 5])
def test_fewer_samples_than_folds_are_refused(samples: int) -> None:
    x, labels = clouds(samples=samples, classes=2)
    if samples == 5:
        assert ridge_classifier(x, labels, 2)[0].shape == (2, 5)
        return
    with pytest.raises(DataError, match=r"4 labelled sample.* too few for ridge .*Label 5 or more"):
        ridge_classifier(x, labels, 2)


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "cnn1d", "embedding_size": 6}), shape=(3, 32), classes=3)
    return Model(nn.Identity(), network)


def batches(labels: list[list[int]]) -> list[Batch]:
    generator = torch.Generator().manual_seed(1)
    made = []
    for part in labels:
        inputs = torch.randn(len(part), 3, 32, generator=generator)
        made.append(Batch(tuple(map(str, part)), inputs, torch.tensor(part), torch.arange(len(part))))
    return made


LABELS = [[0, 1, 2, 0], [1, 2, 2, 1], [0, 1]]


@pytest.mark.parametrize("training", [True, False])
def test_the_classifier_alone_is_computed_from_all_embeddings(model: Model, training: bool) -> None:
    before = {name: tensor.clone() for name, tensor in model.train(training).state_dict().items()}
    given = batches(LABELS)
    read_out(model, lambda: given)
    assert all(module.training == training for module in model.modules())
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"network.classifier.weight", "network.classifier.bias"}
    with torch.no_grad():
        embeddings = torch.cat([model.eval()(batch.inputs).embedding for batch in given]).double().numpy()
    weights, biases = ridge_classifier(embeddings, np.concatenate(LABELS), 3)
    classifier = model.network.get_submodule("classifier")
    assert isinstance(classifier, nn.Linear)
    np.testing.assert_allclose(classifier.weight.detach(), weights, rtol=1e-5)
    np.testing.assert_allclose(classifier.bias.detach(), biases, rtol=1e-5)


def test_samples_without_a_label_do_not_count(model: Model) -> None:
    given, other = batches(LABELS), batches([[-1, -1], [-1, 0, -1]])
    read_out(model, lambda: [*given, Batch(("x",), other[1].inputs[1:2], torch.tensor([0]), torch.arange(1))])
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    read_out(model, lambda: [*given, *other])
    assert all(torch.allclose(tensor, expected[name], rtol=1e-4) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("epoch", "last_batch", "acts"), [(0, True, False), (1, False, False), (1, True, True), (2, True, False)]
)
def test_it_happens_once_after_the_last_batch(model: Model, epoch: int, last_batch: bool, acts: bool) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trainer = SimpleNamespace(is_last_batch=last_batch, current_epoch=epoch, max_epochs=2)
    task = SimpleNamespace(model=model)
    RidgeReadout(lambda: batches(LABELS)).on_train_batch_end(trainer, task, None, None, 0)
    assert acts != all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_it_is_computed_behind_the_statistics_that_embeddings_depend_on() -> None:
    def kinds(training: Training) -> list[type[object]]:
        return [type(step) for step in _last_steps(training, lambda: [])]

    assert kinds(Training()) == [RecomputeStatistics]
    assert kinds(Training(readout="ridge", select="last")) == [RecomputeStatistics, RidgeReadout]
