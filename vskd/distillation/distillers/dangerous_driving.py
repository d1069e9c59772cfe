"""The distiller of the dangerous-driving system: labels, soft targets, a hint and attention."""

from collections.abc import Mapping

from torch import Tensor

from vskd.distillation.distillers.base import SoftTargetDistiller, attention_terms, feature_pair
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.hint import Hint
from vskd.losses.soft_target import TemperatureSchedule
from vskd.network import Outputs

TERMS: Mapping[str, float] = {
    "cross_entropy": 0.3,
    "soft": 0.7,
    "hint": 0.3,
    "deep_attention": 1.0,
    "shallow_attention": 1.0,
}


class DangerousDriving(SoftTargetDistiller):
    """L = a * L_CE + (1 - a) * T^2 * KL + b * L_hint + c * (L_attention deep + L_attention shallow).

    By default a = 0.3, b = 0.3, c = 1; all weights are free. The hint compares the maps "deep" through a trained 1x1
    convolution; T may rise from epoch to epoch.

    Source: the public repository and text of the dangerous-driving system (EfficientNetV2-S teaches MobileNetV3-Small).

    Points of deviation from the original implementation: the notebook's loss that ran lacks the factor T^2, its rising
    temperature is computed but not used, and its comparison of features has shapes that do not fit; attention transfer
    and class weights are in the text only.

    Args:
        student_channels, teacher_channels: of the maps "deep"; any number where `hint` has no weight.
        weights: overrides of `TERMS`.
        temperature: of the soft targets: a number, or a schedule over the epochs.
        label_smoothing, class_weights: of the cross entropy.
    """

    def __init__(
        self,
        student_channels: int,
        teacher_channels: int,
        weights: Mapping[str, float] = TERMS,
        temperature: float | TemperatureSchedule = 7.0,
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__({**TERMS, **weights}, temperature, label_smoothing, class_weights)
        self.hint = Hint(student_channels, teacher_channels) if "hint" in self.weights else None
        self.attention = AttentionTransfer()

    def _teacher_terms(
        self, student: Outputs, teacher: Outputs, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        terms = {}
        if "soft" in self.weights:
            terms["soft"] = self.soft(student.logits, teacher.logits)
        if self.hint is not None:
            terms["hint"] = self.hint(*feature_pair("deep", student, teacher))
        return terms | attention_terms(self.attention, self.weights, student, teacher)
