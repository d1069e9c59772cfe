"""What contrastive losses share: a memory of every training sample, candidates drawn from it, and the contrast."""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.losses.shapes import require_same_batch
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise_placed
from vskd.schema import BelowOne, Count, Positive


class MemoryBank(nn.Module):
    """The last embedding of every training sample as a unit vector, and the normaliser Z of the scores against it.

    Everything is a buffer, so that a training that is resumed repeats itself exactly.

    Args:
        samples: size of the training list.
        width: of the vectors.
        seed: of the initial, random vectors.
    """

    vectors: Tensor
    log_z: Tensor

    def __init__(self, samples: int, width: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("vectors", F.normalize(torch.randn(samples, width, generator=generator)))
        self.register_buffer("log_z", torch.tensor(math.nan))

    def normalised(self, scores: Tensor, seen: Tensor, temperature: float) -> Tensor:
        """log P = score / temperature - log Z. Z = samples * mean of exp(score / temperature) of the first batch with
        anything to be seen, and then stays.

        Args:
            scores: (..., candidates).
            seen: mask of the leading dimensions, or of all: which scores count in Z.
            temperature: above 0.
        """
        logits = scores / temperature
        if not bool(self.log_z.isnan()):
            return logits - self.log_z
        counted = logits.detach()[seen]
        if counted.numel() == 0:
            return logits
        log_z = counted.logsumexp(dim=tuple(range(counted.ndim))) - math.log(counted.numel() / len(self.vectors))
        if self.training:
            self.log_z.copy_(log_z)
        return logits - log_z

    @torch.no_grad()
    def update(self, positions: Tensor, embedding: Tensor, momentum: float) -> None:
        """M <- normalised(momentum * M + (1 - momentum) * e); several samples at one position are averaged."""
        rows, inverse = torch.unique(positions, return_inverse=True)
        totals = embedding.new_zeros(len(rows), embedding.shape[1])
        mean = totals.index_add(0, inverse, embedding) / inverse.bincount().unsqueeze(1)
        self.vectors[rows] = F.normalize(momentum * self.vectors[rows] + (1 - momentum) * mean)


Bank = TypeVar("Bank", bound=MemoryBank)


def drawn_candidates(positions: Tensor, samples: int, negatives: int, seed: int, call: int) -> Tensor:
    """(batch,) -> (batch, 1 + negatives): the sample itself, then others, never itself, drawn with replacement.

    Args:
        positions: of the samples in the training list.
        samples: size of the training list.
        negatives: how many others.
        seed, call: what the draw depends on, so that a resumed training repeats it.
    """
    # torch's generator reads the low 32 bits of a seed only, so the two numbers are mixed first.
    mixed = np.random.SeedSequence([seed, call]).generate_state(1).item()
    generator = torch.Generator().manual_seed(mixed)
    drawn = torch.randint(samples - 1, (len(positions), negatives), generator=generator).to(positions.device)
    own = positions.unsqueeze(1)
    return torch.cat([own, drawn + (drawn >= own)], dim=1)


class MemoryContrast(nn.Module, Generic[Bank]):
    """A loss that contrasts each side with the other's memory; a subclass says how, in `contrast`.

    Args:
        name: for messages.
        student_width, teacher_width: of the embeddings.
        samples: size of the training list.
        width: of the vectors in the memories.
        negatives: others that each sample is contrasted with; never more than `samples` - 1.
        temperature, momentum: of the contrast, and of the memories' update.
        seed: of the initial memories and the draw.
        bank: makes a memory.

    Raises:
        ValueError: fewer than two samples, or a temperature that is not positive.
    """

    call: Tensor

    def __init__(
        self,
        name: str,
        student_width: int,
        teacher_width: int,
        samples: int,
        width: int,
        negatives: int,
        temperature: float,
        momentum: float,
        seed: int,
        bank: type[Bank],
    ) -> None:
        super().__init__()
        if samples < 2:
            raise ValueError(f"{name} needs the size of the training list, at least 2, not {samples}")
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        self.student, self.teacher = nn.Linear(student_width, width), nn.Linear(teacher_width, width)
        self.student_bank, self.teacher_bank = bank(samples, width, seed), bank(samples, width, seed + 1)
        self.register_buffer("call", torch.tensor(0))
        self._name, self._samples, self._negatives = name, samples, min(negatives, samples - 1)
        self._temperature, self._momentum, self._seed = temperature, momentum, seed

    def forward(self, student_embedding: Tensor, teacher_embedding: Tensor, positions: Tensor) -> Tensor:
        """Loss of a batch; in training mode the memories then take the batch in."""
        require_same_batch(self._name, student_embedding, teacher_embedding)
        require_positions(self._name, positions, len(student_embedding), self._samples)
        student = unit(self.student, student_embedding)
        teacher = unit(self.teacher, teacher_embedding)
        candidates = self.candidates(positions)
        loss = self.contrast(self.teacher_bank, student, positions, candidates)
        loss = loss + self.contrast(self.student_bank, teacher, positions, candidates)
        if self.training:
            self.student_bank.update(positions, student.detach(), self._momentum)
            self.teacher_bank.update(positions, teacher.detach(), self._momentum)
            self.call += 1
        return loss

    def candidates(self, positions: Tensor) -> Tensor:
        """(batch,) -> (batch, 1 + K): the sample itself, then K others drawn with replacement."""
        return drawn_candidates(positions, self._samples, self._negatives, self._seed, int(self.call))

    @abstractmethod
    def contrast(self, bank: Bank, query: Tensor, positions: Tensor, candidates: Tensor) -> Tensor:
        """Loss of the vectors of one side (batch, width) against the memory of the other."""


def noise_contrast(log_p: Tensor, samples: int) -> Tensor:
    """-log(P_0 / (P_0 + K / n)) - sum_k log((K / n) / (P_k + K / n)): (..., 1 + K) -> (...); n is `samples`."""
    log_noise = math.log((log_p.shape[-1] - 1) / samples)
    own = F.softplus(log_noise - log_p[..., 0])
    others = F.softplus(log_p[..., 1:] - log_noise).sum(dim=-1)
    return own + others


def unit(projector: nn.Linear, embedding: Tensor) -> Tensor:
    """Projected unit vectors in at least float32; the zero vector stays zero."""
    projected = projector(embedding.to(projector.weight.dtype))
    return F.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), eps=1e-6)


def require_positions(what: str, positions: Tensor, batch: int, samples: int) -> None:
    """Refuse positions that are not those of a batch in a training list.

    Raises:
        ValueError: another number than samples in the batch, or one outside the list.
    """
    if positions.shape != (batch,):
        raise ValueError(f"{what}: {batch} samples, but positions {tuple(positions.shape)}")
    if batch and not (positions.min().item() >= 0 and positions.max().item() < samples):
        raise ValueError(f"{what}: positions must be in the training list of {samples} samples")


class ContrastSettings(ComparisonSettings):
    """Settings of a `MemoryContrast` as a term, a subclass of which names its `module` and its own defaults.

    Attributes:
        module: the loss.
        width, negatives, temperature, momentum: as of `MemoryContrast`.
    """

    needs_positions: ClassVar[bool] = True
    module: ClassVar[Callable[..., MemoryContrast[Any]]]
    student_layer: str = "embedding"
    teacher_layer: str = "embedding"
    width: Count
    negatives: Count
    temperature: Positive = 0.07
    momentum: BelowOne = 0.5

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        (student,), (teacher,) = self.require_rank(context, 1, "embeddings")
        if context.samples < 2:
            raise SettingError(
                f"Loss term '{self.title}' needs 2 training samples or more, not {context.samples}",
                "Set its weight to 0, or give more training data",
            )
        loss = type(self).module(
            student,
            teacher,
            context.samples,
            width=self.width,
            negatives=self.negatives,
            temperature=self.temperature,
            momentum=self.momentum,
            seed=context.seed,
        )
        return Term(loss, pairwise_placed)
