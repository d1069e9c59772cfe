"""A control: what the teacher says belongs to other recordings than it is paired with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from vskd.datasets.recording import UNLABELLED
from vskd.distillation.teacher.cache import Answers
from vskd.modalities.base import Batch
from vskd.network import Outputs


def permutation(ids: Sequence[str], classes: Mapping[str, int] | None, seed: int) -> dict[str, str]:
    """Each of `ids` -> another one, drawn at random; within its class where `classes` is given.

    No recording keeps its own (a class of one does): the shuffled list is shifted against itself.
    """
    generator = np.random.default_rng([seed, 7])
    groups: dict[int, list[str]] = defaultdict(list)
    for recording in sorted(ids):
        groups[0 if classes is None else classes[recording]].append(recording)
    mapped: dict[str, str] = {}
    for members in groups.values():
        shuffled = [members[k] for k in generator.permutation(len(members))]
        mapped.update(zip(shuffled, shuffled[1:] + shuffled[:1], strict=True))
    return mapped


class PermutedTeacher:
    """A cached teacher whose outputs are exchanged between recordings: if a student gains from it, not by knowledge.

    Args:
        cache: what the teacher said.
        mapped: recording -> the one whose outputs it is given, see `permutation`.
    """

    def __init__(self, cache: Answers, mapped: Mapping[str, str]) -> None:
        self._cache, self._mapped = cache, mapped
        self.ids, self.shapes = cache.ids, cache.shapes

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """The outputs of other recordings, on purpose under the ids of the batch."""
        outputs, _, _ = self._cache.outputs([self._mapped[i] for i in batch.ids])
        return outputs.to(batch.inputs.device), batch.ids, torch.full((len(batch.ids),), UNLABELLED)
