"""The random 80/20 division of clips in published code: what it shares, and what copying scores under it.

No protocol here divides clips so. It is measured as a warning: clips of one group show one person, place or source
video, and a figure under this division is memory of them. Source: the public code of 3-D CNN distillation divides anew,
without a seed, in teacher, student and evaluation; here the mean of `DIVISIONS` seeded divisions is given.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vskd.datasets.images.image_baselines import Pictures, labels_of, nearest_picture, score
from vskd.datasets.recording import Recording
from vskd.datasets.splits.split import UNKNOWN

TEST_SHARE = 0.2
DIVISIONS = 3


@dataclass(frozen=True)
class RandomDivision:
    """Means over the divisions, as fractions.

    Attributes:
        recordings: that were divided.
        groups_in_training: test clips of whose group a clip trains; None where no group is known.
        accuracy, macro_f1, macro_recall: of the nearest training clip's class.
    """

    recordings: int
    groups_in_training: float | None
    accuracy: float
    macro_f1: float
    macro_recall: float


def random_division(
    recordings: Sequence[Recording], pictures: Pictures, label_swap: Sequence[int] | None = None
) -> RandomDivision | None:
    """Divide at random and let the nearest training clip label each test clip; None of fewer than two clips.

    Args:
        recordings: readable ones count.
        pictures: of them.
        label_swap: see `nearest_picture`.
    """
    readable = [r for r in recordings if r.id in pictures.ids]
    if len(readable) < 2:
        return None
    figures, shared = [], []
    for seed in range(DIVISIONS):
        order = [readable[n] for n in np.random.default_rng(seed).permutation(len(readable))]
        tests = math.ceil(TEST_SHARE * len(order))
        test, train = order[:tests], order[tests:]
        said = nearest_picture(pictures.of(train), labels_of(train), pictures.of(test), label_swap)
        figures.append(score(labels_of(test), said))
        groups = {r.group for r in train} - {UNKNOWN}
        shared.append(np.mean([r.group in groups for r in test]))
    known = any(r.group != UNKNOWN for r in readable)
    return RandomDivision(
        recordings=len(readable),
        groups_in_training=float(np.mean(shared)) if known else None,
        accuracy=float(np.mean([f.accuracy for f in figures])),
        macro_f1=float(np.mean([f.macro_f1 for f in figures])),
        macro_recall=float(np.mean([f.macro_recall for f in figures])),
    )
