"""Orders of an epoch: complete or balanced, and functions of the seed alone."""

from collections import Counter

import numpy as np
import pytest

from vskd.modalities.sampling import epoch_order, epoch_seed, in_batches

LABELS = [0] * 50 + [1] * 7 + [2] * 3


def test_without_a_seed_all_in_order_whatever_the_sampling() -> None:
    for sampling in ("natural", "balanced"):
        assert epoch_order(LABELS, None, sampling).tolist() == list(range(60))


def test_natural_is_numpys_permutation() -> None:
    assert epoch_order(LABELS, 5).tolist() == np.random.default_rng(5).permutation(60).tolist()


@pytest.mark.parametrize("labels", [LABELS, [*LABELS, 2], [*LABELS, 0, 0], [4, 4, 4, 9]])
def test_balanced_shows_every_class_equally_often_and_wears_out_none_of_its_samples(labels: list[int]) -> None:
    order = epoch_order(labels, 3, "balanced")
    assert len(order) == len(labels)
    shown = Counter(labels[p] for p in order)
    assert shown.keys() == set(labels)
    assert max(shown.values()) - min(shown.values()) <= 1
    times = Counter(order.tolist())
    for label in set(labels):
        own = [times[p] for p, other in enumerate(labels) if other == label]
        assert max(own) - min(own) <= 1


def test_over_the_epochs_every_sample_of_the_frequent_class_comes() -> None:
    seen = {p for seed in range(20) for p in epoch_order(LABELS, seed, "balanced").tolist()}
    assert seen == set(range(60))


def test_the_order_depends_on_the_seed_only() -> None:
    assert epoch_order(LABELS, 1, "balanced").tolist() == epoch_order(LABELS, 1, "balanced").tolist()
    assert epoch_order(LABELS, 1, "balanced").tolist() != epoch_order(LABELS, 2, "balanced").tolist()


@pytest.mark.parametrize(("count", "size", "expected"), [(10, 4, [4, 3, 3]), (9, 3, [3, 3, 3]), (2, 5, [2])])
def test_batches_are_of_nearly_equal_size(count: int, size: int, expected: list[int]) -> None:
    batches = in_batches(np.arange(count), size)
    assert [len(b) for b in batches] == expected
    assert np.concatenate(batches).tolist() == list(range(count))


def test_epoch_seeds_are_fixed_and_all_different() -> None:
    seeds = [epoch_seed(seed, epoch) for seed in range(20) for epoch in range(50)]
    assert len(set(seeds)) == len(seeds)
    assert epoch_seed(1, 2) == int(np.random.SeedSequence([1, 2]).generate_state(1)[0])
    assert epoch_seed(1, 2) != epoch_seed(2, 1)


@pytest.mark.parametrize("labels", [[0] * 5 + [1] * 2, [3, 3, 3, 7], [1, 0, 0, 0, 0, 2, 2]])
@pytest.mark.parametrize("seed", [0, 1, 5])
def test_a_balanced_epoch_against_a_naive_one(labels: list[int], seed: int) -> None:
    """Shares first, then each class in its order, round by round, then all of it shuffled: from one generator."""
    random, kinds, count = np.random.default_rng(seed), sorted(set(labels)), len(labels)
    more = random.permutation(len(kinds))[: count % len(kinds)].tolist()
    drawn: list[int] = []
    for number, kind in enumerate(kinds):
        share, own = count // len(kinds) + (number in more), [p for p, label in enumerate(labels) if label == kind]
        rounds: list[int] = []
        while len(rounds) < share:
            rounds += random.permutation(own).tolist()
        drawn += rounds[:share]
    assert epoch_order(labels, seed, "balanced").tolist() == random.permutation(drawn).tolist()


@pytest.mark.parametrize(("count", "size", "expected"), [(0, 4, [0]), (4, 4, [4]), (5, 4, [3, 2]), (8, 1, [1] * 8)])
def test_a_batch_is_never_larger_than_asked(count: int, size: int, expected: list[int]) -> None:
    assert [len(b) for b in in_batches(np.arange(count), size)] == expected
