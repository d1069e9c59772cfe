"""Quantized models of one student, among which the one that is shipped is chosen."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from vskd.bundle.contract import RangeEstimator
from vskd.export.scoring import Measurement

Inspect = Callable[[bytes, bytes], None]
"""(float model, int8 model made of it) -> nothing."""


@dataclass(frozen=True)
class FineTuning:
    """Training under simulated int8.

    Attributes:
        train: (module that gives logits, how ranges are estimated) -> the module with trained weights.
        always: also where quantization alone stays within the budget.
    """

    train: Callable[[nn.Module, RangeEstimator], nn.Module]
    always: bool = False


@dataclass(frozen=True)
class Candidate:
    """A quantized model, its figures, and the float model that it was made from."""

    content: bytes
    range_estimator: RangeEstimator
    measured: Measurement
    float_model: bytes = b""
    fine_tuned: bool = False

    @property
    def name(self) -> str:
        """How it was made."""
        return f"{self.range_estimator}, fine-tuned" if self.fine_tuned else self.range_estimator

    @property
    def rank(self) -> tuple[float, float, float]:
        """Greater is better: same class as the float network, then accuracy, then closeness of the logits."""
        parity = self.measured.parity
        return parity.argmax_agreement, self.measured.accuracy, -parity.mean_abs_error
