"""Checks made before training: nothing of the test part may be in training, and the folder's problems are faced."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.datasets.recording import Index, Problem, Stream
from vskd.datasets.splits.contents import Contents, of_samples, overlapping_parts
from vskd.datasets.splits.split import Split, find_overlaps, overlaps
from vskd.errors import DataError, ProtocolError, first_few

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leak:
    """Something that two parts of a split share and must not.

    `kind`: `recording` (ids), `subject`, `group`, or `content` (the same samples under different ids, or some of them).
    """

    kind: str
    parts: tuple[str, str]
    detail: str


def find_leaks(
    split: Split, index: Index, *, streams: Sequence[str] = ("accelerometer",), contents: Contents = of_samples
) -> tuple[Leak, ...]:
    """Ids, subjects and groups that straddle the split, and recordings of equal content in two of its parts.

    Args:
        split: its parts are compared.
        index: what it was made from.
        streams: whose contents are compared; recordings that lack one are not compared by it.
        contents: by what; `of_samples` decodes.
    """
    by_id = index.by_id()
    leaks = [Leak(o.what, o.parts, str(o)) for o in find_overlaps(split, by_id)]
    used = [by_id[i] for ids in split.parts.values() for i in ids if i in by_id]
    for stream in streams:
        of_stream = {r.id: r.streams[stream] for r in used if stream in r.streams}
        leaks += content_leaks(split, contents(of_stream), stream)
        leaks += overlap_leaks(split, of_stream, stream)
    return tuple(leaks)


def overlap_leaks(split: Split, streams: Mapping[str, Stream], stream: str) -> list[Leak]:
    """Recordings of different parts that are overlapping parts of one file, or of files of equal content."""
    part_of = {i: name for name, ids in split.parts.items() for i in ids}
    found: dict[tuple[str, str], list[str]] = {}
    for one, other in overlapping_parts(streams):
        if part_of[one] != part_of[other]:
            first, second = sorted((one, other), key=lambda i: list(split.parts).index(part_of[i]))
            found.setdefault((part_of[first], part_of[second]), []).append(f"{first} and {second}")
    return [
        Leak("content", parts, f"{' and '.join(parts)} hold overlapping {stream} samples: {first_few(pairs, 5, ', ')}")
        for parts, pairs in found.items()
    ]


def content_leaks(split: Split, contents: Mapping[str, str], stream: str) -> tuple[Leak, ...]:
    """Recordings of different parts that hold the same.

    Args:
        split: its parts are compared.
        contents: hash of what each recording holds, by id; others are not compared.
        stream: for the message.
    """
    holders: dict[str, dict[str, str]] = {name: {} for name in split.parts}
    for name, ids in split.parts.items():
        for recording in ids:
            if recording in contents:
                holders[name].setdefault(contents[recording], recording)
    leaks = []
    for overlap in overlaps(holders, "content"):
        one, other = overlap.parts
        pairs = first_few([f"{holders[one][v]} = {holders[other][v]}" for v in overlap.values], 5, ", ")
        leaks.append(Leak("content", overlap.parts, f"{one} and {other} hold the same {stream} samples: {pairs}"))
    return tuple(leaks)


def audit_split(
    split: Split, index: Index, *, streams: Sequence[str] = ("accelerometer",), contents: Contents = of_samples
) -> None:
    """Refuse a split through which training could see test recordings; log what it leaves out, see `split_gaps`.

    Args:
        split, index, streams, contents: see `find_leaks`.

    Raises:
        ProtocolError: `find_leaks` finds something; every finding is named.
    """
    for gap in split_gaps(split, index):
        logger.warning("Protocol %s on %s: %s", split.protocol, index.root, gap)
    refuse_leaks(split, index.root, find_leaks(split, index, streams=streams, contents=contents))


def refuse_leaks(split: Split, root: Path, leaks: Sequence[Leak]) -> None:
    """Refuse a split of the recordings in `root` that leaks.

    Raises:
        ProtocolError: there are leaks; each is named.
    """
    if leaks:
        raise ProtocolError(
            f"The split of protocol {split.protocol} on {root} leaks: {'; '.join(leak.detail for leak in leaks)}",
            "Remove the duplicates, or assign each subject to one part only",
        )


def split_gaps(split: Split, index: Index) -> tuple[str, ...]:
    """What a split leaves out, in words: parts of the folder that nothing uses, and classes that cannot be learned.

    A class is named that is tested and never trained, and one that trains with one recording; and one that has a single
    recording in all.
    """
    by_id = index.by_id()
    used = {i for ids in split.parts.values() for i in ids}
    unused = Counter(r.part for r in index if r.id not in used)
    sizes = Counter(r.part for r in index)
    found = []
    for part, count in sorted(unused.items()):
        what = f"the part '{part}'" if part else "the folder"
        found.append(f"{count} of the {sizes[part]} recordings of {what} neither train nor validate nor test")
    trained = Counter(label for i in (*split.train, *split.validation) for label in by_id[i].classes)
    tested = {label for i in split.test for label in by_id[i].classes}
    everywhere = Counter(label for r in index for label in r.classes)
    single = {label for label, count in everywhere.items() if count == 1}
    for what, labels in (
        ("tested and never trained", tested - set(trained)),
        ("of a single training recording", {n for n, count in trained.items() if count == 1} - single),
        ("of a single recording in all", single),
    ):
        if labels:
            named = first_few([index.labels[n] for n in sorted(labels)], 5, ", ")
            found.append(f"{len(labels)} class(es) {what}: {named}")
    return tuple(found)


def check_problems(index: Index, max_bad_fraction: float = 0.02) -> None:
    """Refuse a folder whose problems would make a result doubtful; log the tolerable ones by name.

    Duplicate ids and recordings of an unknown class, subject or trial are always refused: which file is the right one
    is not for a program to guess. Corrupt and unpaired recordings are tolerated (and left out, each named) up to
    `max_bad_fraction` of all recordings. Missing recordings and stray files are only logged; a class without a single
    recording, of which nothing can be learned, is logged by name.

    Raises:
        DataError: as above; the first few files are named.
    """
    refused = [p for p in index.problems if p.kind == "duplicate" or (p.kind == "unknown" and p.recording)]
    if refused:
        _refuse(index, refused, "Remove or rename these files")
    bad = [p for p in index.problems if p.kind in ("corrupt", "unpaired")]
    if len({p.recording for p in bad}) > max_bad_fraction * len(index):
        allowed = f"up to {100 * max_bad_fraction:.3g}% may be bad: max_bad_fraction"
        _refuse(index, bad, f"Mend or remove these files ({allowed})")
    for problem in bad:
        logger.warning("%s recording %s (%s): %s", problem.kind, problem.recording, problem.path, problem.detail)
    for kind, count in Counter(p.kind for p in index.problems if p.kind == "missing" or not p.recording).items():
        logger.info("%s: %d %s; `vskd datasets index` names them", index.root, count, kind)
    _warn_of_empty_classes(index)


def _warn_of_empty_classes(index: Index) -> None:
    present = {label for r in index for label in r.classes}
    empty = [label for number, label in enumerate(index.labels) if number not in present]
    if empty and present:
        named = first_few(empty, 5, ", ")
        logger.warning("%s: no usable recording of %d class(es): %s", index.root, len(empty), named)


def _refuse(index: Index, problems: Sequence[Problem], action: str) -> None:
    counts = Counter(p.kind for p in problems)
    named = first_few([f"{p.kind} {p.path}: {p.detail}" for p in problems], 3)
    total = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
    raise DataError(f"{index.root} has {total} file(s): {named}", f"{action}; `vskd datasets index` names all")
