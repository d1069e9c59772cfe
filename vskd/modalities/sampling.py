"""In which order, and how often, an epoch shows its samples."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Sampling = Literal["natural", "balanced"]
Positions = npt.NDArray[np.int64]


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed for one epoch of one run, well mixed, the same on every machine."""
    (number,) = np.random.SeedSequence([seed, epoch]).generate_state(1)
    return int(number)


def epoch_order(labels: Sequence[int], seed: int | None, sampling: Sampling = "natural") -> Positions:
    """Positions of samples in the order of an epoch, as many as there are samples.

    Args:
        labels: class number of each sample.
        seed: None gives all samples in order, whatever `sampling` says.
        sampling: `natural` shows every sample once. `balanced` shows every class equally often, give or take one: of a
            rare class all samples again and again, of a frequent one a random part.
    """
    if seed is None:
        return np.arange(len(labels))
    generator = np.random.default_rng(seed)
    if sampling == "natural":
        return generator.permutation(len(labels))
    classes, members = np.unique(np.asarray(labels), return_inverse=True)
    shares = np.full(len(classes), len(labels) // len(classes))
    shares[generator.permutation(len(classes))[: len(labels) % len(classes)]] += 1
    drawn = [_draw(np.flatnonzero(members == k), int(share), generator) for k, share in enumerate(shares)]
    return generator.permutation(np.concatenate(drawn))


def _draw(positions: Positions, count: int, generator: np.random.Generator) -> Positions:
    """`count` of `positions`, each as often as any other, give or take one."""
    rounds = [generator.permutation(positions) for _ in range(-(-count // len(positions)))]
    return np.concatenate([*rounds, positions[:0]])[:count]


def in_batches(order: Positions, batch_size: int) -> list[Positions]:
    """Cut an epoch into batches of nearly equal size, so that none is lost or alone."""
    return np.array_split(order, max(1, -(-len(order) // batch_size)))
