"""What the terminal shows of long work: a progress bar on stderr, silent where that is no terminal; common warnings."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")

COMMON = "common"
"""Attribute of a log record (`extra={COMMON: ...}`): said once of all records that the terminal leaves out."""


def track(iterable: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items of `iterable` and show how far it is.

    Args:
        iterable: what to go through.
        description: what is being done, e.g. `Decoding frames`.
        total: number of items; taken from `iterable` where it knows its length.
    """
    if not sys.stderr.isatty():
        yield from iterable
        return
    from rich.console import Console
    from rich.progress import Progress

    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        for item in iterable:
            yield item
            bar.advance(task)
