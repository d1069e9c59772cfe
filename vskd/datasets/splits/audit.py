"""Checks made before training: nothing of the test part may be in training, and the folder's problems are faced."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from vskd.datasets.recording import Index, Problem, Recording
from vskd.datasets.splits.split import Split, find_overlaps, overlaps
from vskd.errors import DataError, ProtocolError, first_few

logger = logging.getLogger(__name__)

# The descriptive text of a MATLAB 5 header holds the time of writing, in which copies that were saved again differ.
_MAT_TEXT_BYTES = 124


@dataclass(frozen=True)
class Leak:
    """Something that two parts of a split share and must not.

    `kind`: `recording` (ids), `subject`, `group`, or `content` (files of different ids that hold the same bytes).
    """

    kind: str
    parts: tuple[str, str]
    detail: str


def find_leaks(split: Split, index: Index, *, streams: Sequence[str] = ("accelerometer",)) -> tuple[Leak, ...]:
    """Ids, subjects and groups that straddle the split, and files of `streams` with equal content in two of its parts.

    Recordings that lack a stream are not compared by it.
    """
    by_id = index.by_id()
    known = {name: [i for i in ids if i in by_id] for name, ids in split.parts.items()}
    leaks = [Leak(o.what, o.parts, str(o)) for o in find_overlaps(split, by_id)]
    for stream in streams:
        holders = {name: _by_content([by_id[i] for i in ids], stream) for name, ids in known.items()}
        for overlap in overlaps(holders, "content"):
            one, other = overlap.parts
            pairs = first_few([f"{holders[one][v]} = {holders[other][v]}" for v in overlap.values], 5, ", ")
            leaks.append(Leak("content", overlap.parts, f"{one} and {other} hold the same {stream} samples: {pairs}"))
    return tuple(leaks)


def audit_split(split: Split, index: Index, *, streams: Sequence[str] = ("accelerometer",)) -> None:
    """Refuse a split through which training could see test recordings; log what it leaves out, see `split_gaps`.

    Raises:
        ProtocolError: `find_leaks` finds something; every finding is named.
    """
    for gap in split_gaps(split, index):
        logger.warning("Protocol %s on %s: %s", split.protocol, index.root, gap)
    leaks = find_leaks(split, index, streams=streams)
    if leaks:
        raise ProtocolError(
            f"The split of protocol {split.protocol} on {index.root} leaks: {'; '.join(leak.detail for leak in leaks)}",
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
    trained = Counter(by_id[i].label for i in (*split.train, *split.validation))
    tested = {by_id[i].label for i in split.test}
    everywhere = Counter(r.label for r in index)
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
        _refuse(index, bad, f"Mend or remove these files (up to {max_bad_fraction:.0%} may be bad: max_bad_fraction)")
    for problem in bad:
        logger.warning("%s recording %s (%s): %s", problem.kind, problem.recording, problem.path, problem.detail)
    for kind, count in Counter(p.kind for p in index.problems if p.kind == "missing" or not p.recording).items():
        logger.info("%s: %d %s; `vskd datasets index` names them", index.root, count, kind)
    _warn_of_empty_classes(index)


def _warn_of_empty_classes(index: Index) -> None:
    present = {r.label for r in index}
    empty = [label for number, label in enumerate(index.labels) if number not in present]
    if empty and present:
        named = first_few(empty, 5, ", ")
        logger.warning("%s: no usable recording of %d class(es): %s", index.root, len(empty), named)


def _refuse(index: Index, problems: Sequence[Problem], action: str) -> None:
    counts = Counter(p.kind for p in problems)
    named = first_few([f"{p.kind} {p.path}: {p.detail}" for p in problems], 3)
    total = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
    raise DataError(f"{index.root} has {total} file(s): {named}", f"{action}; `vskd datasets index` names all")


def _by_content(recordings: Sequence[Recording], stream: str) -> Mapping[str, str]:
    """Recording id by content hash."""
    holders: dict[str, str] = {}
    for recording in recordings:
        if stream in recording.streams:
            holders.setdefault(content_hash(recording.streams[stream].path), recording.id)
    return holders


def content_hash(path: Path) -> str:
    """SHA-256 of what a file says: equal for copies, and for the same arrays saved again in MATLAB."""
    state = path.stat()
    return _content_hash(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16384)
def _content_hash(path: Path, size: int, mtime_ns: int) -> str:
    """SHA-256 of a file without the dated text of a MATLAB header; `size` and `mtime_ns` only key the memory."""
    content = path.read_bytes()
    return sha256(content[_MAT_TEXT_BYTES:] if content.startswith(b"MATLAB 5") else content).hexdigest()
