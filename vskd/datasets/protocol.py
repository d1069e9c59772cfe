"""Protocols: versioned YAML that says which recordings train, validate and test. Its hash is stamped on every result.

A protocol of one's own:

    name: cross-subject
    version: 1                  # raise it whenever the rule changes
    dataset: utd-mhad
    description: Odd subjects train, even subjects test.
    split_by: subject           # or trial
    parts:                      # numbers, or odd, even, odd-but-last, last-odd (of the numbers present)
      train: [1, 3, 5, 7]
      test: even
    # folds: leave-one-out      # instead of parts: one fold per subject (or trial), named by its number
    disjoint: subject           # no subject and no group may be in two parts; `none` allows it
    validation_unit: subject    # what training sets aside for validation where there is no such part; or trial
    expected:                   # optional: the sizes on the complete data set
      recordings: 861
      sizes: {train: 431, test: 430}
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from vskd.datasets.protocol_file import parse_protocol_file
from vskd.datasets.recording import Index, Recording
from vskd.datasets.split import Disjoint, Overlap, Split, Unit, carve_validation, checked, overlaps
from vskd.errors import ProtocolError
from vskd.files import sha256_json

__all__ = ["Protocol", "Split", "carve_validation", "list_protocols", "load_protocol"]

logger = logging.getLogger(__name__)

PROTOCOLS_FOLDER = Path(__file__).parent / "protocols"

Part = Literal["train", "validation", "test"]
Number = Annotated[int, Field(ge=0, strict=True)]
_WORDS = ("odd", "even", "odd-but-last", "last-odd")


def _selector(value: object) -> object:
    """One message for the whole choice, where pydantic would give one per alternative."""
    numbers = isinstance(value, list | tuple) and all(type(n) is int and n >= 0 for n in value)
    if not numbers and value not in _WORDS:
        raise ValueError(f"give a list of numbers, or one of {', '.join(_WORDS)}")
    return tuple(value) if isinstance(value, list) else value


Selector = Annotated[str | tuple[int, ...], BeforeValidator(_selector)]
Sizes = dict[Part, Number]


class Section(BaseModel):
    """A part of a protocol file: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(Section):
    """Sizes of the parts on the complete data set of `recordings` recordings; per fold where the protocol has folds."""

    recordings: Number
    sizes: Sizes = {}
    folds: dict[str, Sizes] = {}


class Protocol(Section):
    """A rule that assigns recordings to parts; see the module's text for the keys."""

    name: Annotated[str, Field(min_length=1)]
    version: Number
    dataset: Annotated[str, Field(min_length=1)]
    description: str = ""
    split_by: Unit
    parts: dict[Part, Selector] | None = None
    folds: Literal["leave-one-out"] | None = None
    disjoint: Disjoint
    validation_unit: Unit
    expected: Expected | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Protocol":
        if (self.parts is None) == (self.folds is None):
            raise ValueError("give either 'parts' or 'folds'")
        if self.parts is not None:
            if not {"train", "test"} <= set(self.parts):
                raise ValueError("'parts' needs both 'train' and 'test'")
            lists: dict[str, list[str]] = {
                n: [str(v) for v in s] for n, s in self.parts.items() if not isinstance(s, str)
            }
            shared: Overlap | None = next(overlaps(lists, self.split_by), None)
            if shared:
                raise ValueError(str(shared))
        return self

    def protocol_hash(self, fold: str | None = None) -> str:
        """SHA-256 of what decides a split: name, version, data set, rule and fold (not description and sizes)."""
        rule = self.model_dump(mode="json", exclude={"description", "expected", "parts"}, exclude_none=True)
        parts = {n: s if isinstance(s, str) else sorted(s) for n, s in (self.parts or {}).items()}
        return sha256_json({**rule, "parts": parts, "fold": fold})

    def fold_names(self, index: Index) -> tuple[str, ...]:
        """Names of the folds on this index, in natural order; empty where the protocol has none."""
        return tuple(map(str, _numbers(index, self.split_by))) if self.folds else ()

    def split(self, index: Index, fold: str | None = None) -> Split:
        """Assign the recordings of `index` to parts.

        Where the index has as many recordings as the complete data set, the sizes are asserted; where it has fewer, a
        warning says so, because a figure on part of the data is not the published protocol's figure.

        Raises:
            ProtocolError: another data set, an unknown or missing fold, an empty part, a leak, or wrong sizes.
        """
        if index.dataset != self.dataset:
            raise ProtocolError(
                f"Protocol {self.name} is for the data set {self.dataset}, not {index.dataset}",
                f"Choose one of: {', '.join(list_protocols(index.dataset)) or 'a protocol file of your own'}",
            )
        numbers = self._assign(index, fold)
        ids = {n: tuple(sorted(r.id for r in index if _number(r, self.split_by) in v)) for n, v in numbers.items()}
        split = Split(
            train=ids["train"],
            validation=ids.get("validation", ()),
            test=ids["test"],
            protocol=self.name,
            fold=fold,
            protocol_hash=self.protocol_hash(fold),
            disjoint=self.disjoint,
            validation_unit=self.validation_unit,
        )
        if "validation" in ids and not ids["validation"]:
            raise ProtocolError(
                f"Protocol {self.name} leaves the part 'validation' empty on {index.root}",
                "Complete the data folder, or choose a protocol that fits its subjects and trials",
            )
        checked(split, index)
        self._check_sizes(split, index)
        return split

    def _assign(self, index: Index, fold: str | None) -> dict[str, frozenset[int]]:
        """Subject or trial numbers of each part."""
        present = _numbers(index, self.split_by)
        if self.parts is not None:
            if fold is not None:
                raise ProtocolError(
                    f"Protocol {self.name} has no folds, but fold '{fold}' was asked for", "Leave it out"
                )
            return {name: _select(selector, present) for name, selector in self.parts.items()}
        names = self.fold_names(index)
        if fold not in names:
            asked = "no fold was named" if fold is None else f"it has no fold '{fold}'"
            raise ProtocolError(f"Protocol {self.name} has folds; {asked}", f"Choose one of: {', '.join(names)}")
        return {"train": frozenset(present) - {int(fold)}, "test": frozenset({int(fold)})}

    def _check_sizes(self, split: Split, index: Index) -> None:
        if self.expected is None:
            return
        complete = self.expected.recordings
        if len(index) < complete:
            logger.warning(
                "%s has %d of the %d usable recordings that protocol %s was written for: its figures are not "
                "comparable with those of the complete data set",
                index.root,
                len(index),
                complete,
                self.name,
            )
            return
        sizes = self.expected.folds.get(split.fold or "", {}) if self.folds else self.expected.sizes
        got = {name: len(split.parts[name]) for name in sizes}
        if len(index) > complete or got != sizes:
            raise ProtocolError(
                f"Protocol {self.name} expects {complete} recordings split into {_sizes_text(sizes)}, and {index.root} "
                f"gives {len(index)} split into {_sizes_text(got)}",
                "Check the folder with `vskd datasets index`, or write a protocol of your own for this data",
            )


def _sizes_text(sizes: Mapping[Part, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sizes.items())


def _number(recording: Recording, unit: Unit) -> int:
    return int(recording.subject if unit == "subject" else recording.trial)


def _numbers(index: Index, unit: Unit) -> tuple[int, ...]:
    return tuple(sorted({_number(r, unit) for r in index}))


def _select(selector: str | Sequence[int], present: Sequence[int]) -> frozenset[int]:
    """The numbers that a selector of the YAML means, among those present."""
    if not isinstance(selector, str):
        return frozenset(selector)
    odd = [n for n in present if n % 2]
    if selector == "even":
        return frozenset(present) - frozenset(odd)
    return frozenset({"odd": odd, "odd-but-last": odd[:-1], "last-odd": odd[-1:]}[selector])


def list_protocols(dataset: str) -> tuple[str, ...]:
    """Names of the protocols that come with a data set, sorted."""
    return tuple(sorted(path.name.split(".")[1] for path in PROTOCOLS_FOLDER.glob(f"{dataset}.*.yaml")))


def load_protocol(dataset: str, name: str) -> Protocol:
    """A protocol by its name, or by the path of a YAML file (a name that ends in `.yaml` or `.yml`).

    Raises:
        ProtocolError: no such protocol, or the file is no valid protocol; all that is wrong with it is named at once.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else PROTOCOLS_FOLDER / f"{dataset}.{name}.yaml"
    return parse_protocol_file(path, Protocol, known=list_protocols(dataset), name=name)
