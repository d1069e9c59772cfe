"""What all distillers share."""

from collections.abc import Mapping

from torch import Tensor, nn

from vskd.distillation.losses.cross_entropy import CrossEntropy
from vskd.models.outputs import Outputs


class Distiller(nn.Module):
    """Base of the distillers.

    A term of weight 0 is neither computed nor returned. The teacher's tensors never receive a gradient.

    Args:
        weights: weight of every term by its name.
        label_smoothing: of the cross entropy.

    Attributes:
        weights: the weights that are not 0.
        needs_teacher: some term other than the cross entropy has a weight.
    """

    def __init__(self, weights: Mapping[str, float], label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.weights = {name: float(weight) for name, weight in weights.items() if weight != 0}
        self.needs_teacher = any(name != "cross_entropy" for name in self.weights)
        self.cross_entropy = CrossEntropy(label_smoothing)

    def forward(self, student: Outputs, teacher: Outputs | None, labels: Tensor) -> dict[str, Tensor]:
        """Loss terms of a batch.

        Args:
            student: the student's outputs for the batch.
            teacher: the teacher's outputs for the SAME recordings in the same order; None where `needs_teacher` is
                False.
            labels: (batch,) int64.

        Returns:
            Term name -> weighted scalar; the loss is their sum. `term / distiller.weights[name]` is the unweighted one.

        Raises:
            ValueError: the teacher is needed and missing, or does not fit the student.
        """
        terms = {}
        if "cross_entropy" in self.weights:
            terms["cross_entropy"] = self.cross_entropy(student.logits, labels)
        if self.needs_teacher:
            if teacher is None:
                raise ValueError(f"{type(self).__name__} needs the teacher's outputs for: {', '.join(self.weights)}")
            fixed = Outputs(teacher.logits.detach(), teacher.embedding.detach())
            terms.update(self._teacher_terms(student, fixed))
        return {name: self.weights[name] * term for name, term in terms.items()}

    def _teacher_terms(self, student: Outputs, teacher: Outputs) -> dict[str, Tensor]:
        """Unweighted terms that compare with the teacher; only those in `self.weights`."""
        return {}
