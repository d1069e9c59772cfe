"""Soft targets of probabilities: the published defect of 3-D video distillation, kept so that it can be measured."""

from typing import ClassVar, Literal

from torch import Tensor, nn

from vskd.losses.kd import KD
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.schema import Positive


class KDOnProbabilities(nn.Module):
    """L = T^2 * KL(softmax(p_teacher / T) || softmax(p_student / T)), p = softmax(z), batch mean: softmax twice.

    Not for use: a probability lies in 0..1, so the largest soft target is at most exp(1 / T) times the smallest,
    however sure the teacher is. At T = 10 and 101 classes a teacher that is 95 % sure asks for 0.0109 where 0.0099 is
    chance, and the loss is about a hundredth of that of `kd`.

    Source: the public code of offline distillation of 3-D networks, which divides by T what its networks give, and
    these end in softmax.

    Args:
        temperature: T > 0.

    Shape:
        student_logits, teacher_logits: (batch, classes); output: scalar.

    Raises:
        ValueError: temperature not positive, or logits of different shapes.

    Examples:
        >>> import torch
        >>> student, teacher = torch.zeros(1, 2), torch.tensor([[3.0, 1.0]]).log()  # 1/2, 1/2 and 3/4, 1/4
        >>> round(KDOnProbabilities(temperature=1.0)(student, teacher).item(), 4)  # as kd of the logits 3/4 and 1/4
        0.0303
    """

    def __init__(self, temperature: float = 10.0) -> None:
        super().__init__()
        self.kd = KD(temperature)

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of a batch."""
        loss: Tensor = self.kd(student_logits.softmax(dim=1), teacher_logits.softmax(dim=1))
        return loss


class KDOnProbabilitiesSettings(ComparisonSettings):
    """`kd_on_probabilities` as a term.

    Attributes:
        temperature: T.
    """

    description: ClassVar[str] = "a published defect, to be measured: softmax taken twice, of probabilities"
    loss: Literal["kd_on_probabilities"] = "kd_on_probabilities"
    temperature: Positive = 10.0

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_same_shape(context, rank=1, what="logits")
        return Term(KDOnProbabilities(self.temperature), pairwise)
