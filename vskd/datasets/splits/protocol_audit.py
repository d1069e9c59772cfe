"""The audit of a protocol, on any kind of stream: each of its folds, and what is looked for once for all of them."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vskd.datasets.images.image_baselines import Pictures, Scores, score, thumbnails
from vskd.datasets.recording import Index, Stream
from vskd.datasets.sensors.same_signals import near_copies
from vskd.datasets.sensors.signals_file import SignalsFile
from vskd.datasets.splits.contents import of_signals, overlapping_parts
from vskd.datasets.splits.fold_audit import MAJORITY, NEAREST_FRAME, NEAREST_PIXELS, FoldAudit, audit_fold
from vskd.datasets.splits.protocol import Protocol
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import content_hashes, two_classes
from vskd.datasets.video.audit_clips import ClipFindings, clip_contents, examine_clips
from vskd.datasets.video.tiny_clips import tiny_clips
from vskd.errors import DataError

IMAGE = "image"


@dataclass(frozen=True)
class ProtocolAudit:
    """The audits of a protocol's folds (of its one split, where it has none).

    Attributes:
        index: what was audited.
        audits: one per fold.
        two_classes: ids of recordings whose files are equal and whose classes are not, in groups.
        clips: what was found by looking at the clips of a video; None where there are none, or another stream was asked
            for.
        near_copies: pairs of ids that hold one movement and not the same samples, see `vskd.datasets.sensors.
            same_signals`; None where no stream of a sensor was looked at.
    """

    index: Index
    audits: tuple[FoldAudit, ...]
    two_classes: tuple[tuple[str, ...], ...]
    clips: ClipFindings | None = None
    near_copies: tuple[tuple[str, str], ...] | None = None

    def pooled(self) -> dict[str, Scores]:
        """Scores over the test recordings of all folds together, of the baselines that apply to each."""
        baselines = (MAJORITY, NEAREST_FRAME, NEAREST_PIXELS)
        names = [n for n in baselines if all(n in a.predictions for a in self.audits)]
        labels = np.concatenate([a.labels for a in self.audits])
        return {n: score(labels, np.concatenate([a.predictions[n] for a in self.audits])) for n in names}


def audit_protocol(
    index: Index,
    protocol: Protocol,
    *,
    fold: str | None = None,
    label_swap: Mapping[str, str] | None = None,
    stream: str | None = None,
    cache: Path | None = None,
) -> ProtocolAudit:
    """Audit a protocol on a folder; each image or clip is read once, whatever the number of folds.

    Args:
        index: of the folder.
        protocol: to be audited.
        fold: one fold by name; None audits all of them.
        label_swap: name of the mirror image's class, where it changes; None where images must not be mirrored.
        stream: whose contents are compared; None takes images, or else the first stream by name.
        cache: folder in which clips are kept for the next audit, a few tiny pictures of each; None keeps nothing.

    Raises:
        ProtocolError: the protocol does not fit the folder, or has no such fold.
        DataError: the folder has no recordings, or none with this stream.
    """
    if not len(index):
        raise DataError(f"{index.root} has no usable recordings", "`vskd datasets index` names what is wrong")
    folds = protocol.fold_names(index) if fold is None else (fold,)
    splits = [protocol.split(index, name) for name in folds or (None,)]
    stream = _audited(index, stream)
    swap = None
    if label_swap is not None:
        swap = [index.labels.index(label_swap.get(label, label)) for label in index.labels]
    streams = {r.id: r.streams[stream] for r in index.with_streams((stream,))}
    videos = {i: one for i, one in streams.items() if one.kind == "video"}
    sensors = {i: one for i, one in streams.items() if one.kind == "sensor"}
    pictures: Pictures | None = None
    clips: ClipFindings | None = None
    copies: tuple[tuple[str, str], ...] | None = None
    with tempfile.TemporaryDirectory() as temporary:
        if videos:
            place = cache or Path(temporary)
            contents = clip_contents(videos, place)
            pictures = tiny = tiny_clips(videos, place / f"audit-{index.dataset}-{stream}.h5")
            recordings = [r for r in index if r.id in videos]
            clips = examine_clips(recordings, index.labels, stream, tiny, contents, swap)
        elif sensors:
            signals = SignalsFile(Path(temporary) / "signals")
            contents = of_signals(sensors, signals)
            copies = _near_copies(sensors, signals, contents)
        else:
            contents = content_hashes(index.recordings, stream)
            if stream == IMAGE:
                pictures = thumbnails(index.with_streams((IMAGE,)))
        audits = [audit_fold(index, s, contents=contents, pictures=pictures, label_swap=swap) for s in splits]
    return ProtocolAudit(index, tuple(audits), two_classes(index.recordings, contents), clips, copies)


def _near_copies(
    streams: Mapping[str, Stream], signals: SignalsFile, contents: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Near copies among a sensor's recordings, without those whose samples are equal or that overlap in one file."""
    known = {frozenset(pair) for pair in overlapping_parts(streams)}
    found = near_copies(signals)
    return tuple((a, b) for a, b in found if contents.get(a) != contents.get(b) and frozenset((a, b)) not in known)


def _audited(index: Index, stream: str | None) -> str:
    """The stream whose contents are compared.

    Raises:
        DataError: no recording has it.
    """
    streams = sorted({name for r in index for name in r.streams})
    if stream is None:
        return IMAGE if IMAGE in streams else next(iter(streams), IMAGE)
    if stream not in streams:
        raise DataError(
            f"{index.root}: no recording has the stream '{stream}'", f"Choose one of: {', '.join(streams) or 'none'}"
        )
    return stream


def audit_summary(audit: ProtocolAudit) -> dict[str, Any]:
    """An audit as plain numbers and names; JSON-serialisable."""
    return {
        "dataset": audit.index.dataset,
        "root": str(audit.index.root),
        "recordings": len(audit.index),
        "same_content_two_classes": [list(group) for group in audit.two_classes],
        "near_copies": None if audit.near_copies is None else [list(pair) for pair in audit.near_copies],
        "folds": [_fold_summary(fold, audit.clips, audit.near_copies) for fold in audit.audits],
        "pooled": {name: dataclasses.asdict(scores) for name, scores in audit.pooled().items()},
        **({"clips": audit.clips.summary()} if audit.clips else {}),
    }


def _fold_summary(
    audit: FoldAudit, clips: ClipFindings | None, copies: Sequence[tuple[str, str]] | None
) -> dict[str, Any]:
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
        **({"same_clip": clips.shared(audit.split)} if clips else {}),
        **({"near_copies": _across(audit.split, copies)} if copies is not None else {}),
        "nearest_frame": nearest,
        "baselines": {name: dataclasses.asdict(scores) for name, scores in audit.scores().items()},
        "unreadable": dict(audit.unreadable),
        "notes": list(audit.notes),
    }


def _across(split: Split, pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The pairs of a training and a test recording, in this order."""
    train, test = set(split.train), set(split.test)
    both = [*pairs, *((other, one) for one, other in pairs)]
    return [[one, other] for one, other in both if one in train and other in test]
