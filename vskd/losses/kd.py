"""Knowledge distillation on the logits: Hinton's soft targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.shapes import require_same_shape
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.schema import NonNegative, Positive

_MAXIMUM = 20.0


@dataclass(frozen=True)
class TemperatureSchedule:
    """T = min(start + slope * epoch, maximum): soft targets that grow softer as the student grows surer.

    With slope 0 the temperature is `start` throughout.

    Raises:
        ValueError: start not above 0, slope below 0, or a maximum that a rising temperature has passed from the start.

    Examples:
        >>> schedule = TemperatureSchedule(start=4.0, slope=0.5, maximum=5.0)
        >>> [schedule.at(epoch) for epoch in range(4)]
        [4.0, 4.5, 5.0, 5.0]
    """

    start: float
    slope: float = 0.0
    maximum: float = _MAXIMUM

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


class KD(nn.Module):
    """L = T^2 * KL(softmax(z_teacher / T) || softmax(z_student / T)), batch mean.

    The factor T^2 keeps the gradient's size when T changes.

    Source: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531).

    Args:
        temperature: T > 0; 4 in Ni et al., ICASSP 2022.

    Shape:
        student_logits, teacher_logits: (batch, classes); output: scalar.

    Raises:
        ValueError: temperature not positive, or logits of different shapes.

    Examples:
        >>> import torch
        >>> student, teacher = torch.zeros(1, 2), torch.tensor([[3.0, 1.0]]).log()  # 1/2, 1/2 and 3/4, 1/4
        >>> round(KD(temperature=1.0)(student, teacher).item(), 4)  # 3/4 log(3/2) + 1/4 log(1/2)
        0.1308
        >>> KD()(teacher, teacher).item()
        0.0
    """

    def __init__(self, temperature: float = 4.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        self.temperature = temperature

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_shape("KD", student_logits, teacher_logits)
        student = F.log_softmax(student_logits / self.temperature, dim=1)
        teacher = F.log_softmax(teacher_logits / self.temperature, dim=1)
        return F.kl_div(student, teacher, reduction="batchmean", log_target=True) * self.temperature**2


class KDSettings(ComparisonSettings):
    """`kd` as a term.

    Attributes:
        temperature: T, in the first epoch where it rises.
        temperature_slope: what T gains with every epoch.
        temperature_max: up to where T rises, 20 by default; counts only where it does.
    """

    description: ClassVar[str] = "soft targets, at a constant or a rising temperature (Hinton et al.)"
    loss: Literal["kd"] = "kd"
    temperature: Positive = 4.0
    temperature_slope: NonNegative = 0.0
    temperature_max: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete_maximum(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        slope, said = content.get("temperature_slope", 0), content.get("temperature_max") is not None
        if not isinstance(slope, int | float):
            return content
        if slope > 0:
            return content if said else {**content, "temperature_max": _MAXIMUM}
        if said:
            raise ValueError("temperature_max does nothing here: it counts only where temperature_slope is above 0")
        return content

    @model_validator(mode="after")
    def _schedule_is_possible(self) -> Self:
        _ = self.schedule
        return self

    @property
    def schedule(self) -> TemperatureSchedule:
        """The temperature over the epochs."""
        maximum = _MAXIMUM if self.temperature_max is None else self.temperature_max
        return TemperatureSchedule(self.temperature, self.temperature_slope, maximum)

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_same_shape(context, rank=1, what="logits")
        return Term(KD(self.schedule.at(0)), pairwise, partial(_set_temperature, self.schedule))


def _set_temperature(schedule: TemperatureSchedule, kd: nn.Module, epoch: int) -> None:
    cast(KD, kd).temperature = schedule.at(epoch)
