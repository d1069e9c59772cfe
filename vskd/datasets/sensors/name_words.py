"""Which words a file's name says, by a pattern like `s{subject}/{label}_{trial}.csv`."""

import re
from collections.abc import Mapping
from functools import lru_cache

from vskd.datasets.sensors.folder_description import PLACEHOLDER
from vskd.errors import DataError

_NUMBERS = (None, ("subject", "trial"), ("trial",), ("subject",))
"""Words that are numbers, where a name can be read in several ways: all but the label, else these."""


def words_of_name(pattern: str, name: str) -> Mapping[str, str] | None:
    """What a name says; None where it does not fit the pattern.

    Words in braces stand for any text within one part of the path, `*` for the shortest text that fits. Where a name
    can be read in several ways, subject, trial and factors are numbers: `sit_down_2` is the second `sit_down`.

    Args:
        pattern: of names.
        name: path of the file from the folder, with slashes.

    Raises:
        DataError: it can be read in several ways even so.

    >>> words_of_name("s{subject}/{label}_{trial}.csv", "s01/sit_down_2.csv")
    {'subject': '01', 'label': 'sit_down', 'trial': '2'}
    """
    found = _readings(pattern, name, ())
    if len(found) < 2:
        return next(iter(found), None)
    every = tuple(word for word in PLACEHOLDER.findall(pattern) if word != "label")
    for numbers in _NUMBERS:
        narrowed = _readings(pattern, name, every if numbers is None else numbers)
        if len(narrowed) == 1:
            (only,) = narrowed
            return only
    ways = " or ".join(", ".join(f"{word} '{value}'" for word, value in one.items()) for one in found)
    raise DataError(
        f"{name}: fits the pattern '{pattern}' in several ways: {ways}",
        "Write the pattern so that it fits in one way only, or list the files in a table (--table)",
    )


def _readings(pattern: str, name: str, numbers: tuple[str, ...]) -> list[dict[str, str]]:
    """The reading with the shortest words and that with the longest: one where they are the same, none without any.

    Where they are the same there is no other: of the first word there is none between, then of the second, and so on.
    """
    matches = [_regex(pattern, numbers, longest).fullmatch(name) for longest in (False, True)]
    found = [match.groupdict() for match in matches if match]
    return found[:1] if len(found) == 2 and found[0] == found[1] else found


@lru_cache(maxsize=256)
def _regex(pattern: str, numbers: tuple[str, ...], longest: bool) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\}|\*)", pattern)
    return re.compile("".join(_regex_of(part, numbers, longest) for part in parts))


def _regex_of(part: str, numbers: tuple[str, ...], longest: bool) -> str:
    word = PLACEHOLDER.fullmatch(part)
    if word:
        return f"(?P<{word[1]}>{r'[0-9]+' if word[1] in numbers else '[^/]+'}{'' if longest else '?'})"
    return "[^/]*?" if part == "*" else re.escape(part)
