"""Epochs of any samples: complete, in batches of nearly equal size, and functions of the seed alone."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from vskd.modalities.batches import EpochBatches

IDS = [f"r{n:02}" for n in range(12)]
LABELS = [n % 3 for n in range(12)]


class Numbers(EpochBatches[np.random.Generator | None]):
    """The sample of recording `r07` is 7, plus a random fraction where there is a seed; the last class loses labels."""

    def _random(self) -> np.random.Generator | None:
        return None if self.seed is None else np.random.default_rng(self.seed)

    def _read(self, positions: list[int], labels: Tensor, random: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        noise = torch.zeros(len(positions)) if random is None else torch.from_numpy(random.random(len(positions)))
        return torch.tensor(positions) + noise, labels.clamp(max=1)


def numbers(seed: int | None = None, size: int = 5) -> Numbers:
    return Numbers(IDS, LABELS, batch_size=size, seed=seed, sampling="natural")


@pytest.mark.parametrize("size", [1, 3, 5, 7, 12, 100])
def test_an_epoch_holds_every_sample_once_in_batches_of_nearly_equal_size(size: int) -> None:
    batches = list(numbers(3, size))
    assert len(batches) == len(numbers(3, size)) == -(-12 // size)
    assert Counter(i for b in batches for i in b.ids) == Counter(IDS)
    sizes = [len(b.ids) for b in batches]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1


def test_a_batch_belongs_together() -> None:
    for batch in numbers(1):
        assert [IDS[p] for p in batch.positions.tolist()] == list(batch.ids)
        assert batch.inputs.long().tolist() == batch.positions.tolist()
        assert batch.labels.tolist() == [min(1, LABELS[p]) for p in batch.positions.tolist()]
        assert batch.labels.dtype == batch.positions.dtype == torch.int64


def test_order_and_changes_depend_on_the_seed_and_start_anew_each_time() -> None:
    def epoch(batches: Numbers) -> list[float]:
        return [x for b in batches for x in b.inputs.tolist()]

    seven = numbers(7)
    assert epoch(numbers()) == list(range(12))
    assert epoch(seven) == epoch(seven) == epoch(numbers(7))
    assert epoch(seven) != epoch(numbers(8))


def test_one_recording_may_have_several_samples() -> None:
    batches = Numbers(["a", "a", "b"], [0, 0, 1], batch_size=2, seed=0, sampling="natural")
    assert batches.samples == 3
    assert Counter(i for b in batches for i in b.ids) == {"a": 2, "b": 1}
