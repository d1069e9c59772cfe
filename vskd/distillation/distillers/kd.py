"""Plain knowledge distillation on the logits."""

from collections.abc import Mapping

from torch import Tensor

from vskd.distillation.distillers.base import SoftTargetDistiller
from vskd.losses.soft_target import TemperatureSchedule
from vskd.network import Outputs

TERMS: Mapping[str, float] = {"cross_entropy": 0.1, "soft": 0.9}


class KD(SoftTargetDistiller):
    """L = (1 - alpha) * L_CE + alpha * L_soft with alpha = 0.9 by default; both weights are free.

    Source: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531); the default
    weights are those of Tian, Krishnan & Isola, "Contrastive Representation Distillation", ICLR 2020.

    Args:
        weights: overrides of `TERMS`.
        temperature: of the soft targets: a number, or a schedule over the epochs.
        label_smoothing: of the cross entropy.
        class_weights: of the cross entropy; None where every class weighs the same.
    """

    def __init__(
        self,
        weights: Mapping[str, float] = TERMS,
        temperature: float | TemperatureSchedule = 4.0,
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__({**TERMS, **weights}, temperature, label_smoothing, class_weights)

    def _teacher_terms(
        self, student: Outputs, teacher: Outputs, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        return {"soft": self.soft(student.logits, teacher.logits)}
