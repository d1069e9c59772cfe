"""The errors a user of vskd can meet.

Every message is built from two parts: what is wrong (naming the file and the field) and the next action. The command
line prints them as one line; a library user catches `VskdError`.
"""

import contextlib
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class VskdError(Exception):
    """Base of all errors that are the user's to solve.

    Args:
        problem: what is wrong, naming the file, the field and the value found.
        action: what to do next, as an imperative sentence.
    """

    def __init__(self, problem: str, action: str) -> None:
        self.problem = problem.rstrip(". ")
        self.action = action.rstrip(". ")
        end = "" if self.problem.endswith("?") else "."
        super().__init__(f"{self.problem}{end} {self.action}.")

    def __reduce__(self) -> tuple[type["VskdError"], tuple[Any, ...]]:
        """Keep both parts when the error crosses a process boundary (data loader workers)."""
        return (type(self), (self.problem, self.action))


class DataError(VskdError):
    """A data set, recording or stream is missing, unreadable or not what its contract says."""


class ProtocolError(VskdError):
    """A protocol does not fit the data set, or would let training data leak into a test."""


class SettingError(VskdError):
    """A component was asked for a setting that it does not have, or that does not fit its input."""


class RecipeError(SettingError):
    """A recipe or a command-line option is invalid."""


@contextlib.contextmanager
def as_recipe_error(where: str) -> Iterator[None]:
    """Say of a setting that a component refuses inside where in the recipe it stands; other errors pass.

    Args:
        where: begins the message.

    Raises:
        RecipeError: in place of a SettingError.
    """
    try:
        yield
    except RecipeError:
        raise
    except SettingError as error:
        raise RecipeError(f"{where}: {error.problem}", error.action) from error


class CacheError(VskdError):
    """A stored intermediate result (frames, windows, teacher outputs) belongs to something else or is damaged."""


class DamagedCacheError(CacheError):
    """A stored intermediate result is damaged; deleting the file has it made again.

    Args:
        path: of the file.
        problem, action: as for `VskdError`.
    """

    def __init__(self, path: Path, problem: str, action: str) -> None:
        self.path = path
        super().__init__(problem, action)

    def __reduce__(self) -> tuple[type["VskdError"], tuple[Any, ...]]:
        """Keep the path too."""
        return (type(self), (self.path, self.problem, self.action))


class CheckpointError(VskdError):
    """A checkpoint or weight file is missing, damaged, unsafe or of another network."""


class BundleError(VskdError):
    """A bundle is incomplete, was changed after it was made, or does not fit the input it is given."""


class LinkError(VskdError):
    """The line to a device cannot be opened, is silent, or speaks another protocol; or the device refuses."""


class MissingExtraError(VskdError):
    """An optional dependency is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"This needs the package '{package}', which is not installed", f"Run: pip install 'vskd[{extra}]'"
        )

    def __reduce__(self) -> tuple[type["VskdError"], tuple[Any, ...]]:
        """Rebuild from the constructor's own arguments."""
        return (type(self), (self.package, self.extra))


class RunError(VskdError):
    """A run folder belongs to another recipe, is unfinished, or cannot be continued."""


class DivergedError(VskdError):
    """The loss or the weights of a training are no longer finite numbers."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """`did you mean 'x'?` for the valid name nearest to `name`, or empty where none is near."""
    close = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else ""


def nearest(name: str, valid: Sequence[str]) -> str:
    """A clause that proposes the valid name nearest to `name`, or lists all of them."""
    return did_you_mean(name, valid) or f"valid names: {', '.join(sorted(valid))}"


def lookup(
    catalog: Mapping[str, T], name: str, kind: str, error: type[VskdError] = SettingError, *, also: str = ""
) -> T:
    """The entry of a catalog.

    Args:
        catalog: by name.
        name: what was asked for.
        kind: what the entries are, for the message, e.g. `network`.
        error: the class to raise.
        also: what to do instead of choosing one, e.g. `give the path of a file`.

    Raises:
        SettingError: (or `error`) there is none of that name; the nearest one is given.
    """
    if name not in catalog:
        near = did_you_mean(name, catalog)
        problem = f"There is no {kind} '{name}'" + (f"; {near}" if near else "")
        raise error(problem, f"Choose one of: {', '.join(sorted(catalog))}" + (f"; or {also}" if also else ""))
    return catalog[name]


def natural_order(names: Iterable[str]) -> tuple[str, ...]:
    """The different names as people sort them: text as text, numbers in it by size.

    >>> natural_order(["10", "2", "p002", "2", "bo", "S10", "S2", "anna"])
    ('2', '10', 'anna', 'bo', 'p002', 'S2', 'S10')
    """
    return tuple(sorted(set(names), key=_natural))


def _natural(name: str) -> tuple[list[str | int], str]:
    """Text and numbers in turns, so that text only ever meets text; then the name, which tells `a1` from `A01`."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if place % 2 else part.casefold() for place, part in enumerate(parts)], name


def is_number(text: str) -> bool:
    """Whether a cell of a table is a number (a finite one or not).

    >>> [is_number(cell) for cell in ("1e-3", " 4 ", "nan", "x", "")]
    [True, True, True, False, False]
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def rounded(value: float, digits: int = 3) -> str:
    """A number for people, of so many digits; a great one is a whole number, and never `3.6e+03`.

    >>> rounded(0.01234), rounded(3600.2), rounded(120.0, 2), rounded(999.7)
    ('0.0123', '3600', '120', '1000')
    """
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text else text


def repeated(names: Iterable[str]) -> str:
    """What stands in a list more than once, and how often; empty where nothing does.

    >>> repeated(["a", "b", "a"])
    'a (2 times)'
    """
    counts = Counter(names)
    return first_few([f"{name} ({count} times)" for name, count in counts.items() if count > 1], 6, ", ")


def first_few(named: Sequence[str], most: int, separator: str = "; ") -> str:
    """A list that stays readable: the first `most` of `named`, and how many there are besides.

    >>> first_few(["a", "b", "c"], 2)
    'a; b; and 1 more'
    >>> first_few(["a", "b", "c"], 2, ", ")
    'a, b and 1 more'
    """
    more = len(named) - most
    joint = ";" if separator == "; " else ""
    return separator.join(named[:most]) + (f"{joint} and {more} more" if more > 0 else "")
