"""Leakage of one split: what its parts share, how near their images or clips are, and what copying would score.

Published figures of driver monitoring above 99 % come from random divisions of video frames, in which nearly every test
frame has a training frame beside it; those of clips from random divisions that put clips of one person or source video
on both sides. This measures that for any split, before a network is trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vskd.datasets.images.image_baselines import (
    Ints,
    Nearest,
    Pictures,
    Scores,
    labels_of,
    majority,
    nearest_frames,
    nearest_picture,
    score,
)
from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.audit import split_gaps
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import SplitFacts, split_facts

MAJORITY, NEAREST_FRAME, NEAREST_PIXELS = "majority class", "nearest frame's label", "nearest in pixels"
PICTURED = ("image", "video")
"""Kinds of streams of which it is worth a note that frames or pixels are not compared; others have none."""


@dataclass(frozen=True)
class FoldAudit:
    """What was found for one split (one fold).

    Attributes:
        split: that was looked at.
        facts: what its parts train and test share.
        labels: of the test recordings, in the order of the split.
        predictions: of each baseline, by name; a baseline that does not apply is absent, and `notes` says why. Of test
            recordings that show several classes there is none: their windows are judged, not the recording.
        nearest: distances in time; None where no test frame's clip has training frames.
        unreadable: what was wrong with test and training images, by id; their pixels are not compared, and a test image
            among them counts as the majority class.
        notes: what the split leaves out (see `split_gaps`), and what could not be measured and why.
    """

    split: Split
    facts: SplitFacts
    labels: Ints
    predictions: Mapping[str, Ints]
    nearest: Nearest | None
    unreadable: Mapping[str, str]
    notes: tuple[str, ...]

    def scores(self) -> dict[str, Scores]:
        """Of each baseline."""
        return {name: score(self.labels, predicted) for name, predicted in self.predictions.items()}


def audit_fold(
    index: Index,
    split: Split,
    *,
    contents: Mapping[str, str],
    pictures: Pictures | None,
    label_swap: Sequence[int] | None = None,
) -> FoldAudit:
    """Measure the leakage of a split. Works without images too, as far as names alone go.

    Args:
        index: what the split was made from.
        split: to be measured; its test part against its training part.
        contents: hash of each recording's file, by id.
        pictures: of all recordings, images or clips; None leaves the comparison of pixels out.
        label_swap: class of the mirror image of each class; None where images must not be mirrored.
    """
    by_id = index.by_id()
    train, test = [by_id[i] for i in split.train], [by_id[i] for i in split.test]
    notes = list(split_gaps(split, index))
    nearest = nearest_frames(train, test)
    long = sum(r.timeline is not None for r in test)
    if long:
        predictions: dict[str, Ints] = {}
        notes.append(f"no baselines: {long} test recording(s) show several classes; their windows are judged")
    else:
        predictions, absent = _baselines(train, test, nearest, pictures, label_swap)
        notes += absent
    faults = {} if pictures is None else pictures.unreadable
    return FoldAudit(
        split=split,
        facts=split_facts(index, split, contents),
        labels=labels_of(test),
        predictions=predictions,
        nearest=nearest if nearest.known.any() else None,
        unreadable={r.id: faults[r.id] for r in (*train, *test) if r.id in faults},
        notes=tuple(notes),
    )


def _baselines(
    train: Sequence[Recording],
    test: Sequence[Recording],
    nearest: Nearest,
    pictures: Pictures | None,
    label_swap: Sequence[int] | None,
) -> tuple[dict[str, Ints], list[str]]:
    """What no network is needed for, by name; and what of it there is not, and why."""
    kinds = {stream.kind for r in (*train, *test) for stream in r.streams.values()}
    pictured = not kinds or not kinds.isdisjoint(PICTURED)
    guess = majority(labels_of(train), len(test))
    predictions, absent = {MAJORITY: guess}, []
    if nearest.known.any():
        # where the clip has no training frame, the best guess without pixels is the majority class
        predictions[NEAREST_FRAME] = np.where(nearest.known, labels_of(train)[nearest.index], guess)
    elif pictured:
        absent.append(f"no '{NEAREST_FRAME}': no clip with known frame numbers is in both parts")
    by_pixels = None if pictures is None else _by_pixels(pictures, train, test, guess, label_swap)
    if by_pixels is not None:
        predictions[NEAREST_PIXELS] = by_pixels
    elif pictured:
        absent.append(f"no '{NEAREST_PIXELS}': there are no images to compare")
    return predictions, absent


def _by_pixels(
    pictures: Pictures,
    train: Sequence[Recording],
    test: Sequence[Recording],
    guess: Ints,
    label_swap: Sequence[int] | None,
) -> Ints | None:
    """Class of the nearest training picture, `guess` for unreadable ones; None where a part has no readable image."""
    seen = [r for r in train if r.id in pictures.ids]
    readable = np.array([r.id in pictures.ids for r in test])
    if not seen or not readable.any():
        return None
    shown = pictures.of([r for r in test if r.id in pictures.ids])
    result = guess.copy()
    result[readable] = nearest_picture(pictures.of(seen), labels_of(seen), shown, label_swap)
    return result
