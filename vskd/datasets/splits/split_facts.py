"""What two parts of a split share, of any data set: people, source videos, files of the same content."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.contents import of_samples, overlapping_parts
from vskd.datasets.splits.split import UNKNOWN, Split
from vskd.errors import natural_order


@dataclass(frozen=True)
class SplitFacts:
    """What the training and the test part of a split have in common.

    Attributes:
        protocol, fold, protocol_hash, disjoint: of the split.
        sizes: recordings of each part.
        classes: recordings of each class (by name) in train and test.
        subjects, clips: how many the test part has.
        shared_subjects, shared_groups, shared_clips: those in both parts, in natural order.
        unknown_subjects: test recordings of which nobody knows the subject.
        same_content: (training id, test id) of recordings that hold the same samples; None where there are none to
            compare.
        overlapping: (training id, test id) of different parts of one file, or of files of equal content, that share
            samples.
    """

    protocol: str
    fold: str | None
    protocol_hash: str
    disjoint: str
    sizes: Mapping[str, int]
    classes: Mapping[str, tuple[int, int]]
    subjects: int
    clips: int
    shared_subjects: tuple[str, ...]
    shared_groups: tuple[str, ...]
    shared_clips: tuple[str, ...]
    unknown_subjects: int
    same_content: tuple[tuple[str, str], ...] | None
    overlapping: tuple[tuple[str, str], ...] = ()


def split_facts(index: Index, split: Split, contents: Mapping[str, str]) -> SplitFacts:
    """Compare the parts `train` and `test`.

    Args:
        index: what the split was made from.
        split: to be looked at.
        contents: hash of what each recording holds, by id; see `content_hashes`.
    """
    by_id = index.by_id()
    train, test = [by_id[i] for i in split.train], [by_id[i] for i in split.test]
    counts = [Counter(label for r in part for label in r.classes) for part in (train, test)]
    subjects = {r.subject for r in test} - {UNKNOWN}
    clips = {r.clip for r in test} - {""}
    return SplitFacts(
        protocol=split.protocol,
        fold=split.fold,
        protocol_hash=split.protocol_hash,
        disjoint=split.disjoint,
        sizes={name: len(ids) for name, ids in split.parts.items()},
        classes={name: (counts[0][n], counts[1][n]) for n, name in enumerate(index.labels)},
        subjects=len(subjects),
        clips=len(clips),
        shared_subjects=_shared(subjects, (r.subject for r in train)),
        shared_groups=_shared({r.group for r in test} - {UNKNOWN}, (r.group for r in train)),
        shared_clips=_shared(clips, (r.clip for r in train)),
        unknown_subjects=sum(r.subject == UNKNOWN for r in test),
        same_content=_same_content(train, test, contents) if contents else None,
        overlapping=_overlapping(train, test),
    )


def content_hashes(recordings: Sequence[Recording], stream: str) -> dict[str, str]:
    """Hash of what each recording holds of one stream, by id, decoded; recordings without it are left out."""
    return of_samples({r.id: r.streams[stream] for r in recordings if stream in r.streams})


def two_classes(recordings: Sequence[Recording], contents: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Ids of the recordings whose samples are equal and whose classes are not, in groups."""
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        if recording.id in contents:
            groups.setdefault(contents[recording.id], []).append(recording)
    return tuple(tuple(r.id for r in group) for group in groups.values() if len({r.label for r in group}) > 1)


def _shared(values: set[str], others: Iterable[str]) -> tuple[str, ...]:
    return natural_order(values & set(others))


def _same_content(
    train: Sequence[Recording], test: Sequence[Recording], contents: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    trained = {contents[r.id]: r.id for r in train if r.id in contents}
    return tuple((trained[contents[r.id]], r.id) for r in test if contents.get(r.id) in trained)


def _overlapping(train: Sequence[Recording], test: Sequence[Recording]) -> tuple[tuple[str, str], ...]:
    """Pairs of parts of files, in any stream."""
    used, tested = [*train, *test], {r.id for r in test}
    found: dict[tuple[str, str], None] = {}
    for name in sorted({name for r in used for name in r.streams}):
        for one, other in overlapping_parts({r.id: r.streams[name] for r in used if name in r.streams}):
            if (one in tested) != (other in tested):
                found[(other, one) if one in tested else (one, other)] = None
    return tuple(found)
