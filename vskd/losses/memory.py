"""What contrastive losses share: a memory of every training sample, candidates drawn from it, and the contrast."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        self.register_buffer("vectors", F.normalize(torch.randn(samples, width, generator=generator), dim=1))
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
        totals = torch.zeros(len(rows), embedding.shape[1], device=embedding.device, dtype=embedding.dtype)
        mean = totals.index_add(0, inverse, embedding) / inverse.bincount(minlength=len(rows)).unsqueeze(1)
        self.vectors[rows] = F.normalize(momentum * self.vectors[rows] + (1 - momentum) * mean, dim=1)


def drawn_candidates(positions: Tensor, samples: int, negatives: int, seed: int, call: int) -> Tensor:
    """(batch,) -> (batch, 1 + negatives): the sample itself, then others, never itself, drawn with replacement.

    Args:
        positions: of the samples in the training list.
        samples: size of the training list.
        negatives: how many others.
        seed, call: what the draw depends on, so that a resumed training repeats it.
    """
    # torch's generator reads the low 32 bits of a seed only, so the two numbers are mixed first.
    mixed = np.random.SeedSequence([seed, call]).generate_state(1)
    generator = torch.Generator().manual_seed(int(mixed[0]))
    drawn = torch.randint(samples - 1, (len(positions), negatives), generator=generator).to(positions.device)
    own = positions.unsqueeze(1)
    return torch.cat([own, drawn + (drawn >= own)], dim=1)


def noise_contrast(log_p: Tensor, samples: int) -> Tensor:
    """-log(P_0 / (P_0 + K / n)) - sum_k log((K / n) / (P_k + K / n)): (..., 1 + K) -> (...); n is `samples`."""
    log_noise = math.log((log_p.shape[-1] - 1) / samples)
    own = F.softplus(log_noise - log_p[..., 0])
    others = F.softplus(log_p[..., 1:] - log_noise).sum(dim=-1)
    return own + others


def unit(projector: nn.Linear, embedding: Tensor) -> Tensor:
    """Projected unit vectors in at least float32; the zero vector stays zero."""
    projected = projector(embedding.to(projector.weight.dtype))
    return F.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=1, eps=1e-6)


def require_positions(what: str, positions: Tensor, batch: int, samples: int) -> None:
    """Refuse positions that are not those of a batch in a training list.

    Raises:
        ValueError: another number than samples in the batch, or one outside the list.
    """
    if positions.shape != (batch,):
        raise ValueError(f"{what}: {batch} samples, but positions {tuple(positions.shape)}")
    if batch and not (positions.min().item() >= 0 and positions.max().item() < samples):
        raise ValueError(f"{what}: positions must be in the training list of {samples} samples")
