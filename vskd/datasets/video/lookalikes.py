"""Clips that are there more than once: copies of a file, and the same pictures encoded anew or scaled.

Two clips are the same where their tiny pictures (`tiny_clips`) agree; the distance is the root of their mean squared
difference, at a deviation of 1. How near copies are depends on how much moves: 0.02 to 0.07 of depth clips before one
wall, 0.02 to 0.12 of films of the street, in another codec or at half the size. So does how near others are: 0.06 and
more among the 861 depth clips of UTD-MHAD. Hence two rules: copies are nearer than `NEAR`, or they are nearer than
`FAR` and each is nearer to the other than `GAP` times its distance from any further clip. A copy of very low quality,
at another speed, or of a part of a clip is not found. In UTD-MHAD 8 clips look like another trial of the same person
(standing up, sitting down), none like one of somebody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vskd.datasets.images.image_baselines import Floats, Ints, Rows
from vskd.progress import track

NEAR, FAR, GAP = 0.05, 0.2, 0.4
NEIGHBOURS = 8
"""That are looked at of each clip: of more copies, those of its neighbours lead to the others."""
_BLOCK, _OTHERS = 512, 256
"""Clips that are compared at a time, and with how many."""


@dataclass(frozen=True)
class SameClip:
    """Recordings that are one clip: `same_bytes` where their files are equal, else they look the same.

    `ids` are sorted.
    """

    ids: tuple[str, ...]
    same_bytes: bool


def same_clips(ids: Sequence[str], clips: Rows, contents: Mapping[str, str]) -> tuple[SameClip, ...]:
    """Find clips that are there more than once.

    Args:
        ids: of the clips.
        clips: tiny clips, in the same order.
        contents: hash of each file, by id; of clips that cannot be decoded, too.
    """
    one = {i: i for i in (*ids, *contents)}  # recording -> another one of the same clip, nearer to the first of them

    def first(recording: str) -> str:
        while one[recording] != recording:
            one[recording] = one[one[recording]]
            recording = one[recording]
        return recording

    holder: dict[str, str] = {}
    for recording, content in contents.items():
        one[first(recording)] = first(holder.setdefault(content, recording))
    for row, other in same_rows(clips):
        one[first(ids[other])] = first(ids[row])
    groups: dict[str, list[str]] = {}
    for recording in one:
        groups.setdefault(first(recording), []).append(recording)
    return tuple(
        SameClip(tuple(sorted(group)), len({contents.get(i, i) for i in group}) == 1)
        for group in sorted(map(sorted, groups.values()))
        if len(group) > 1
    )


def same_rows(clips: Rows) -> Iterator[tuple[int, int]]:
    """Pairs of rows, the smaller first, that are one clip by the rules of this module."""
    distances, rows = nearest_rows(clips)
    friends = [near[: _copies(gaps)].tolist() for gaps, near in zip(distances, rows, strict=True)]
    for row, own in enumerate(friends):
        yield from ((row, other) for other in own if row < other and row in friends[other])


def _copies(distances: Floats) -> int:
    """How many of the nearest clips are the same, by their distances, ascending."""
    near = int((distances <= NEAR).sum())
    apart = np.flatnonzero((distances[:-1] <= FAR) & (distances[:-1] <= GAP * distances[1:]))
    return max(near, int(apart[-1]) + 1) if len(apart) else near


def nearest_rows(clips: Rows) -> tuple[Floats, Ints]:
    """Distances of the `NEIGHBOURS` nearest other rows of each row, ascending, and which these are: (n, neighbours).

    Two blocks of rows are in memory at a time.
    """
    count, kept = len(clips), min(NEIGHBOURS, max(len(clips) - 1, 0))
    squares, rows = np.full((count, kept), np.inf, dtype=np.float32), np.zeros((count, kept), dtype=np.int64)
    for top in track(range(0, count, _BLOCK), "Looking for copies"):
        shown = _flat(clips, top, _BLOCK)
        own = slice(top, top + len(shown))
        for left in range(0, count, _OTHERS):
            found = _mean_squares(shown, _flat(clips, left, _OTHERS))
            numbers = np.arange(left, left + found.shape[1])
            found[numbers == np.arange(top, top + len(shown))[:, None]] = np.inf  # none is its own neighbour
            every = np.concatenate([squares[own], found], axis=1)
            order = np.argsort(every, axis=1, kind="stable")[:, :kept]
            squares[own] = np.take_along_axis(every, order, axis=1)
            known = np.concatenate([rows[own], np.broadcast_to(numbers, found.shape)], axis=1)
            rows[own] = np.take_along_axis(known, order, axis=1)
    return np.sqrt(squares), rows


def _mean_squares(ones: Floats, others: Floats) -> Floats:
    """Mean squared difference of each of `ones` and each of `others`, (ones, others)."""
    # that of a and b is the mean of a^2 and of b^2 less twice that of a b
    means = (ones**2).mean(axis=1)[:, None] + (others**2).mean(axis=1)
    squares: Floats = np.maximum(means - 2 * (ones @ others.T) / ones.shape[1], 0)
    return squares


def _flat(clips: Rows, start: int, count: int) -> Floats:
    block = clips[start : start + count]
    return block.reshape(len(block), -1)
