"""A split: which recordings train, validate and test, and the checks that keep them apart."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Annotated, Literal, NoReturn

from pydantic import Field

from vskd.datasets.recording import Index, Recording
from vskd.errors import ProtocolError, first_few, natural_order, nearest
from vskd.files import sha256_json
from vskd.preprocessing.folders import spelling

SplitUnit = Annotated[str, Field(pattern=r"^[a-z0-9_]+(-[a-z0-9_]+)*$")]
"""`subject`, `trial`, `part`, or a factor of the recordings (scene, session...); several joined by hyphens."""
FACTS = ("subject", "trial", "part")
"""What every recording has; its factors come in addition."""
CarvedUnit = Literal["subject", "trial", "clip", "recording"]
Disjoint = Literal["subject", "none"]

UNKNOWN = "unknown"
"""Subject and group of a recording whose subject is not known."""

# One in this many (subject, class) pairs gives a trial to a carved part: an eighth of UTD-MHAD's training recordings.
TRIAL_SHARE = 4
# One in this many subjects is carved (at least one); of clips, and of a class's recordings, one in this many, too.
SUBJECT_SHARE, CLIP_SHARE, RECORDING_SHARE = 10, 5, 10


@dataclass(frozen=True)
class Split:
    """Recording ids of the three parts, each sorted, and where they come from.

    Attributes:
        train, validation, test: recording ids; `validation` may be empty.
        protocol: name of the protocol; fold: name of its fold, or None.
        protocol_hash: hash of the rule and the fold; a teacher must have been trained by the same.
        rule_hash: hash of the rule without the fold; equal for results that may share a table.
        disjoint: what must never be in two parts: `subject` (and with it the recordings' group) or `none`.
        validation_unit: what training sets aside where `validation` is empty.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    protocol: str
    fold: str | None
    protocol_hash: str
    rule_hash: str
    disjoint: Disjoint = "subject"
    validation_unit: CarvedUnit = "subject"

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def split_hash(self) -> str:
        """Hash of the ids of each part: equal for exactly the same recordings."""
        return sha256_json({name: sorted(ids) for name, ids in self.parts.items()})


@dataclass(frozen=True)
class Overlap:
    """`values` (ids, subjects, ...) that two parts share."""

    what: str
    parts: tuple[str, str]
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.parts[0]} and {self.parts[1]} share {self.what} {first_few(self.values, 5, ', ')}"


def overlaps(parts: Mapping[str, Iterable[str]], what: str) -> Iterator[Overlap]:
    """What each pair of parts has in common."""
    sets = {name: set(values) for name, values in parts.items()}
    for one, other in combinations(sets, 2):
        shared = sets[one] & sets[other]
        if shared:
            yield Overlap(what, (one, other), tuple(sorted(shared)))


def find_overlaps(split: Split, recordings: Mapping[str, Recording]) -> tuple[Overlap, ...]:
    """Ids, subjects and groups that are in two parts of `split` and must not be."""
    found = list(overlaps(split.parts, "recording"))
    if split.disjoint == "subject":
        fields: tuple[tuple[str, Callable[[Recording], str]], ...] = (
            ("subject", lambda r: r.subject),
            ("group", lambda r: r.group),
        )
        for what, value in fields:
            found += overlaps({n: [value(recordings[i]) for i in ids] for n, ids in split.parts.items()}, what)
    return tuple(found)


def checked(split: Split, index: Index, others: Mapping[str, SplitUnit] = MappingProxyType({})) -> Split:
    """Return `split` if its parts are known to the index, not empty where they must not be, and disjoint.

    Args:
        split: to be checked.
        index: what it was made from.
        others: further protocols of the data set, with what each splits by; a refusal proposes those that fit.

    Raises:
        ProtocolError: an id is not in the index, train or test is empty, or two parts share what they must not.
    """
    by_id = index.by_id()
    unknown = sorted({i for ids in split.parts.values() for i in ids} - set(by_id))
    if unknown:
        raise ProtocolError(
            f"Protocol {split.protocol} names recordings that {index.root} does not hold: "
            f"{first_few(unknown, 5, ', ')}",
            "Use the data folder that the split was made for",
        )
    if split.disjoint == "subject":
        refuse_unknown(split.protocol, index, others)
    for name in ("train", "test"):
        if not split.parts[name]:
            refuse_empty(split.protocol, name, index, others)
    found = find_overlaps(split, by_id)
    if found:
        raise ProtocolError(
            f"Protocol {split.protocol} would leak: {'; '.join(map(str, found))}",
            "Assign each subject or trial to one part only",
        )
    return split


def refuse_unknown(protocol: str, index: Index, others: Mapping[str, SplitUnit]) -> None:
    """Refuse recordings of unknown subjects: an unknown subject cannot be kept out of another part. See `checked`.

    Raises:
        ProtocolError: there are some.
    """
    unknown = sum(r.subject == UNKNOWN for r in index)
    if unknown:
        raise ProtocolError(
            f"Protocol {protocol} keeps subjects apart, but nobody knows whose {unknown} of the {len(index)} "
            f"recordings of {index.root} are",
            f"Name the subjects or groups (`vskd datasets info {index.dataset}` says how) in the data set's CSV "
            f"file or leave those recordings out{_another(others, index)}",
        )


def refuse_spellings(protocol: str, index: Index) -> None:
    """Refuse subjects whose names differ in case, spaces or leading zeros only.

    They are one person or a slip of the pen. As two they could be on both sides of a split, or count twice; as one they
    could be two. Who wrote the names knows.

    Raises:
        ProtocolError: there are some; all spellings of the first few are named.
    """
    spellings: dict[str, list[str]] = {}
    for name in index.subjects:
        spellings.setdefault(spelling(name), []).append(name)
    alike = [" = ".join(f"'{name}'" for name in names) for names in spellings.values() if len(names) > 1]
    if alike:
        raise ProtocolError(
            f"Protocol {protocol} cannot tell whether these subjects of {index.root} are one person: "
            f"{first_few(alike, 5, ', ')}",
            "Write the name of each subject in one way in the data set's CSV file or file names",
        )


def refuse_empty(protocol: str, part: str, index: Index, others: Mapping[str, SplitUnit]) -> NoReturn:
    """Refuse a protocol that leaves `part` without recordings; see `checked`.

    Raises:
        ProtocolError: always.
    """
    official = ", ".join(natural_order(r.part for r in index if r.part))
    there = f", which holds the part(s) {official}" if official else ""
    raise ProtocolError(
        f"Protocol {protocol} leaves the part '{part}' empty on {index.root}{there}",
        f"Complete the data folder (`vskd datasets info {index.dataset}` tells how){_another(others, index)}",
    )


def _another(others: Mapping[str, SplitUnit], index: Index) -> str:
    """The advice to choose another protocol, where one fits what is known of the recordings."""
    everybody = all(r.subject != UNKNOWN for r in index)
    known = {"part": any(r.part for r in index), "subject": everybody}
    fitting = ", ".join(name for name, unit in others.items() if all(known.get(f, True) for f in unit.split("-")))
    return f", or choose another protocol with --protocol: {fitting}" if fitting else ""


def carve_validation(split: Split, index: Index, unit: CarvedUnit | None = None) -> Split:
    """Set part of the TRAINING recordings aside for validation: always the same ones, never any of the test part.

    `subject`: all recordings of the highest-numbered training subject, of one in ten where there are twenty or more.
    `trial`: the highest-numbered training trial of every fourth (subject, class) pair, in rotation, so that each class
    and each subject validates a little and seven eighths of UTD-MHAD's training trials remain. `clip`: every fifth
    source video, so that no validated frame has a neighbour in training. `recording`: every tenth recording of each
    class, in the order of ids; for images of which nobody knows driver or video.

    Args:
        split: a split without a validation part.
        index: the index it was made from.
        unit: as above; the protocol's own choice by default.

    Raises:
        ProtocolError: the split already has a validation part, or only one subject, trial, clip or recording trains.
    """
    unit = unit or split.validation_unit
    if split.validation:
        raise ProtocolError(
            f"Protocol {split.protocol} already has a validation part of {len(split.validation)} recordings",
            "Use it as it is",
        )
    by_id = index.by_id()
    training = [by_id[i] for i in split.train]
    units = natural_order(unit_of(r, unit) for r in training)
    if len(units) < 2:
        raise ProtocolError(
            f"Protocol {split.protocol} trains on one {unit} only ({', '.join(units) or 'none'}): "
            f"no {unit} can be set aside for validation",
            f"Add recordings of another training {unit}, or train without validation (select: last)",
        )
    chosen = _CARVERS[unit](training, units)
    rest = tuple(i for i in split.train if i not in chosen)
    return checked(dataclasses.replace(split, train=rest, validation=tuple(sorted(chosen))), index)


def unit_of(recording: Recording, unit: SplitUnit | CarvedUnit) -> str:
    """The value by which recordings are assigned to parts, e.g. `2-1` for the first trial of subject 2."""
    if unit in ("recording", "clip"):
        return recording.id if unit == "recording" else recording.clip
    return "-".join(_fact(recording, name) for name in unit.split("-"))


def _fact(recording: Recording, name: str) -> str:
    return str(getattr(recording, name)) if name in FACTS else recording.factors[name]


def refuse_unknown_unit(protocol: str, unit: SplitUnit, index: Index) -> None:
    """Refuse to split by what the recordings do not have.

    Raises:
        ProtocolError: names a recording without it, and what there is.
    """
    for name in unit.split("-"):
        bare = next((r for r in index if name not in FACTS and name not in r.factors), None)
        if bare is not None:
            known = sorted({*FACTS, *(factor for r in index for factor in r.factors)})
            raise ProtocolError(
                f"Protocol {protocol} splits by {name}, {nearest(name, known)}; "
                f"recording {bare.id} of {index.root} has none",
                f"Split by one of {', '.join(known)}, or several joined by hyphens",
            )


def _carve_subjects(training: Sequence[Recording], subjects: Sequence[str]) -> set[str]:
    highest = set(subjects[-max(1, len(subjects) // SUBJECT_SHARE) :])
    return {r.id for r in training if r.subject in highest}


def _carve_trials(training: Sequence[Recording], trials: Sequence[str]) -> set[str]:
    names = natural_order(r.subject for r in training)
    number = {name: int(name) if name.isdecimal() else rank for rank, name in enumerate(names)}
    last = [r for r in training if r.trial == trials[-1]]
    return {r.id for r in last if (number[r.subject] + r.label) % TRIAL_SHARE == 0} or {r.id for r in last}


def _carve_clips(training: Sequence[Recording], clips: Sequence[str]) -> set[str]:
    ordered = sorted(clips, key=lambda clip: (len(clip), clip))  # the order that published validation parts were cut in
    chosen = set(ordered[CLIP_SHARE - 1 :: CLIP_SHARE]) or {ordered[-1]}
    return {r.id for r in training if r.clip in chosen}


def _carve_recordings(training: Sequence[Recording], ids: Sequence[str]) -> set[str]:
    by_class: dict[int, list[str]] = {}
    for recording in sorted(training, key=lambda r: r.id):
        by_class.setdefault(recording.label, []).append(recording.id)
    return {i for members in by_class.values() for i in members[RECORDING_SHARE - 1 :: RECORDING_SHARE]} or {max(ids)}


_CARVERS: Mapping[CarvedUnit, Callable[[Sequence[Recording], Sequence[str]], set[str]]] = {
    "subject": _carve_subjects,
    "trial": _carve_trials,
    "clip": _carve_clips,
    "recording": _carve_recordings,
}
"""Ids to be carved, given the training recordings and the natural order of their units."""
