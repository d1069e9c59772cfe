"""Hinton's soft targets."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_shape


@dataclass(frozen=True)
class TemperatureSchedule:
    """T = min(start + slope * epoch, maximum): soft targets that grow softer as the student grows surer.

    With slope 0 the temperature is `start` throughout.

    Raises:
        ValueError: start not above 0, slope below 0, or a maximum that a rising temperature has passed from the start.
    """

    start: float
    slope: float = 0.0
    maximum: float = 20.0

    def __post_init__(self) -> None:
        if not self.start > 0:
            raise ValueError(f"temperature must be above 0, not {self.start}")
        if not self.slope >= 0:
            raise ValueError(f"the slope of the temperature must be at least 0, not {self.slope}")
        if self.slope > 0 and not self.maximum >= self.start:
            raise ValueError(f"the temperature starts at {self.start}, above its maximum of {self.maximum}")

    def at(self, epoch: int) -> float:
        """The temperature of an epoch, counted from 0."""
        return self.start if self.slope == 0 else min(self.start + self.slope * epoch, self.maximum)


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
