"""Cross entropy against its formula."""

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from vskd.datasets import recording
from vskd.losses.cross_entropy import UNLABELLED, CrossEntropy, CrossEntropySettings, balanced_weights
from vskd.losses.term import TermBatch, TermContext


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_the_formula(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        total = sum(math.exp(z) for z in row)
        for c, z in enumerate(row):
            wanted = smoothing / 3 + (1 - smoothing) * (c == label)
            expected -= wanted * math.log(math.exp(z) / total) / 4
    assert CrossEntropy(smoothing)(logits, labels).item() == pytest.approx(expected, rel=1e-5)


def test_uniform_logits_give_log_classes() -> None:
    assert CrossEntropy()(torch.zeros(5, 27), torch.arange(5)).item() == pytest.approx(math.log(27))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_out_of_range_is_refused(smoothing: float) -> None:
    with pytest.raises(ValueError, match="label_smoothing"):
        CrossEntropy(smoothing)


def test_balanced_weights_by_hand() -> None:
    # 12 samples of 3 present classes: 12 / (3 * 6), 12 / (3 * 4), absent, 12 / (3 * 2).
    torch.testing.assert_close(balanced_weights([6, 4, 0, 2]), torch.tensor([2 / 3, 1.0, 0.0, 2.0]))


def test_balanced_weights_equal_scikit_learns() -> None:
    counts = [3732, 1676, 347, 4969, 785, 439]
    labels = np.repeat(np.arange(6), counts)
    expected = compute_class_weight("balanced", classes=np.arange(6), y=labels)
    torch.testing.assert_close(balanced_weights(counts), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("counts", [[], [0, 0], [3, -1]])
def test_impossible_counts_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="balanced class weights"):
        balanced_weights(counts)


def test_with_class_weights_every_class_counts_alike() -> None:
    """The weighted loss of an unbalanced batch is the mean of the classes' own mean losses."""
    torch.manual_seed(0)
    logits, labels = torch.randn(7, 3), torch.tensor([0, 0, 0, 0, 1, 1, 2])
    loss = CrossEntropy(class_weights=balanced_weights([4, 2, 1]))
    each = [CrossEntropy()(logits[labels == c], labels[labels == c]) for c in range(3)]
    torch.testing.assert_close(loss(logits, labels), torch.stack(each).mean())


def test_class_weights_are_no_state() -> None:
    assert not CrossEntropy(class_weights=torch.ones(3)).state_dict()


def test_as_a_term_smoothing_and_class_weights_are_the_trainings() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(7, 3), torch.tensor([0, 0, 0, 0, 1, 1, 2])
    batch = TermBatch((logits,), (), labels, torch.arange(7))
    for balanced, weights in ((True, balanced_weights([4, 2, 1])), (False, None)):
        context = TermContext(class_counts=(4, 2, 1), balanced=balanced, label_smoothing=0.2)
        assert torch.equal(CrossEntropySettings().build(context)(batch), CrossEntropy(0.2, weights)(logits, labels))
    assert torch.equal(CrossEntropySettings().build(TermContext())(batch), CrossEntropy()(logits, labels))


def test_as_a_term_it_has_no_keys_but_weight_and_name() -> None:
    assert set(CrossEntropySettings.model_fields) == {"loss", "weight", "name"}
    assert not CrossEntropySettings.needs_teacher


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 0.5)])
def test_samples_without_a_label_are_as_good_as_absent(smoothing: float, weights: tuple[float, ...] | None) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 3, requires_grad=True), torch.tensor([0, -1, 2, -1, 1, 1])
    loss = CrossEntropy(smoothing, None if weights is None else torch.tensor(weights))
    torch.testing.assert_close(loss(logits, labels), loss(logits[labels >= 0], labels[labels >= 0]))
    loss(logits, labels).backward()
    assert logits.grad is not None
    assert (logits.grad[labels < 0] == 0).all() and (logits.grad[labels >= 0] != 0).any(dim=1).all()


def test_a_batch_without_any_label_costs_nothing_and_can_be_trained_on() -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    loss = CrossEntropy(0.1)(logits, torch.full((4,), -1))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None and (logits.grad == 0).all()


def test_no_label_is_the_same_number_everywhere() -> None:
    assert UNLABELLED == recording.UNLABELLED == -1


def test_a_plain_loss_neither_smooths_nor_weighs() -> None:
    loss = CrossEntropy()
    assert loss.label_smoothing == 0.0 and loss.class_weights is None


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_weighted_mean_is_by_the_weights_of_the_labels(smoothing: float) -> None:
    """Every summand by the weight of its class, over the sum of the weights of the labels; in loops."""
    torch.manual_seed(0)
    logits, labels, weights = torch.randn(5, 3), torch.tensor([0, 2, -1, 1, 2]), [0.5, 3.0, 1.25]
    total = weight = 0.0
    for row, label in zip(logits.log_softmax(1).tolist(), labels.tolist(), strict=True):
        if label < 0:
            continue
        wanted = [smoothing / 3 + (1 - smoothing) * (c == label) for c in range(3)]
        total -= sum(w * q * p for w, q, p in zip(weights, wanted, row, strict=True))
        weight += weights[label]
    assert CrossEntropy(smoothing, torch.tensor(weights))(logits, labels).item() == pytest.approx(
        total / weight, rel=1e-5
    )


def test_a_single_sample_of_a_class_weighs_what_its_count_says() -> None:
    torch.testing.assert_close(balanced_weights([1, 3]), torch.tensor([2.0, 2 / 3]))
    torch.testing.assert_close(balanced_weights([0, 5]), torch.tensor([0.0, 1.0]))
