"""Semantic loss: the student's embedding is to equal the teacher's."""

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_shape


class Semantic(nn.Module):
    """L = mean over batch and width of (e_student - e_teacher)^2.

    Source: Ni et al., "Cross-modal Knowledge Distillation for Vision-to-Sensor Action Recognition", ICASSP 2022.

    Shape:
        student_embedding, teacher_embedding: (batch, width); output: scalar.

    Raises:
        ValueError: embeddings of different shapes.
    """

    def forward(self, student_embedding: Tensor, teacher_embedding: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_shape("semantic loss", student_embedding, teacher_embedding)
        return F.mse_loss(student_embedding, teacher_embedding)
