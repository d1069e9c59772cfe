"""KRCA: knowledge of labels, of classes, of sample relations and of attention between layers, with learned weights."""

from collections.abc import Mapping

from torch import Tensor, nn

from vskd.distillation.distillers.base import Distiller, attention_terms
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.decoupled import NonTarget, Target
from vskd.losses.sample_relation import SampleRelation
from vskd.losses.uncertainty import Uncertainty
from vskd.network import Outputs

TERMS: Mapping[str, float] = {
    "cross_entropy": 0.7,
    "target": 1.0,
    "non_target": 8.0,
    "sample_relation": 1.0,
    "deep_attention": 0.5,
    "shallow_attention": 0.5,
}


class KRCA(Distiller):
    """L = sum over the terms k of weight_k * (0.5 / w_k^2 * l_k + log(1 + w_k^2)), w_k learned.

    Terms: cross entropy (HL), decoupled soft targets `target` and `non_target` (SL), `sample_relation` by CRCD on the
    embeddings (SR), and attention transfer on the maps "deep" and "shallow" (IA). An ablation sets the weights of the
    others to 0.

    Source: the public repository of KRCA, by its formulas and weights.

    Points of deviation from the original implementation:
        - attention: parameter-free maps instead of gates that are trained on both sides, for which two constants are a
          perfect solution;
        - alignment: pooled embeddings and maps averaged to a common size, no linear layers on flattened maps (there 95
          million parameters);
        - uncertainty weights: one for every term; there one for both soft targets together, and one of two for the
          attentions receives no gradient. The fixed weights stand outside, so that they keep their meaning;
        - see also the losses.

    Args:
        student_width, teacher_width: of the embeddings.
        samples: size of the training list; needed where `sample_relation` has a weight.
        weights: overrides of `TERMS`.
        temperature: of the decoupled soft targets.
        label_smoothing, class_weights: of the cross entropy.
        seed: of the sample relation's memories and negatives.

    Raises:
        ValueError: `sample_relation` has a weight and samples is below 2.
    """

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        samples: int,
        weights: Mapping[str, float] = TERMS,
        temperature: float = 4.0,
        label_smoothing: float = 0.0,
        class_weights: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__({**TERMS, **weights}, label_smoothing, class_weights)
        self.target, self.non_target = Target(temperature), NonTarget(temperature)
        self.attention = AttentionTransfer()
        related = "sample_relation" in self.weights
        self.sample_relation = SampleRelation(student_width, teacher_width, samples, seed=seed) if related else None
        self.uncertainty = Uncertainty(self.weights)

    def undecayed_parameters(self) -> list[nn.Parameter]:
        """The uncertainty weights."""
        return list(self.uncertainty.parameters())

    def _teacher_terms(
        self, student: Outputs, teacher: Outputs, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        terms = {}
        if "target" in self.weights:
            terms["target"] = self.target(student.logits, teacher.logits, labels)
        if "non_target" in self.weights:
            terms["non_target"] = self.non_target(student.logits, teacher.logits, labels)
        if self.sample_relation is not None:
            if positions is None:
                raise ValueError("the term sample_relation needs the samples' positions in the training list")
            terms["sample_relation"] = self.sample_relation(student.embedding, teacher.embedding, positions)
        return terms | attention_terms(self.attention, self.weights, student, teacher)

    def _balanced(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        return self.uncertainty(terms)  # type: ignore[no-any-return]  # modules are called without types
