"""Plain knowledge distillation on the logits."""

from collections.abc import Mapping

from torch import Tensor

from vskd.distillation.distillers.base import Distiller
from vskd.distillation.losses.soft_target import SoftTarget
from vskd.models.outputs import Outputs

TERMS: Mapping[str, float] = {"cross_entropy": 0.1, "soft": 0.9}


class KD(Distiller):
    """L = (1 - alpha) * L_CE + alpha * L_soft with alpha = 0.9 by default; both weights are free.

    Source: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531); the default
    weights are those of Tian, Krishnan & Isola, "Contrastive Representation Distillation", ICLR 2020.

    Args:
        weights: overrides of `TERMS`.
        temperature: of the soft targets.
        label_smoothing: of the cross entropy.
    """

    def __init__(
        self, weights: Mapping[str, float] = TERMS, temperature: float = 4.0, label_smoothing: float = 0.0
    ) -> None:
        super().__init__({**TERMS, **weights}, label_smoothing)
        self.soft = SoftTarget(temperature)

    def _teacher_terms(self, student: Outputs, teacher: Outputs) -> dict[str, Tensor]:
        return {"soft": self.soft(student.logits, teacher.logits)}
