"""Complementary relation contrastive distillation (CRCD): relations between samples, with a memory of all of them."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from vskd.losses.memory import ContrastSettings, MemoryBank, MemoryContrast, noise_contrast
from vskd.schema import Count

_EPSILON = 1e-3


class RelationBank(MemoryBank):
    """A memory in which relations are compared, see `MemoryBank`."""

    def scores(self, query: Tensor, positions: Tensor, candidates: Tensor) -> Tensor:
        """Cosines between the relations query - anchor and candidate - anchor; the anchors are the batch in this bank.

        The relations are not formed: their products follow from those of the vectors, which saves a tensor of
        batch * batch * candidates * width values.

        Args:
            query: (batch, width) unit vectors (or zero); the only argument that receives a gradient.
            positions: (batch,) of the samples.
            candidates: (batch, candidates) positions of what each sample is compared with.

        Returns:
            (batch, anchors, candidates), -1..1; 0 where candidate and anchor are the same vector.
        """
        anchor = self.vectors[positions]
        candidate = self.vectors[candidates]
        near = (candidate * query.unsqueeze(1)).sum(dim=2).unsqueeze(1)  # (batch, 1, candidates)
        query_anchor = (query @ anchor.T).unsqueeze(2)  # (batch, anchors, 1)
        candidate_anchor = torch.einsum("bkw,jw->bjk", candidate, anchor)
        # The bank's vectors have length 1. The floor keeps coinciding vectors, whose relation is 0, from dividing by 0.
        product = near - query_anchor - candidate_anchor + 1
        square = query.square().sum(dim=1).view(-1, 1, 1)
        query_length = (square + 1 - 2 * query_anchor).clamp(min=_EPSILON**2).sqrt()
        candidate_length = (2 - 2 * candidate_anchor).clamp(min=_EPSILON**2).sqrt()
        return product / (query_length * candidate_length)


class CRCD(MemoryContrast[RelationBank]):
    """CRCD: student and teacher are to see a sample in the same relation to the other samples of the batch.

    e = l2norm(Linear(embedding)) for each side, and a memory M of unit vectors for each. With the relation of a sample
    to an anchor j of the batch r = l2norm(e_student - M_teacher[j]), and those of K + 1 candidates k (itself first,
    then K others at random) r_k = l2norm(M_teacher[k] - M_teacher[j]):
        P_k = exp(<r, r_k> / tau) / Z,   l = -log(P_0 / (P_0 + K / n)) - sum_k log((K / n) / (P_k + K / n)),
    averaged over all pairs of different samples; plus the same with student and teacher swapped. n is the size of the
    training list. Z is estimated on the first batch and then frozen.

    Source: Zhu, Tang, Chen, Yu, Liu, Wang & Zou, "Complementary Relation Contrastive Distillation", CVPR 2021 (arXiv
    2103.16367).

    Points of deviation from the public implementation: an anchor that is the sample itself has no relation to it and is
    left out; differences are divided by at least 0.001 instead of having 1e-6 added; logarithms of P are computed
    directly; the K others never are the sample itself; they are drawn from (seed, number of the call), kept in the
    state; memories are as large as the training list and updated in training mode only.

    Args:
        student_width, teacher_width: of the embeddings.
        samples: size of the training list, n.
        width: of e.
        negatives: K; never more than n - 1. The reference has 2048 at batches of 4; the cost grows with batch^2 * K.
        temperature: tau.
        momentum: of the memory's update.
        seed: of the initial memories and the negatives.

    Shape:
        student_embedding: (batch, student_width), teacher_embedding: (batch, teacher_width); positions: (batch,) int64
        in the training list; output: scalar, 0 for a batch of one.

    Raises:
        ValueError: fewer than two samples, a temperature that is not positive, embeddings of different batches, or a
            position outside the training list.

    Examples:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> loss = CRCD(student_width=4, teacher_width=6, samples=100, negatives=16)
        >>> value = loss(torch.randn(8, 4), torch.randn(8, 6), positions=torch.arange(8))
        >>> value.shape, bool(value > 0)
        (torch.Size([]), True)
    """

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        samples: int,
        *,
        width: int = 64,
        negatives: int = 512,
        temperature: float = 0.07,
        momentum: float = 0.5,
        seed: int = 0,
    ) -> None:
        widths = student_width, teacher_width
        super().__init__("CRCD", *widths, samples, width, negatives, temperature, momentum, seed, RelationBank)

    def contrast(self, bank: RelationBank, query: Tensor, positions: Tensor, candidates: Tensor) -> Tensor:
        """See `MemoryContrast`."""
        related = positions.unsqueeze(1) != positions.unsqueeze(0)
        log_p = bank.normalised(bank.scores(query, positions, candidates), related, self._temperature)
        pairs = torch.where(related, noise_contrast(log_p, self._samples), 0.0)  # (batch, anchors)
        return pairs.sum() / related.sum().clamp(min=1)


class CRCDSettings(ContrastSettings):
    """`crcd` as a term; `width`, `negatives`, `temperature` and `momentum` as of `CRCD`."""

    description: ClassVar[str] = "CRCD: relations between training samples, by contrast with a memory (Zhu et al.)"
    module: ClassVar[type[CRCD]] = CRCD
    loss: Literal["crcd"] = "crcd"
    width: Count = 64
    negatives: Count = 512
