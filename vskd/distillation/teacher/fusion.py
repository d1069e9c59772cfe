"""Several teachers as one: late fusion."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vskd.distillation.teacher.cache import Shapes
from vskd.distillation.teacher.outputs import FollowsEpochs, TeacherSource
from vskd.distillation.teacher.pairing import same_labels
from vskd.errors import SettingError
from vskd.modalities.base import Batch
from vskd.network import OUTPUT_LAYERS, Outputs

STEPS = 200
"""Of `fusion_weights`; the likelihood has one maximum, and is then less than 1e-3 below it."""


def fusion_weights(right: Tensor) -> tuple[float, ...]:
    """The weights under which the members' mean says most of the true classes: the mixture of greatest likelihood.

    Found by expectation maximization (Dempster, Laird, Rubin, 1977), from equal weights. The likelihood is concave in
    the weights, so there is nothing to be chosen by luck.

    Args:
        right: (members, recordings), the probability that each member gives to a recording's true class.

    Returns:
        One weight for each member, all together 1.
    """
    right = right.double().clamp_min(torch.finfo(torch.float64).tiny)
    weights = torch.full((len(right),), 1 / len(right), dtype=torch.float64)
    for _ in range(STEPS):
        share = weights[:, None] * right
        weights = (share / share.sum(dim=0)).mean(dim=1)
    return tuple(weights.tolist())


class FusedTeacher(FollowsEpochs):
    """The mean of the teachers' probabilities; their embeddings side by side.

    Its logits are the logarithms of the mean probabilities, so that a softmax gives these again.

    Args:
        members: each gives its outputs for the same batch; recordings that one of them lacks are left out.
        weights: of the members in the mean, all together 1; equal by default.

    Raises:
        SettingError: a term wants to look inside, which several teachers have no common layer for.
    """

    def __init__(self, members: Sequence[TeacherSource], weights: Sequence[float] | None = None) -> None:
        self._members = tuple(members)
        self.weights = tuple(weights or [1 / len(self._members)] * len(self._members))
        self.ids = frozenset.intersection(*(member.ids for member in members))
        inside = sorted({layer for member in members for layer in member.shapes} - set(OUTPUT_LAYERS))
        if inside:
            raise SettingError(
                f"Several teachers have no common layer {', '.join(inside)}",
                "Compare logits or embeddings, or name one teacher",
            )
        width = sum(member.shapes["embedding"][0] for member in members)
        self.shapes: Shapes = {"logits": members[0].shapes["logits"], "embedding": (width,)}

    def start_epoch(self, epoch: int) -> None:
        """Pass it on to the members that follow it."""
        for member in self._members:
            if isinstance(member, FollowsEpochs):
                member.start_epoch(epoch)

    def views(self) -> Sequence[TeacherSource]:
        """The fusions of what the members say in turn; one, where none of them follows the epochs."""
        each = [member.views() if isinstance(member, FollowsEpochs) else (member,) for member in self._members]
        turns = range(math.lcm(*map(len, each)))
        return [FusedTeacher([own[turn % len(own)] for own in each], self.weights) for turn in turns]

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherSource`; the members must speak of the same recordings and labels.

        Raises:
            ValueError: they do not.
        """
        said = [member.outputs(batch) for member in self._members]
        _, ids, labels = said[0]
        if any(other != ids or not same_labels(own, labels) for _, other, own in said):
            raise ValueError("the teachers speak of different recordings or labels")
        logs = torch.stack([outputs.logits.float().log_softmax(dim=1) for outputs, _, _ in said])
        shares = torch.tensor(self.weights, dtype=logs.dtype, device=logs.device).log()
        logits = (logs + shares[:, None, None]).logsumexp(dim=0)
        return Outputs(logits, torch.cat([outputs.embedding for outputs, _, _ in said], dim=1)), ids, labels
