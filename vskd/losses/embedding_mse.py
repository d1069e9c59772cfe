"""Embedding MSE: the student's embedding, projected where the widths differ, is to equal the teacher's."""

from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_shape
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.network import whole


class EmbeddingMSE(nn.Module):
    """L = mean over batch and width of (W e_student - e_teacher)^2; the semantic term of DASK.

    W is a trained linear layer where the embeddings differ in width, and nothing where they do not. It exists only for
    training.

    Source: Ni et al., "Cross-modal Knowledge Distillation for Vision-to-Sensor Action Recognition", ICASSP 2022.

    Args:
        student_width, teacher_width: of the embeddings.

    Shape:
        student_embedding: (batch, student_width), teacher_embedding: (batch, teacher_width); output: scalar.

    Raises:
        ValueError: embeddings of other widths, or of different batches.

    Examples:
        >>> import torch
        >>> EmbeddingMSE(2, 2)(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])).item()
        2.0
        >>> EmbeddingMSE(8, 16).projector
        Linear(in_features=8, out_features=16, bias=True)
    """

    def __init__(self, student_width: int, teacher_width: int) -> None:
        super().__init__()
        same = student_width == teacher_width
        self.projector: nn.Module = nn.Identity() if same else nn.Linear(student_width, teacher_width)

    def forward(self, student_embedding: Tensor, teacher_embedding: Tensor) -> Tensor:
        """Loss of a batch."""
        projected = self.projector(whole(student_embedding))
        require_same_shape("embedding MSE", projected, teacher_embedding)
        return F.mse_loss(projected, whole(teacher_embedding))


class EmbeddingMSESettings(ComparisonSettings):
    """`embedding_mse` as a term; see `EmbeddingMSE`."""

    description: ClassVar[str] = "mean squared difference of the embeddings (the semantic term of DASK)"
    loss: Literal["embedding_mse"] = "embedding_mse"
    student_layer: str = "embedding"
    teacher_layer: str = "embedding"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        (student,), (teacher,) = self.require_rank(context, 1, "embeddings")
        return Term(EmbeddingMSE(student, teacher), pairwise)
