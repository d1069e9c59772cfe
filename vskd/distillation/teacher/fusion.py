"""Several teachers as one: late fusion."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vskd.distillation.teacher.cache import Shapes
from vskd.distillation.teacher.outputs import FollowsEpochs, TeacherSource
from vskd.distillation.teacher.pairing import same_labels
from vskd.errors import SettingError
from vskd.modalities.base import Batch
from vskd.network import OUTPUT_LAYERS, Outputs


class FusedTeacher(FollowsEpochs):
    """The mean of the teachers' probabilities; their embeddings side by side.

    Its logits are the logarithms of the mean probabilities, so that a softmax gives these again.

    Args:
        members: each gives its outputs for the same batch; recordings that one of them lacks are left out.

    Raises:
        SettingError: a term wants to look inside, which several teachers have no common layer for.
    """

    def __init__(self, members: Sequence[TeacherSource]) -> None:
        self._members = tuple(members)
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
        logits = logs.logsumexp(dim=0) - torch.tensor(float(len(said))).log()
        return Outputs(logits, torch.cat([outputs.embedding for outputs, _, _ in said], dim=1)), ids, labels
