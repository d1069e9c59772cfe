"""The batches of one epoch, read by recording id. Order and random changes depend on the epoch's seed alone, so that a
resumed run sees exactly what an uninterrupted one sees."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from vskd.modalities.base import Batch
from vskd.modalities.sampling import Sampling, epoch_order, in_batches

Random = TypeVar("Random")


class EpochBatches(ABC, Generic[Random]):
    """The batches of one epoch; iterating again gives the same again.

    A modality says which generator its random changes draw from, and how samples are read.

    Args:
        ids: recording of each sample.
        labels: class number of each sample.
        batch_size: largest number of samples in a batch.
        seed: None gives the samples in order and unchanged; a number shuffles and changes them.
        sampling: of an epoch; used only with a seed.

    Attributes:
        samples: number of samples.
        seed: of the epoch.
    """

    def __init__(
        self, ids: Sequence[str], labels: Sequence[int], *, batch_size: int, seed: int | None, sampling: Sampling
    ) -> None:
        self.seed, self.samples = seed, len(ids)
        self._ids, self._labels = list(ids), list(labels)
        self._plan = in_batches(epoch_order(self._labels, seed, sampling), batch_size)

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        random = self._random()
        for positions in self._plan:
            labels = torch.tensor([self._labels[p] for p in positions])
            inputs, labels = self._read(positions.tolist(), labels, random)
            yield Batch(tuple(self._ids[p] for p in positions), inputs, labels, torch.from_numpy(positions))

    @abstractmethod
    def _random(self) -> Random:
        """The generator of the epoch's random changes, at its beginning."""

    @abstractmethod
    def _read(self, positions: list[int], labels: Tensor, random: Random) -> tuple[Tensor, Tensor]:
        """The samples at some positions, and their labels, both changed at random where there is a seed."""
