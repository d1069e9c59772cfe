"""Recordings of a sensor that are one movement under two names: cut, shifted, rounded, or with a little noise.

Of each recording up to `ANCHORS` stretches of `LENGTH` samples are looked for at every place of every other one: the
liveliest of each of its equal parts. Two recordings are near copies where at least half of the stretches of one, and
two of them, stand in the other, each sample within `TOLERANCE` times the standard deviation that recordings usually
have. Stretches that hardly move are not looked for: sensors that lie still look alike.

So a row that is missing, another beginning or end, rounding to a thousandth of a g and noise or factors of a
thousandth do not hide a copy. What does: another rate, other axes or signs, a factor or noise beyond that, a filter,
and two pieces of one recording of which neither holds half of the other.

Only places whose projection onto one random direction fits are compared, so that the work grows little faster than the
number of samples.
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
_BLOCK = 1 << 18
"""Places that are compared at a time."""


def near_copies(signals: Mapping[str, Signal]) -> tuple[tuple[str, str], ...]:
    """Pairs of recordings that hold one movement, by the rules of this module; each is named in the order given.

    Args:
        signals: of one stream by id, float32 (channels, samples), all with the same channels; shorter ones than
            `LENGTH` are not compared.
    """
    ids = [i for i, signal in signals.items() if signal.shape[1] >= LENGTH]
    if len(ids) < 2:
        return ()
    places = _Places.of([signals[i] for i in ids])
    if not places.anchors.size:
        return ()  # all of them lie still
    looked_for = Counter(places.owner[places.anchors].tolist())
    found = Counter((one, other) for one, _, other in set(_matches(places)))
    pairs = {
        (min(one, other), max(one, other))
        for (one, other), count in found.items()
        if count >= max(FEWEST, SHARE * looked_for[one])
    }
    return tuple((ids[one], ids[other]) for one, other in sorted(pairs))


@dataclass(frozen=True)
class _Places:
    """All stretches of all recordings.

    Attributes:
        samples: (channels, all samples), the recordings one behind the other.
        starts: (places,) where each stretch begins in `samples`.
        owner: (places,) number of the recording that it is of.
        projection: (places,) of each stretch onto one direction.
        anchors: numbers of the places that are looked for.
        tolerance: in the unit of the samples.
        width: most that the projections of two equal stretches differ by.
    """

    samples: Signal
    starts: Ints
    owner: Ints
    projection: npt.NDArray[np.float64]
    anchors: Ints
    tolerance: float
    width: float

    @classmethod
    def of(cls, signals: list[Signal]) -> "_Places":
        tolerance = TOLERANCE * float(np.median([signal.std(axis=1).max() for signal in signals]))
        direction = np.random.default_rng(0).normal(size=(signals[0].shape[0], LENGTH))
        starts, owner, projection, anchors = [], [], [], []
        first, number = 0, 0
        for k, signal in enumerate(signals):
            stretches = np.lib.stride_tricks.sliding_window_view(signal, LENGTH, axis=1)
            moved = stretches.std(axis=2).max(axis=0)
            parts = np.array_split(np.arange(len(moved)), min(ANCHORS, len(moved)))
            best = np.array([part[moved[part].argmax()] for part in parts])
            anchors.append(number + best[moved[best] > MOVES * tolerance])
            projection.append(np.einsum("cpl,cl->p", stretches, direction))
            starts.append(first + np.arange(len(moved)))
            owner.append(np.full(len(moved), k))
            first, number = first + signal.shape[1], number + len(moved)
        return cls(
            np.concatenate(signals, axis=1),
            np.concatenate(starts),
            np.concatenate(owner),
            np.concatenate(projection),
            np.concatenate(anchors),
            tolerance,
            tolerance * float(np.abs(direction).sum()),
        )

    def stretches(self, places: Ints) -> Signal:
        """(channels, places, LENGTH)."""
        return self.samples[:, self.starts[places, None] + np.arange(LENGTH)]


def _matches(places: _Places) -> Iterator[tuple[int, int, int]]:
    """A recording, the place of its stretch, and another recording in which that stands."""
    for anchors, others in _candidates(places):
        apart = places.owner[anchors] != places.owner[others]
        anchors, others = anchors[apart], others[apart]
        differences = np.abs(places.stretches(anchors) - places.stretches(others)).max(axis=(0, 2))
        same = differences <= places.tolerance
        yield from zip(
            places.owner[anchors[same]].tolist(),
            anchors[same].tolist(),
            places.owner[others[same]].tolist(),
            strict=True,
        )


def _candidates(places: _Places) -> Iterator[tuple[Ints, Ints]]:
    """Anchors, and places whose projection is near theirs; about `_BLOCK` at a time."""
    order = np.argsort(places.projection, kind="stable")
    ranked, wanted = places.projection[order], places.projection[places.anchors]
    low = np.searchsorted(ranked, wanted - places.width, "left")
    counts = np.searchsorted(ranked, wanted + places.width, "right") - low
    bounds = np.searchsorted(np.cumsum(counts), np.arange(0, counts.sum(), _BLOCK), "left")
    for first, behind in zip(bounds, [*bounds[1:], len(counts)], strict=True):
        own = counts[first:behind]
        within = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        yield np.repeat(places.anchors[first:behind], own), order[np.repeat(low[first:behind], own) + within]
