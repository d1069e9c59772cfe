"""Decoupled knowledge distillation (DKD): what is said of the label, and of the other classes.

Source: Zhao, Cui, Song, Qiu & Liang, "Decoupled Knowledge Distillation", CVPR 2022 (arXiv 2203.08679).

With p = softmax(z / T), b = (p_y, 1 - p_y) and q = softmax of z / T over the classes other than the label y,
    KL(p_t || p_s) = KL(b_t || b_s) + (1 - p_t,y) * KL(q_t || q_s),
so that Hinton's loss (KD) is the sum of both parts with a fixed, often tiny, weight of the second one.

Points of deviation from the authors' implementation: everything is computed from logits with logsumexp and log softmax.
The original subtracts 1000 from the label's logit and takes logarithms of probabilities, which turn to -inf and NaN
where a network is very sure.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_shape
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise_labelled
from vskd.schema import Positive


def split_target(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The label's logit and the logits of all other classes, in at least float32.

    Args:
        logits: (batch, classes).
        labels: (batch,) int64.

    Returns:
        (batch, 1) and (batch, classes - 1).
    """
    z = logits.to(torch.promote_types(logits.dtype, torch.float32))
    batch, classes = z.shape
    others = torch.ones_like(z, dtype=torch.bool).scatter_(1, labels.unsqueeze(1), False)
    return z.gather(1, labels.unsqueeze(1)), z[others].view(batch, classes - 1)


class _Decoupled(nn.Module):
    """Temperature and checks of both parts."""

    def __init__(self, temperature: float = 4.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        self.temperature = temperature

    def _split(self, student: Tensor, teacher: Tensor, labels: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        require_same_shape("DKD", student, teacher)
        if student.ndim != 2 or student.shape[1] < 2:
            raise ValueError(f"DKD: needs (batch, 2 or more classes), got {tuple(student.shape)}")
        return split_target(student / self.temperature, labels), split_target(teacher / self.temperature, labels)

    def _divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """T^2 * KL of log probabilities (batch, events), batch mean."""
        return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * self.temperature**2


class TCKD(_Decoupled):
    """TCKD: L = T^2 * KL(b_teacher || b_student), batch mean; b = (p_y, 1 - p_y).

    Args:
        temperature: T > 0; 4 in KRCA.

    Shape:
        student_logits, teacher_logits: (batch, classes), classes >= 2; labels: (batch,) int64; output: scalar.

    Raises:
        ValueError: temperature not positive, logits of different shapes, or a single class.

    Examples:
        >>> import torch
        >>> student, teacher = torch.zeros(1, 3), torch.tensor([[2.0, 1.0, 1.0]]).log()  # 1/3 and 1/2 for label 0
        >>> round(TCKD(temperature=1.0)(student, teacher, torch.tensor([0])).item(), 4)  # log(9/8) / 2
        0.0589
    """

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch."""
        student, teacher = self._split(student_logits, teacher_logits, labels)
        return self._divergence(_binary(*student), _binary(*teacher))


class NCKD(_Decoupled):
    """NCKD: L = T^2 * KL(q_teacher || q_student), batch mean; q = softmax over the classes other than the label.

    With two classes there is one other class and the loss is 0.

    Args:
        temperature: T > 0; 4 in KRCA.

    Shape:
        student_logits, teacher_logits: (batch, classes), classes >= 2; labels: (batch,) int64; output: scalar.

    Raises:
        ValueError: temperature not positive, logits of different shapes, or a single class.

    Examples:
        >>> import torch
        >>> student, teacher = torch.zeros(1, 3), torch.tensor([[9.0, 3.0, 1.0]]).log()  # 3/4 and 1/4 of the others
        >>> round(NCKD(temperature=1.0)(student, teacher, torch.tensor([0])).item(), 4)
        0.1308
    """

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch."""
        (_, student), (_, teacher) = self._split(student_logits, teacher_logits, labels)
        return self._divergence(F.log_softmax(student, dim=1), F.log_softmax(teacher, dim=1))


def _binary(target: Tensor, others: Tensor) -> Tensor:
    """log (p_y, 1 - p_y), (batch, 2): a log softmax over the label's logit and the logsumexp of the others."""
    return F.log_softmax(torch.cat([target, others.logsumexp(dim=1, keepdim=True)], dim=1), dim=1)


class TCKDSettings(ComparisonSettings):
    """`tckd` as a term; see `TCKD`."""

    needs_labels: ClassVar[bool] = True
    description: ClassVar[str] = "DKD, target class: how sure the teacher is of the label (Zhao et al.)"
    loss: Literal["tckd"] = "tckd"
    temperature: Positive = 4.0

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_same_shape(context, rank=1, what="logits")
        return Term(TCKD(self.temperature), pairwise_labelled)


class NCKDSettings(ComparisonSettings):
    """`nckd` as a term; see `NCKD`."""

    needs_labels: ClassVar[bool] = True
    description: ClassVar[str] = "DKD, non-target classes: the teacher's order of the other classes (Zhao et al.)"
    loss: Literal["nckd"] = "nckd"
    temperature: Positive = 4.0

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_same_shape(context, rank=1, what="logits")
        return Term(NCKD(self.temperature), pairwise_labelled)
