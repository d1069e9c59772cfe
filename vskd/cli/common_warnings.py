"""Warnings that many files of a data set share: the terminal shows a few of them and counts the others.

A record that carries `COMMON`, a sentence that holds for all of its kind, may be left out; no other is. Log files and
`-v` have every one.
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

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show a record."""
        kind = getattr(record, COMMON, None)
        if kind is None:
            return True
        self._seen[kind] += 1
        return self._seen[kind] <= SHOWN

    def say_left_out(self) -> None:
        """Write one line to stderr for each kind of which records were left out, and begin anew."""
        for kind, count in self._seen.items():
            if count > SHOWN:
                click.echo(f"WARNING: {count - SHOWN:,} more like this: {kind} (-v names them)", err=True)
        self._seen.clear()
