"""No distillation: the same training loop and student without a teacher, to measure what the teacher is worth."""

from collections.abc import Mapping

from torch import Tensor

from vskd.distillation.distillers.base import Distiller

TERMS: Mapping[str, float] = {"cross_entropy": 1.0}


class NoDistiller(Distiller):
    """L = w * L_CE.

    Args:
        weights: overrides of `TERMS`.
        label_smoothing: of the cross entropy.
        class_weights: of the cross entropy; None where every class weighs the same.
    """

    def __init__(
        self,
        weights: Mapping[str, float] = TERMS,
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__({**TERMS, **weights}, label_smoothing, class_weights)
