"""Similarity-preserving distillation (SP): samples that the teacher finds alike are to be alike for the student."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.network import whole


def similarities(layer: Tensor) -> Tensor:
    """Products of all samples of a batch with each other, (batch, ...) -> (batch, batch), rows of length 1.

    A row of zeros stays one. Rows keep their direction under scaling, so every sample is brought to a magnitude at
    which no product leaves float32's range.
    """
    flat = whole(layer).flatten(1)
    flat = flat / flat.detach().abs().max().clamp(min=torch.finfo(flat.dtype).tiny)
    return F.normalize(flat @ flat.T)


class SimilarityPreserving(nn.Module):
    """L = ||G_student - G_teacher||^2 / batch^2, G = the rows of Q Q^T over their lengths, Q = layer as (batch, rest).

    Layers may be of any and of different shapes: a map, a series or an embedding is flattened. A batch of one gives 0.

    Source: Tung & Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019 (arXiv 1907.09682), equations 1 to 4.
    The paper compares the maps of the last block of both networks; across modalities their positions mean different
    things, but only products within a network are taken. The default here is the embedding, which every network has.

    Shape:
        student: (batch, ...), teacher: (batch, ...); output: scalar.

    Raises:
        ValueError: different batches, or a layer without a dimension beside the batch.

    Examples:
        >>> import torch
        >>> SimilarityPreserving()(torch.eye(3), 5 * torch.eye(3, 4)).item()
        0.0
        >>> round(SimilarityPreserving()(torch.ones(2, 1), torch.eye(2)).item(), 4)  # all alike, none: (2 - sqrt 2) / 2
        0.2929
    """

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of a batch."""
        if min(student.ndim, teacher.ndim) < 2 or len(student) != len(teacher):
            shapes = f"student {tuple(student.shape)}, teacher {tuple(teacher.shape)}"
            raise ValueError(f"similarity preserving: needs two (batch, ...) layers of the same batch, got {shapes}")
        return F.mse_loss(similarities(student), similarities(teacher))


class SimilarityPreservingSettings(ComparisonSettings):
    """`similarity_preserving` as a term; see `SimilarityPreserving`."""

    description: ClassVar[str] = "SP: which samples of a batch are alike (Tung & Mori)"
    loss: Literal["similarity_preserving"] = "similarity_preserving"
    student_layer: str = "embedding"
    teacher_layer: str = "embedding"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.shapes(context)
        return Term(SimilarityPreserving(), pairwise)
