"""Hinton's soft targets."""

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.distillation.losses.shapes import require_same_shape


class SoftTarget(nn.Module):
    """L = T^2 * KL(softmax(z_teacher / T) || softmax(z_student / T)), batch mean.

    The factor T^2 keeps the gradient's size when T changes.

    Source: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531).

    Args:
        temperature: T > 0; 4 in Ni et al., ICASSP 2022.

    Shape:
        student_logits, teacher_logits: (batch, classes); output: scalar.

    Raises:
        ValueError: temperature not positive, or logits of different shapes.
    """

    def __init__(self, temperature: float = 4.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        self.temperature = temperature

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_shape("soft target loss", student_logits, teacher_logits)
        student = F.log_softmax(student_logits / self.temperature, dim=1)
        teacher = F.log_softmax(teacher_logits / self.temperature, dim=1)
        return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * self.temperature**2
