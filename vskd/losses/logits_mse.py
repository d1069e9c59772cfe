"""Regression of the teacher's logits."""

from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_shape
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.network import whole


class LogitsMSE(nn.Module):
    """L = mean of (z_student - z_teacher)^2 over batch and classes; z are logits, as they are.

    The paper sums over the classes and halves, which is `classes / 2` times this. Logits carry an offset that no
    probability shows and that this loss wants equal, too; where it is not wanted, `kd` at a high temperature is the
    same loss on centred logits (Hinton et al., 2015, section 2.1).

    Source: Ba & Caruana, "Do Deep Nets Really Need to be Deep?", NIPS 2014 (arXiv 1312.6184), equation 1.

    Shape:
        student, teacher: (batch, classes); output: scalar.

    Raises:
        ValueError: different shapes.

    Examples:
        >>> import torch
        >>> LogitsMSE()(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 5.0]])).item()
        4.5
    """

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_shape("logits MSE", student, teacher)
        return F.mse_loss(whole(student), whole(teacher))


class LogitsMSESettings(ComparisonSettings):
    """`logits_mse` as a term; see `LogitsMSE`."""

    description: ClassVar[str] = "the teacher's logits themselves (Ba & Caruana)"
    loss: Literal["logits_mse"] = "logits_mse"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_same_shape(context, 1, "logits")
        return Term(LogitsMSE(), pairwise)
