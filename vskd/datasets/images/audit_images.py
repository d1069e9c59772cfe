"""Leakage of an image protocol: what its parts share, how near their frames are, and what copying would score.

Published figures of driver monitoring above 99 % come from random divisions of video frames, in which nearly every test
frame has a training frame beside it. This measures that for any protocol, before a network is trained.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vskd.datasets.images.image_baselines import (
    Ints,
    Nearest,
    Scores,
    Thumbnails,
    labels_of,
    majority,
    nearest_frames,
    nearest_picture,
    score,
    thumbnails,
)
from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.audit import split_gaps
from vskd.datasets.splits.protocol import Protocol
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import SplitFacts, content_hashes, split_facts, two_classes
from vskd.errors import DataError

MAJORITY, NEAREST_FRAME, NEAREST_PIXELS = "majority class", "nearest frame's label", "nearest in pixels"
IMAGE = "image"


@dataclass(frozen=True)
class ImageAudit:
    """What was found for one split (one fold).

    Attributes:
        facts: what train and test share.
        labels: of the test recordings, in the order of the split.
        predictions: of each baseline, by name; a baseline that does not apply is absent, and `notes` says why.
        nearest: distances in time; None where no test frame's clip has training frames.
        unreadable: what was wrong with test and training images, by id; their pixels are not compared, and a test image
            among them counts as the majority class.
        notes: what the split leaves out (see `split_gaps`), and what could not be measured and why.
    """

    facts: SplitFacts
    labels: Ints
    predictions: Mapping[str, Ints]
    nearest: Nearest | None
    unreadable: Mapping[str, str]
    notes: tuple[str, ...]

    def scores(self) -> dict[str, Scores]:
        """Of each baseline."""
        return {name: score(self.labels, predicted) for name, predicted in self.predictions.items()}


def audit_images(
    index: Index,
    split: Split,
    *,
    contents: Mapping[str, str],
    pictures: Thumbnails | None,
    label_swap: Sequence[int] | None = None,
) -> ImageAudit:
    """Measure the leakage of a split. Works without images too, as far as names alone go.

    Args:
        index: what the split was made from.
        split: to be measured; its test part against its training part.
        contents: hash of each recording's file, by id.
        pictures: of all recordings; None leaves the comparison of pixels out.
        label_swap: class of the mirror image of each class; None where images must not be mirrored.
    """
    by_id = index.by_id()
    train, test = [by_id[i] for i in split.train], [by_id[i] for i in split.test]
    notes = list(split_gaps(split, index))
    guess = majority(labels_of(train), len(test))
    predictions = {MAJORITY: guess}
    nearest = nearest_frames(train, test)
    if nearest.known.any():
        # where the clip has no training frame, the best guess without pixels is the majority class
        predictions[NEAREST_FRAME] = np.where(nearest.known, labels_of(train)[nearest.index], guess)
    else:
        notes.append(f"no '{NEAREST_FRAME}': no clip with known frame numbers is in both parts")
    by_pixels = None if pictures is None else _by_pixels(pictures, train, test, guess, label_swap)
    if by_pixels is not None:
        predictions[NEAREST_PIXELS] = by_pixels
    else:
        notes.append(f"no '{NEAREST_PIXELS}': there are no images to compare")
    faults = {} if pictures is None else pictures.unreadable
    return ImageAudit(
        facts=split_facts(index, split, contents),
        labels=labels_of(test),
        predictions=predictions,
        nearest=nearest if nearest.known.any() else None,
        unreadable={r.id: faults[r.id] for r in (*train, *test) if r.id in faults},
        notes=tuple(notes),
    )


def _by_pixels(
    pictures: Thumbnails,
    train: Sequence[Recording],
    test: Sequence[Recording],
    guess: Ints,
    label_swap: Sequence[int] | None,
) -> Ints | None:
    """Class of the nearest training picture, `guess` for unreadable ones; None where a part has no readable image."""
    seen = [r for r in train if r.id in pictures.row]
    readable = np.array([r.id in pictures.row for r in test])
    if not seen or not readable.any():
        return None
    shown = pictures.of([r for r in test if r.id in pictures.row])
    result = guess.copy()
    result[readable] = nearest_picture(pictures.of(seen), labels_of(seen), shown, label_swap)
    return result


@dataclass(frozen=True)
class ProtocolAudit:
    """The audits of a protocol's folds (of its one split, where it has none).

    Attributes:
        index: what was audited.
        audits: one per fold.
        two_classes: ids of recordings whose files are equal and whose classes are not, in groups.
    """

    index: Index
    audits: tuple[ImageAudit, ...]
    two_classes: tuple[tuple[str, ...], ...]

    def pooled(self) -> dict[str, Scores]:
        """Scores over the test recordings of all folds together, of the baselines that apply to each."""
        names = [n for n in self.audits[0].predictions if all(n in a.predictions for a in self.audits)]
        labels = np.concatenate([a.labels for a in self.audits])
        return {n: score(labels, np.concatenate([a.predictions[n] for a in self.audits])) for n in names}


def audit_protocol(
    index: Index, protocol: Protocol, *, fold: str | None = None, label_swap: Mapping[str, str] | None = None
) -> ProtocolAudit:
    """Audit a protocol on a folder; each image is read once, whatever the number of folds.

    Args:
        index: of the folder.
        protocol: to be audited.
        fold: one fold by name; None audits all of them.
        label_swap: name of the mirror image's class, where it changes; None where images must not be mirrored.

    Raises:
        ProtocolError: the protocol does not fit the folder, or has no such fold.
        DataError: the folder has no recordings.
    """
    if not len(index):
        raise DataError(f"{index.root} has no usable recordings", "`vskd datasets index` names what is wrong")
    folds = protocol.fold_names(index) if fold is None else (fold,)
    splits = [protocol.split(index, name) for name in folds or (None,)]
    streams = sorted({name for r in index for name in r.streams})
    stream = IMAGE if IMAGE in streams else next(iter(streams), IMAGE)
    contents = content_hashes(index.recordings, stream)
    pictures = thumbnails(index.with_streams((IMAGE,))) if stream == IMAGE and contents else None
    swap = None
    if label_swap is not None:
        swap = [index.labels.index(label_swap.get(label, label)) for label in index.labels]
    audits = [audit_images(index, s, contents=contents, pictures=pictures, label_swap=swap) for s in splits]
    return ProtocolAudit(index, tuple(audits), two_classes(index.recordings, contents))


def audit_summary(audit: ProtocolAudit) -> dict[str, Any]:
    """An audit as plain numbers and names; JSON-serialisable."""
    return {
        "dataset": audit.index.dataset,
        "root": str(audit.index.root),
        "recordings": len(audit.index),
        "same_content_two_classes": [list(group) for group in audit.two_classes],
        "folds": [_fold_summary(fold) for fold in audit.audits],
        "pooled": {name: dataclasses.asdict(scores) for name, scores in audit.pooled().items()},
    }


def _fold_summary(audit: ImageAudit) -> dict[str, Any]:
    nearest = None
    if audit.nearest is not None:
        nearest = {
            "in_shared_clips": float(audit.nearest.known.mean()),
            "same_frame": audit.nearest.share_within(0),
            "within_1": audit.nearest.share_within(1),
            "within_2": audit.nearest.share_within(2),
            "median": float(np.median(audit.nearest.distance[audit.nearest.known])),
        }
    return {
        **dataclasses.asdict(audit.facts),
        "nearest_frame": nearest,
        "baselines": {name: dataclasses.asdict(scores) for name, scores in audit.scores().items()},
        "unreadable": dict(audit.unreadable),
        "notes": list(audit.notes),
    }
