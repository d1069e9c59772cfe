"""How a protocol's YAML names subjects, trials and parts of the published split: lists, words, and folds."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator

from vskd.errors import ProtocolError, first_few, repeated

_WORDS = ("odd", "even", "odd-but-last", "last-odd")
_LEAVE_OUT = re.compile(r"leave-(one|[1-9]\d*)-out")
_K_FOLD = re.compile(r"([2-9]|[1-9]\d+)-fold")


def _is_value(value: object) -> bool:
    """A number, or a name that could not be mistaken for one."""
    if isinstance(value, str):
        return value == value.strip() != "" and not value.isdecimal()
    return type(value) is int and value >= 0


def _selector(value: object) -> object:
    """One message for the whole choice, where pydantic would give one per alternative."""
    if isinstance(value, list | tuple) and all(_is_value(v) for v in value):
        _refuse_twice("the list", value)
        return tuple(value)
    if value not in _WORDS:
        raise ValueError(f"give a list of numbers or names, or one of {', '.join(_WORDS)}")
    return value


def _refuse_twice(what: str, values: Sequence[object]) -> None:
    """Whoever lists a subject twice meant another one."""
    if several := repeated(map(str, values)):
        raise ValueError(f"{what} names more than once: {several}")


def _folds(value: object) -> object:
    """`leave-one-out`, `leave-N-out`, `K-fold`, or the tested subjects (or trials) of each fold by name."""
    if isinstance(value, str) and (_LEAVE_OUT.fullmatch(value) or _K_FOLD.fullmatch(value)):
        return value
    if not isinstance(value, Mapping) or len(value) < 2:
        raise ValueError("give leave-one-out, leave-N-out, K-fold, or at least two folds as NAME: [numbers or names]")
    for name, members in value.items():
        if not isinstance(name, str) or name != name.strip() or not name:
            raise ValueError(f"the fold's name {name!r} is no text; put it into quotes")
        if not isinstance(members, list | tuple) or not members or not all(_is_value(v) for v in members):
            raise ValueError(f"the fold '{name}' is no list of numbers or names")
        _refuse_twice(f"the fold '{name}'", members)
    return {name: tuple(members) for name, members in value.items()}


Values = tuple[int | str, ...]
Selector = Annotated[str | Values, BeforeValidator(_selector)]
Folds = Annotated[str | dict[str, Values], BeforeValidator(_folds)]


def in_order(values: Values) -> list[int | str]:
    """Numbers by size, then names."""
    return sorted(values, key=lambda v: (isinstance(v, str), v if isinstance(v, int) else 0, str(v)))


def select(selector: str | Values, present: Sequence[str]) -> frozenset[str]:
    """The values that a selector of the YAML means, among those present (in natural order).

    Raises:
        ProtocolError: a word like `odd` where the values are names.
    """
    if not isinstance(selector, str):
        return frozenset(map(str, selector))
    names = [value for value in present if not value.isdecimal()]
    if names:
        raise ProtocolError(
            f"'{selector}' needs numbers, and this data set has {first_few(names, 5, ', ')}",
            "Give a protocol that lists them with --protocol (`vskd datasets import` writes one beside dataset.yaml)",
        )
    odd = [value for value in present if int(value) % 2]
    if selector == "even":
        return frozenset(present) - frozenset(odd)
    return frozenset({"odd": odd, "odd-but-last": odd[:-1], "last-odd": odd[-1:]}[selector])


def fold_groups(rule: str, present: Sequence[str]) -> dict[str, Sequence[str]]:
    """What each fold of a rule tests, by the fold's name.

    Of `K-fold`, each value goes to the next of K groups, fold1 to foldK; the others are named by what they test.

    Raises:
        ProtocolError: there are fewer values than folds.

    >>> fold_groups("2-fold", ("1", "2", "3"))
    {'fold1': ('1', '3'), 'fold2': ('2',)}
    """
    if not _K_FOLD.fullmatch(rule):
        return {"-".join(group): group for group in leave_out_groups(rule, present)}
    count = int(rule.split("-")[0])
    if count > len(present):
        raise ProtocolError(
            f"{rule} needs {count} values to split by, and there are {len(present)}: {first_few(present, 5, ', ')}",
            "Take fewer folds, or leave-one-out",
        )
    return {f"fold{k + 1}": present[k::count] for k in range(count)}


def leave_out_groups(rule: str, present: Sequence[str]) -> list[Sequence[str]]:
    """Neighbours in `present` that `leave-one-out` or `leave-N-out` tests together; the last group may be smaller."""
    count = rule.split("-")[1]
    step = 1 if count == "one" else int(count)
    return [present[start : start + step] for start in range(0, len(present), step)]
