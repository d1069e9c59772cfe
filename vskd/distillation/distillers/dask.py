"""DASK: Distance and Angle-wised Semantic Knowledge, the distiller of VSKD."""

from collections.abc import Mapping

from torch import Tensor, nn

from vskd.distillation.distillers.base import SoftTargetDistiller
from vskd.losses.angle import Angle
from vskd.losses.distance import Distance
from vskd.losses.semantic import Semantic
from vskd.losses.soft_target import TemperatureSchedule
from vskd.network import Outputs

TERMS: Mapping[str, float] = {"cross_entropy": 1.0, "soft": 0.01, "semantic": 1.0, "distance": 1.0, "angle": 1.0}


class Dask(SoftTargetDistiller):
    """L = L_CE + 0.01 * L_soft + L_sem + L_D + L_A by default; all weights are free.

    Source: Ni, Sarbajna, Liu, Ngu & Yan, "Cross-modal Knowledge Distillation for Vision-to-Sensor Action Recognition",
    ICASSP 2022 (arXiv 2112.01849).

    Points of deviation from the original implementation: the published script has three of the terms commented out and
    adds attention transfer on the embeddings; here all five terms of the paper are present. Where the embeddings differ
    in width, a trained Linear maps the student's to the teacher's for L_sem; L_D and L_A need no equal widths and
    always compare the embeddings themselves.

    Args:
        student_width, teacher_width: of the embeddings.
        weights: overrides of `TERMS`.
        temperature: of the soft targets: a number, or a schedule over the epochs.
        label_smoothing: of the cross entropy.
        class_weights: of the cross entropy; None where every class weighs the same.
    """

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        weights: Mapping[str, float] = TERMS,
        temperature: float | TemperatureSchedule = 4.0,
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__({**TERMS, **weights}, temperature, label_smoothing, class_weights)
        self.semantic, self.distance, self.angle = Semantic(), Distance(), Angle()
        # Without a semantic term the projector would be a parameter that never receives a gradient.
        unused = student_width == teacher_width or "semantic" not in self.weights
        self.projector: nn.Module = nn.Identity() if unused else nn.Linear(student_width, teacher_width)

    def _teacher_terms(
        self, student: Outputs, teacher: Outputs, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        terms = {}
        if "soft" in self.weights:
            terms["soft"] = self.soft(student.logits, teacher.logits)
        if "semantic" in self.weights:
            terms["semantic"] = self.semantic(self.projector(student.embedding), teacher.embedding)
        if "distance" in self.weights:
            terms["distance"] = self.distance(student.embedding, teacher.embedding)
        if "angle" in self.weights:
            terms["angle"] = self.angle(student.embedding, teacher.embedding)
        return terms
