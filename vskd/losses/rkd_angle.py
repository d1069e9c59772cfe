"""Relational knowledge distillation, angle-wise (RKD-A)."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.rkd_distance import pairwise_differences
from vskd.losses.shapes import require_same_batch
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise


def cosines(embedding: Tensor) -> Tensor:
    """psi_A: cosine of the angle at e_j between e_i and e_k, (batch, width) -> (batch j, batch i, batch k).

    Zero where e_i or e_k coincides with e_j, with a gradient of zero.
    """
    differences, lengths = pairwise_differences(embedding)
    inverse = 1.0 / torch.where(lengths > 0, lengths, torch.inf)
    directions = differences * inverse.unsqueeze(2)
    return torch.bmm(directions, directions.transpose(1, 2))


class RKDAngle(nn.Module):
    """RKD-A: the student's embeddings are to form the same angles as the teacher's.

    psi_A(i, j, k) = <(e_i - e_j) / ||e_i - e_j||, (e_k - e_j) / ||e_k - e_j||>;
    L = mean over all batch^3 ordered triplets of Huber(psi_A student, psi_A teacher), beta 1.
    The mean includes the triplets with equal members, as the authors' code does. The widths of the two embeddings may
    differ. Memory grows with batch^3: 1 MB at 64, 67 MB at 256. A batch of one gives 0.

    Source: Park, Kim, Lu & Cho, "Relational Knowledge Distillation", CVPR 2019 (arXiv 1904.05068).

    Shape:
        student_embedding: (batch, width), teacher_embedding: (batch, any width); output: scalar.

    Raises:
        ValueError: not two matrices of the same batch.

    Examples:
        >>> import torch
        >>> in_a_row, equilateral = torch.tensor([[0.0], [1.0], [2.0]]), torch.eye(3)
        >>> RKDAngle()(in_a_row, 3 * in_a_row + 1).item()
        0.0
        >>> round(RKDAngle()(in_a_row, equilateral).item(), 4)  # cosines 1, -1, 1 for 1/2 everywhere
        0.0926
    """

    def forward(self, student_embedding: Tensor, teacher_embedding: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_batch("RKD-A", student_embedding, teacher_embedding)
        return F.smooth_l1_loss(cosines(student_embedding), cosines(teacher_embedding))


class RKDAngleSettings(ComparisonSettings):
    """`rkd_angle` as a term; see `RKDAngle`."""

    description: ClassVar[str] = "RKD-A: angles between the samples of a batch (Park et al.)"
    loss: Literal["rkd_angle"] = "rkd_angle"
    student_layer: str = "embedding"
    teacher_layer: str = "embedding"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_rank(context, 1, "embeddings")
        return Term(RKDAngle(), pairwise)
