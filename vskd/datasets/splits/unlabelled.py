"""Recordings without a label in a split: they train, where a teacher speaks of them, and never validate or test."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence

from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.split import Split, checked

logger = logging.getLogger(__name__)


def with_unlabelled(index: Index, split: Split, assigned: Sequence[str]) -> tuple[Index, Split]:
    """The index and the split with the recordings without a label that the protocol assigns to training.

    Args:
        index: of recordings with a label, and beside them those without.
        split: of those with a label.
        assigned: ids of the protocol's training part, of all recordings.

    Raises:
        ProtocolError: nobody knows whose one is, where the protocol keeps subjects apart.
    """
    every = index.everything
    bare = frozenset(r.id for r in index.unlabelled)
    train = tuple(sorted({*split.train, *bare.intersection(assigned)}))
    split = checked(dataclasses.replace(split, train=train), every)
    left_out = sorted(bare - set(train))
    if left_out:
        logger.warning(
            "%d recordings without a label are not of the protocol's training part and are left out", len(left_out)
        )
    return every, split


def beside_validation(carved: Split, bare: Sequence[str], recordings: Mapping[str, Recording]) -> Split:
    """A split from which validation was carved, with recordings without a label of people who do not validate.

    Args:
        carved: of recordings with a label.
        bare: ids of those of the training part without one.
        recordings: by id.
    """
    apart = {recordings[i].subject for i in carved.validation} if carved.disjoint == "subject" else frozenset()
    kept = [i for i in bare if recordings[i].subject not in apart]
    return dataclasses.replace(carved, train=tuple(sorted({*carved.train, *kept})))
