"""Relational knowledge distillation, distance-wise (RKD-D)."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_batch
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise


def pairwise_differences(embedding: Tensor) -> tuple[Tensor, Tensor]:
    """All differences within a batch and their Euclidean lengths, in at least float32.

    The lengths come from the differences themselves: the shorter |a|^2 + |b|^2 - 2ab cancels for near neighbours. Where
    a length is 0 (the diagonal, duplicates) its gradient is 0, not the NaN of sqrt at 0.

    Args:
        embedding: (batch, width).

    Returns:
        (batch, batch, width), element [j, i] = e_i - e_j, and (batch, batch).
    """
    x = embedding.to(torch.promote_types(embedding.dtype, torch.float32))
    differences = x.unsqueeze(0) - x.unsqueeze(1)
    squares = differences.square().sum(dim=2)
    apart = squares > 0
    lengths = torch.where(apart, torch.where(apart, squares, torch.inf).sqrt(), 0.0)
    return differences, lengths


def normalised_distances(embedding: Tensor) -> Tensor:
    """psi_D: pairwise distances over their mean, (batch, width) -> (batch, batch)."""
    _, lengths = pairwise_differences(embedding)
    pairs = (lengths > 0).sum().clamp(min=1)
    mean = lengths.sum() / pairs
    return lengths / torch.where(mean > 0, mean, torch.inf)


class RKDDistance(nn.Module):
    """RKD-D: the student's embeddings are to lie apart in the same proportions as the teacher's.

    psi_D(i, j) = ||e_i - e_j|| / mu, mu = mean over the pairs of the batch with a distance above 0;
    L = mean over all batch^2 ordered pairs of Huber(psi_D student, psi_D teacher), beta 1.
    The mean includes the diagonal (which adds 0), as the authors' code does, so published weights keep their meaning.
    The widths of the two embeddings may differ. A batch of one gives 0.

    Deviation: identical embeddings. The authors' code takes mu over distances above 0, too, but raises each square to
    1e-12 at least, so that identical embeddings are 1e-6 apart and count in mu, which they lower: of n embeddings
    with d ordered pairs of identical ones by the factor 1 - d / (n^2 - n). Here their distance is 0 and they do not
    count, as the formula says. Where all embeddings are identical, the authors' scaled distances are all 1, as if the
    student had put every sample equally far from every other; here they are 0, and the loss shows that the student
    has collapsed. Without identical embeddings the two agree.

    Source: Park, Kim, Lu & Cho, "Relational Knowledge Distillation", CVPR 2019 (arXiv 1904.05068).

    Shape:
        student_embedding: (batch, width), teacher_embedding: (batch, any width); output: scalar.

    Raises:
        ValueError: not two matrices of the same batch.

    Examples:
        >>> import torch
        >>> in_a_row, equilateral = torch.tensor([[0.0], [1.0], [2.0]]), torch.eye(3)
        >>> RKDDistance()(in_a_row, 3 * in_a_row).item()
        0.0
        >>> round(RKDDistance()(in_a_row, equilateral).item(), 4)  # 3/4, 3/4, 3/2 of the mean; 1, 1, 1
        0.0417
    """

    def forward(self, student_embedding: Tensor, teacher_embedding: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_batch("RKD-D", student_embedding, teacher_embedding)
        teacher = normalised_distances(teacher_embedding)
        return F.smooth_l1_loss(normalised_distances(student_embedding), teacher)


class RKDDistanceSettings(ComparisonSettings):
    """`rkd_distance` as a term; see `RKDDistance`."""

    description: ClassVar[str] = "RKD-D: distances between the samples of a batch, in proportion (Park et al.)"
    loss: Literal["rkd_distance"] = "rkd_distance"
    student_layer: str = "embedding"
    teacher_layer: str = "embedding"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_rank(context, 1, "embeddings")
        return Term(RKDDistance(), pairwise)
