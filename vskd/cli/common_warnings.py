"""Warnings that many files of a data set share: the terminal shows a few of them and counts the others.

A record that carries `COMMON`, a sentence that holds for all of its kind, may be left out, and so is what stands there
in the same words already, as each run of a comparison says it; no other is. Log files and `-v` have every one.
"""

import logging
from collections import Counter

import click

from vskd.progress import COMMON

SHOWN = 3
"""Records of one kind that are shown."""


class CommonWarnings(logging.Filter):
    """Lets the first few records of each kind through, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = Counter[str]()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show a record; of equal warnings the first one."""
        kind = getattr(record, COMMON, None)
        if kind is None:
            return record.levelno != logging.WARNING or self._is_new(record.getMessage())
        self._seen[kind] += 1
        return self._seen[kind] <= SHOWN

    def _is_new(self, text: str) -> bool:
        known = text in self._said
        self._said.add(text)
        return not known

    def say_left_out(self) -> None:
        """Write one line to stderr for each kind of which records were left out, and begin anew."""
        for kind, count in self._seen.items():
            if count > SHOWN:
                click.echo(f"WARNING: {count - SHOWN:,} more like this: {kind} (-v names them)", err=True)
        self._seen.clear()
        self._said.clear()
