"""What all distillers share."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.soft_target import SoftTarget, TemperatureSchedule
from vskd.network import Outputs


class Distiller(nn.Module):
    """Base of the distillers.

    A term of weight 0 is neither computed nor returned. The teacher's tensors never receive a gradient.

    Args:
        weights: weight of every term by its name.
        label_smoothing: of the cross entropy.
        class_weights: of the cross entropy, (classes,); None where every class weighs the same.

    Attributes:
        weights: the weights that are not 0.
        needs_teacher: some term other than the cross entropy has a weight.
    """

    def __init__(
        self, weights: Mapping[str, float], label_smoothing: float = 0.0, class_weights: Tensor | None = None
    ) -> None:
        super().__init__()
        self.weights = {name: float(weight) for name, weight in weights.items() if weight != 0}
        self.needs_teacher = any(name != "cross_entropy" for name in self.weights)
        self.cross_entropy = CrossEntropy(label_smoothing, class_weights)

    def start_epoch(self, epoch: int) -> None:
        """To be called before the first batch of every training epoch, also after resuming; the base does nothing.

        Args:
            epoch: number of the epoch, from 0.
        """

    def undecayed_parameters(self) -> list[nn.Parameter]:
        """Own parameters that weight decay would falsify, such as learned loss weights."""
        return []

    def forward(
        self, student: Outputs, teacher: Outputs | None, labels: Tensor, positions: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Loss terms of a batch, computed in at least float32 even inside a mixed-precision training.

        Args:
            student: the student's outputs for the batch.
            teacher: the teacher's outputs for the SAME recordings in the same order; None where `needs_teacher` is
                False.
            labels: (batch,) int64.
            positions: (batch,) int64, of every sample in the training list; for distillers with a memory of it.

        Returns:
            Term name -> weighted scalar; the loss is their sum. `term / distiller.weights[name]` is the unweighted one.

        Raises:
            ValueError: the teacher or the positions are needed and missing, or the teacher does not fit the student.
        """
        with torch.autocast(student.logits.device.type, enabled=False):
            terms = self._balanced(self._terms(student, teacher, labels, positions))
        return {name: self.weights[name] * term for name, term in terms.items()}

    def _terms(
        self, student: Outputs, teacher: Outputs | None, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        terms = {}
        if "cross_entropy" in self.weights:
            terms["cross_entropy"] = self.cross_entropy(student.logits, labels)
        if self.needs_teacher:
            if teacher is None:
                raise ValueError(f"{type(self).__name__} needs the teacher's outputs for: {', '.join(self.weights)}")
            features = {name: feature.detach() for name, feature in teacher.features.items()}
            fixed = Outputs(teacher.logits.detach(), teacher.embedding.detach(), features)
            terms.update(self._teacher_terms(student, fixed, labels, positions))
        return terms

    def _teacher_terms(
        self, student: Outputs, teacher: Outputs, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        """Unweighted terms that compare with the teacher; only those in `self.weights`."""
        return {}

    def _balanced(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """A chance to balance the terms before the weights are applied."""
        return terms


class SoftTargetDistiller(Distiller):
    """Base of the distillers with Hinton's soft targets, whose temperature may rise from epoch to epoch.

    Args:
        weights, label_smoothing, class_weights: see `Distiller`.
        temperature: of the soft targets: a number, or a schedule over the epochs.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        temperature: float | TemperatureSchedule,
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__(weights, label_smoothing, class_weights)
        if not isinstance(temperature, TemperatureSchedule):
            temperature = TemperatureSchedule(temperature)
        self.schedule = temperature
        self.soft = SoftTarget(self.schedule.at(0))

    def start_epoch(self, epoch: int) -> None:
        """Set the epoch's temperature."""
        self.soft.temperature = self.schedule.at(epoch)


def feature_pair(name: str, student: Outputs, teacher: Outputs) -> tuple[Tensor, Tensor]:
    """The feature maps of that name.

    Raises:
        ValueError: one of the networks has none; the message lists those it has.
    """
    for who, outputs in (("student", student), ("teacher", teacher)):
        if name not in outputs.features:
            has = ", ".join(outputs.features) or "none"
            raise ValueError(f"this distiller compares the feature map '{name}', but the {who} has {has}")
    return student.features[name], teacher.features[name]


def attention_terms(
    attention: nn.Module, weights: Mapping[str, float], student: Outputs, teacher: Outputs
) -> dict[str, Tensor]:
    """`attention` of the maps "deep" and "shallow", as the terms `deep_attention` and `shallow_attention` of `weights`.

    Raises:
        ValueError: as `feature_pair`.
    """
    return {
        f"{layer}_attention": attention(*feature_pair(layer, student, teacher))
        for layer in ("deep", "shallow")
        if f"{layer}_attention" in weights
    }
