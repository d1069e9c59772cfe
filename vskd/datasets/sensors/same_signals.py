"""Recordings of a sensor that are one movement under two names: cut, shifted, rounded, or with a little noise.

Of each recording up to `ANCHORS` stretches of `LENGTH` samples are looked for at every place of every other one: the
liveliest of each of its equal parts. Two recordings are near copies where at least half of the stretches of one, and
two of them, stand in the other, each sample within `TOLERANCE` times the standard deviation that recordings usually
have. Stretches that hardly move are not looked for: sensors that lie still look alike.

So a row that is missing, another beginning or end, rounding to a thousandth of a g and noise or factors of a
thousandth do not hide a copy. What does: another rate, other axes or signs, a factor or noise beyond that, a filter,
and two pieces of one recording of which neither holds half of the other.

Only places whose projection onto one random direction fits are compared, so that the work grows little faster than the
number of samples. Each recording is asked for twice, and of all the others only what is looked for is held.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LENGTH, ANCHORS = 16, 8
TOLERANCE = 1e-3
MOVES = 30.0
"""Standard deviation of a stretch that is looked for, in tolerances."""
FEWEST, SHARE = 2, 0.5
"""Stretches of one recording that must stand in the other: so many, and this share of them."""
_BLOCK = 1 << 16
"""Places that are looked at, and that are compared, at a time."""


def near_copies(signals: Mapping[str, Signal]) -> tuple[tuple[str, str], ...]:
    """Pairs of recordings that hold one movement, by the rules of this module; each is named in the order given.

    Args:
        signals: of one stream by id, float32 (channels, samples), all with the same channels; shorter ones than
            `LENGTH` are not compared. Each is taken out of the mapping twice, and let go.
    """
    lively = [(i, *_liveliest(signal)) for i, signal in signals.items() if signal.shape[1] >= LENGTH]
    if len(lively) < 2:
        return ()
    anchors = _Anchors.of(lively)
    if not len(anchors.owner):
        return ()  # all of them lie still
    looked_for = Counter(anchors.owner.tolist())
    found = Counter(
        (int(anchors.owner[anchor]), other)
        for other, (i, *_) in enumerate(lively)
        for anchor in anchors.standing_in(signals[i])
        if anchors.owner[anchor] != other
    )
    pairs = {
        (min(one, other), max(one, other))
        for (one, other), count in found.items()
        if count >= max(FEWEST, SHARE * looked_for[one])
    }
    return tuple((lively[one][0], lively[other][0]) for one, other in sorted(pairs))


def _liveliest(signal: Signal) -> tuple[float, Signal, npt.NDArray[np.float32]]:
    """Standard deviation of a recording; the liveliest stretch of each of its equal parts; and how lively that is."""
    moved = np.concatenate([block.std(axis=2).max(axis=0) for block in _blocks(signal)])
    parts = np.array_split(np.arange(len(moved)), min(ANCHORS, len(moved)))
    best = np.array([part[moved[part].argmax()] for part in parts])
    return float(signal.std(axis=1).max()), _stretches(signal)[:, best].copy(), moved[best]


def _stretches(signal: Signal) -> Signal:
    """(channels, places, LENGTH), a view."""
    return np.lib.stride_tricks.sliding_window_view(signal, LENGTH, axis=1)


def _blocks(signal: Signal) -> Iterator[Signal]:
    """The stretches, so many at a time: what is computed of them takes `LENGTH` times the memory of samples."""
    stretches = _stretches(signal)
    for first in range(0, stretches.shape[1], _BLOCK):
        yield stretches[:, first : first + _BLOCK]


@dataclass(frozen=True)
class _Anchors:
    """The stretches that are looked for, in order of their projections.

    Attributes:
        stretches: (channels, anchors, LENGTH).
        owner: (anchors,) number of the recording that each is of.
        projection: (anchors,) of each onto `direction`.
        direction: (channels, LENGTH).
        tolerance: in the unit of the samples.
    """

    stretches: Signal
    owner: Ints
    projection: npt.NDArray[np.float64]
    direction: npt.NDArray[np.float64]
    tolerance: float

    @classmethod
    def of(cls, lively: list[tuple[str, float, Signal, npt.NDArray[np.float32]]]) -> "_Anchors":
        """Of what `_liveliest` gave of each recording, those that move."""
        tolerance = TOLERANCE * float(np.median([deviation for _, deviation, _, _ in lively]))
        stretches = np.concatenate([best for _, _, best, _ in lively], axis=1)
        owner = np.repeat(np.arange(len(lively)), [len(moved) for *_, moved in lively])
        moves = np.concatenate([moved for *_, moved in lively]) > MOVES * tolerance
        direction = np.random.default_rng(0).normal(size=(stretches.shape[0], LENGTH))
        projection = np.einsum("cpl,cl->p", stretches, direction)
        order = np.argsort(projection, kind="stable")
        order = order[moves[order]]
        return cls(stretches[:, order], owner[order], projection[order], direction, tolerance)

    def standing_in(self, signal: Signal) -> set[int]:
        """Numbers of the anchors that stand somewhere in a recording."""
        found: set[int] = set()
        width = self.tolerance * float(np.abs(self.direction).sum())  # most that two equal stretches differ by
        for block in _blocks(signal):
            projection = np.einsum("cpl,cl->p", block, self.direction)
            low = np.searchsorted(self.projection, projection - width, "left")
            counts = np.searchsorted(self.projection, projection + width, "right") - low
            for places, anchors in _candidates(low, counts):
                # by their first samples alone: few are left to be compared whole
                alike = np.abs(block[:, places, 0] - self.stretches[:, anchors, 0]).max(axis=0) <= self.tolerance
                places, anchors = places[alike], anchors[alike]
                differences = np.abs(block[:, places] - self.stretches[:, anchors]).max(axis=(0, 2))
                found.update(anchors[differences <= self.tolerance].tolist())
        return found


def _candidates(low: Ints, counts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Places, and numbers of anchors whose projection is near theirs; about `_BLOCK` at a time.

    Args:
        low, counts: (places,) the first such anchor, and how many there are.
    """
    if not counts.any():
        return
    bounds = np.searchsorted(np.cumsum(counts), np.arange(0, counts.sum(), _BLOCK), "left")
    for first, behind in zip(bounds, [*bounds[1:], len(counts)], strict=True):
        own = counts[first:behind]
        within = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        yield np.repeat(np.arange(first, behind), own), np.repeat(low[first:behind], own) + within
