"""Contrastive representation distillation (CRD): student and teacher are to agree on which sample this is."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from vskd.losses.memory import ContrastSettings, MemoryBank, MemoryContrast, noise_contrast
from vskd.schema import Count


class CRD(MemoryContrast[MemoryBank]):
    """CRD: the student's vector is to be near the teacher's of the same sample and far from those of others.

    e = l2norm(Linear(embedding)) for each side, and a memory M of unit vectors for each. With candidates k (the sample
    itself first, then K others at random)
        P_k = exp(<e_student, M_teacher[k]> / tau) / Z,
        l = -log(P_0 / (P_0 + K / n)) - sum_k log((K / n) / (P_k + K / n)),
    averaged over the batch; plus the same with student and teacher swapped. n is the size of the training list. Z is
    estimated on the first batch and then frozen.

    Source: Tian, Krishnan & Isola, "Contrastive Representation Distillation", ICLR 2020 (arXiv 1910.10699), equation
    18 and the public code's noise-contrastive form with two memories.

    Points of deviation from the public code: the others are drawn from all other samples, also of the same class (there
    from other classes), so that recordings without a label can be learned from; logarithms of P are computed directly,
    without 1e-7 in the denominators; the draw depends on (seed, number of the call), kept in the state; memories are
    updated in training mode only, after the loss.

    Args:
        student_width, teacher_width: of the embeddings.
        samples: size of the training list, n.
        width: of e.
        negatives: K; never more than n - 1. The public code has 16,384 on 50,000 images.
        temperature: tau.
        momentum: of the memory's update.
        seed: of the initial memories and the negatives.

    Shape:
        student_embedding: (batch, student_width), teacher_embedding: (batch, teacher_width); positions: (batch,) int64
        in the training list; output: scalar.

    Raises:
        ValueError: fewer than two samples, a temperature that is not positive, embeddings of different batches, or a
            position outside the training list.

    Examples:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> loss = CRD(student_width=4, teacher_width=6, samples=100, negatives=16)
        >>> value = loss(torch.randn(8, 4), torch.randn(8, 6), positions=torch.arange(8))
        >>> value.shape, bool(value > 0)
        (torch.Size([]), True)
    """

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        samples: int,
        *,
        width: int = 128,
        negatives: int = 4096,
        temperature: float = 0.07,
        momentum: float = 0.5,
        seed: int = 0,
    ) -> None:
        widths = student_width, teacher_width
        super().__init__("CRD", *widths, samples, width, negatives, temperature, momentum, seed, MemoryBank)

    def contrast(self, bank: MemoryBank, query: Tensor, positions: Tensor, candidates: Tensor) -> Tensor:
        """See `MemoryContrast`."""
        scores = torch.einsum("bw,bkw->bk", query, bank.vectors[candidates])
        everything = torch.ones_like(positions, dtype=torch.bool)
        log_p = bank.normalised(scores, everything, self._temperature)
        return noise_contrast(log_p, self._samples).mean()


class CRDSettings(ContrastSettings):
    """`crd` as a term; `width`, `negatives`, `temperature` and `momentum` as of `CRD`."""

    description: ClassVar[str] = "CRD: which training sample this is, by contrast with a memory (Tian et al.)"
    module: ClassVar[type[CRD]] = CRD
    loss: Literal["crd"] = "crd"
    width: Count = 128
    negatives: Count = 4096
