"""Protocols: versioned YAML that says which recordings train, validate and test. Its hash is stamped on every result.

A protocol of one's own:

    name: cross-subject
    version: 1                  # raise it whenever the rule changes
    dataset: utd-mhad
    description: Odd subjects train, even subjects test.
    split_by: subject           # or trial, or part (train, valid, test as the publisher divided the data), or a factor
                                # of the recordings (scene, session); several with hyphens: subject-trial (2-1)
    parts:                      # numbers or names, or odd, even, odd-but-last, last-odd (of the numbers present)
      train: [1, 3, 5, 7]
      test: even
    # folds: leave-one-out      # instead of parts: one fold per subject (or trial), named by it
    # folds: leave-5-out        # or one per five subjects in natural order, named by them (p002-p012-p014-p015-p016)
    # folds: 5-fold           # or five groups, fold1 to fold5, dealt in natural order
    # folds: {1-6: [1, 6], 2-7: [2, 7]}  # or by name: whom each fold tests; all others train
    disjoint: subject           # no subject and no group may be in two parts; `none` allows it
    validation_unit: subject    # what training sets aside for validation where there is no such part; or trial, clip
                                # (source video) or recording
    expected:                   # optional: the sizes on the complete data set; a list where it comes in several forms
      recordings: 861
      sizes: {train: 431, test: 430}
"""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vskd.datasets.catalog import DATASETS
from vskd.datasets.recording import Index
from vskd.datasets.splits.protocol_file import parse_protocol_file
from vskd.datasets.splits.selectors import Folds, Selector, Values, fold_groups, in_order, select
from vskd.datasets.splits.split import (
    CarvedUnit,
    Disjoint,
    Overlap,
    Split,
    SplitUnit,
    carve_validation,
    checked,
    overlaps,
    refuse_empty,
    refuse_spellings,
    refuse_unknown,
    refuse_unknown_unit,
    unit_of,
)
from vskd.errors import ProtocolError, natural_order
from vskd.files import sha256_json
from vskd.schema import Size, Strict

__all__ = ["Protocol", "Split", "carve_validation", "list_protocols", "load_protocol"]

logger = logging.getLogger(__name__)

PROTOCOLS_FOLDER = Path(__file__).parents[1] / "protocols"

Part = Literal["train", "validation", "test"]
_OFFICIAL = ("train", "valid", "test")
_RULE = re.compile(
    r"leave-one-(?P<factor>(?!part-)[a-z0-9_]+)-out|(?P<folds>(?:[2-9]|[1-9]\d+)-fold)(?:-(?P<by>(?!part$)[a-z0-9_]+))?"
)
Sizes = dict[Part, Size]


class Expected(Strict):
    """Sizes of the parts on the complete data set of `recordings` recordings; per fold where the protocol has folds."""

    recordings: Size
    sizes: Sizes = Field(default_factory=dict)
    folds: dict[str, Sizes] = Field(default_factory=dict)


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, Mapping) else value


class Protocol(Strict):
    """A rule that assigns recordings to parts; see the module's text for the keys."""

    name: Annotated[str, Field(min_length=1)]
    version: Size
    dataset: Annotated[str, Field(min_length=1)]
    description: str = ""
    split_by: SplitUnit
    parts: dict[Part, Selector] | None = None
    folds: Folds | None = None
    disjoint: Disjoint
    validation_unit: CarvedUnit
    expected: Annotated[tuple[Expected, ...], BeforeValidator(_as_list)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Protocol":
        if (self.parts is None) == (self.folds is None):
            raise ValueError("give either 'parts' or 'folds'")
        if self.parts is not None and not {"train", "test"} <= set(self.parts):
            raise ValueError("'parts' needs both 'train' and 'test'")
        if self.disjoint == "subject" and self.validation_unit in ("clip", "recording"):
            raise ValueError(f"validation_unit: {self.validation_unit} would share subjects, and disjoint: forbids it")
        lists = self._lists()
        shared: Overlap | None = next(overlaps(lists, self.split_by), None)
        if shared:
            raise ValueError(str(shared))
        if self.split_by == "part":
            self._check_official(lists)
        return self

    def _lists(self) -> dict[str, tuple[str, ...]]:
        """What is listed for each part or fold; nothing for words like `odd`."""
        chosen: Mapping[Any, str | Values] = self.folds if isinstance(self.folds, dict) else self.parts or {}
        return {name: tuple(map(str, s)) for name, s in chosen.items() if not isinstance(s, str)}

    def _check_official(self, lists: Mapping[str, Sequence[str]]) -> None:
        if self.folds is not None or len(lists) < len(self.parts or {}):
            raise ValueError("split_by: part needs 'parts' with lists of train, valid and test")
        unknown = sorted({v for values in lists.values() for v in values} - set(_OFFICIAL))
        if unknown:
            raise ValueError(f"there is no official part '{unknown[0]}'; they are {', '.join(_OFFICIAL)}")

    def protocol_hash(self, fold: str | None = None) -> str:
        """SHA-256 of what decides a split: name, version, data set, rule and fold (not description and sizes)."""
        rule = self.model_dump(mode="json", exclude={"description", "expected", "parts", "folds"}, exclude_none=True)
        parts = {n: s if isinstance(s, str) else in_order(s) for n, s in (self.parts or {}).items()}
        if self.folds is not None:
            folds = self.folds
            rule["folds"] = folds if isinstance(folds, str) else {n: in_order(s) for n, s in folds.items()}
        return sha256_json({**rule, "parts": parts, "fold": fold})

    def fold_names(self, index: Index) -> tuple[str, ...]:
        """Names of the folds on this index, in natural order or the file's; empty where the protocol has none."""
        return tuple(self._tested(index))

    def _tested(self, index: Index) -> dict[str, frozenset[str]]:
        """The subjects (or trials) that each fold tests."""
        if self.folds is None:
            return {}
        if not isinstance(self.folds, str):
            return {name: frozenset(map(str, values)) for name, values in self.folds.items()}
        groups = fold_groups(self.folds, _present(index, self.split_by))
        return {name: frozenset(group) for name, group in groups.items()}

    def split(self, index: Index, fold: str | None = None) -> Split:
        """Assign the recordings of `index` to parts.

        Where the index has as many recordings as the complete data set, the sizes are asserted; where it has fewer, a
        warning says so, because a figure on part of the data is not the published protocol's figure.

        Raises:
            ProtocolError: another data set, an unknown or missing fold, an empty part, a leak, subjects that differ in
                spelling only, or wrong sizes.
        """
        if index.dataset != self.dataset:
            raise ProtocolError(
                f"Protocol {self.name} is for the data set {self.dataset}, not {index.dataset}",
                f"Choose one of: {', '.join(list_protocols(index.dataset)) or 'a protocol file of your own'}",
            )
        refuse_spellings(self.name, index)
        others = self._others()
        if self.disjoint == "subject":
            refuse_unknown(self.name, index, others)  # before the folds, which are named by subjects
        ids = self.parts_of(index, fold)
        split = Split(
            train=ids["train"],
            validation=ids.get("validation", ()),
            test=ids["test"],
            protocol=self.name,
            fold=fold,
            protocol_hash=self.protocol_hash(fold),
            rule_hash=self.protocol_hash(),
            disjoint=self.disjoint,
            validation_unit=self.validation_unit,
        )
        if "validation" in ids and not ids["validation"]:
            refuse_empty(self.name, "validation", index, others)
        checked(split, index, others)
        self._check_sizes(split, index)
        return split

    def parts_of(self, index: Index, fold: str | None = None) -> dict[str, tuple[str, ...]]:
        """Recording ids of each part, sorted; nothing is checked.

        Raises:
            ProtocolError: an unknown or missing fold.
        """
        refuse_unknown_unit(self.name, self.split_by, index)
        values = self._assign(index, fold)
        return {n: tuple(sorted(r.id for r in index if unit_of(r, self.split_by) in v)) for n, v in values.items()}

    def _assign(self, index: Index, fold: str | None) -> dict[str, frozenset[str]]:
        """Subjects, trials or published parts of each part."""
        present = _present(index, self.split_by)
        if self.parts is not None:
            if fold is not None:
                raise ProtocolError(
                    f"Protocol {self.name} has no folds, but fold '{fold}' was asked for", "Leave it out"
                )
            return {name: select(selector, present) for name, selector in self.parts.items()}
        folds = self._tested(index)
        if fold not in folds:
            asked = "no fold was named" if fold is None else f"it has no fold '{fold}'"
            raise ProtocolError(f"Protocol {self.name} has folds; {asked}", f"Name one with --fold: {', '.join(folds)}")
        return {"train": frozenset(present) - folds[fold], "test": folds[fold]}

    def _others(self) -> dict[str, SplitUnit]:
        """The data set's further protocols, and what each splits by."""
        names = [name for name in list_protocols(self.dataset) if name != self.name]
        return {name: load_protocol(self.dataset, name).split_by for name in names}

    def _check_sizes(self, split: Split, index: Index) -> None:
        """Compare with the form of the complete data set that has as many recordings; warn where there is none."""
        if not self.expected:
            return
        known = [e.recordings for e in self.expected]
        form = next((e for e in self.expected if e.recordings == len(index)), None)
        if form is None and len(index) < max(known):
            logger.warning(
                "%s has %d of the %s usable recordings that protocol %s was written for: its figures are not "
                "comparable with those of the complete data set",
                index.root,
                len(index),
                " or ".join(map(str, known)),
                self.name,
            )
            return
        form = form or max(self.expected, key=lambda e: e.recordings)
        sizes = form.folds.get(split.fold or "", {}) if self.folds else form.sizes
        got = {name: len(split.parts[name]) for name in sizes}
        if len(index) > form.recordings or got != sizes:
            raise ProtocolError(
                f"Protocol {self.name} expects {form.recordings} recordings split into {_sizes_text(sizes)}, and "
                f"{index.root} gives {len(index)} split into {_sizes_text(got)}",
                "Check the folder with `vskd datasets index`, or write a protocol of your own for this data",
            )


def _sizes_text(sizes: Mapping[Part, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sizes.items())


def _present(index: Index, unit: SplitUnit) -> tuple[str, ...]:
    return natural_order(unit_of(r, unit) for r in index)


def list_protocols(dataset: str) -> tuple[str, ...]:
    """Names of the protocols that come with a data set, sorted."""
    return tuple(sorted(path.name.split(".")[1] for path in PROTOCOLS_FOLDER.glob(f"{dataset}.*.yaml")))


def load_protocol(dataset: str, name: str) -> Protocol:
    """A protocol by its name, or by the path of a YAML file (a name that ends in `.yaml` or `.yml`).

    Every data set has `leave-one-FACTOR-out` for what its recordings have (subject, trial, or a factor like session),
    and `K-fold` or `K-fold-FACTOR`: groups of its values, by default of subjects, test in turn.

    Raises:
        ProtocolError: no such protocol, one that cannot be offered (it is said why), or the file is no valid protocol;
            all that is wrong with it is named at once.
    """
    refused = DATASETS[dataset].refused if dataset in DATASETS else {}
    if name in refused:
        raise ProtocolError(refused[name], f"Choose one of: {', '.join(list_protocols(dataset))}")
    path = Path(name) if name.endswith((".yaml", ".yml")) else PROTOCOLS_FOLDER / f"{dataset}.{name}.yaml"
    if not path.exists() and (rule := _RULE.fullmatch(name)):
        return _by_rule(dataset, name, rule["factor"] or rule["by"] or "subject", rule["folds"] or "leave-one-out")
    return parse_protocol_file(path, Protocol, known=list_protocols(dataset), name=name)


def _by_rule(dataset: str, name: str, unit: str, folds: str) -> Protocol:
    """The protocol that a name says: what is split by is never on both sides, people only where it is people."""
    people = unit == "subject"
    return Protocol(
        name=name,
        version=1,
        dataset=dataset,
        description=f"Folds by {unit}: each tests once, the others train.",
        split_by=unit,
        folds=folds,
        disjoint="subject" if people else "none",
        validation_unit="subject" if people else "recording",
    )
