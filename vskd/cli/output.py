"""Printing: answers go to stdout, as an aligned table for people or as JSON for programs."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

SHOWN = 5
"""Classes that are printed of an answer; the rest is for programs."""


def print_json(content: Any) -> None:
    """Print `content` as JSON; paths become strings."""
    click.echo(json.dumps(content, indent=2, default=str))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns aligned to the left, two spaces apart, without cutting any cell."""
    lines = [[str(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_fields(fields: Sequence[tuple[str, object]]) -> None:
    """Print `name  value` lines, aligned."""
    width = max((len(name) for name, _ in fields), default=0)
    for name, value in fields:
        # Reports keep number and unit together by a no-break space, which `grep '83.3 %'` would not find.
        click.echo(f"{name.ljust(width)}  {value}".rstrip().replace("\u00a0", " "))


def print_probabilities(probabilities: Mapping[str, float]) -> None:
    """Print the first classes, the most probable ones."""
    click.echo("probabilities")
    print_fields([(f"  {name}", f"{value:.3f}") for name, value in list(probabilities.items())[:SHOWN]])


def print_notes(notes: Sequence[str]) -> None:
    """Print remarks below a table or fields."""
    for note in notes:
        click.echo(f"note: {note}")


def print_next(*words: object) -> None:
    """Say on stderr which command usually follows, so that it can be copied.

    Args:
        words: of the command, behind `vskd`; words in capitals are the reader's to fill in.
    """
    click.echo(f"next: {shlex.join(['vskd', *map(str, words)])}", err=True)


def print_training(
    run: Path,
    epoch: int,
    figures: Mapping[str, Any],
    as_json: bool,
    forecast: tuple[Mapping[str, Any], str] | None = None,
) -> None:
    """Print what a training left: its folder, the epoch whose weights were kept, and that epoch's figures.

    Args:
        run, epoch, figures: of the training.
        as_json: whether for a program.
        forecast: what was to be expected of it, where that is known: for programs, and in words.
    """
    if as_json:
        content = {"run": run, "epoch": epoch, "figures": figures}
        print_json(content if forecast is None else {**content, "forecast": forecast[0]})
        return
    names = {"seconds": "seconds of that epoch"}
    shown = {names.get(n, n): v for n, v in figures.items() if n != "epoch"}
    rest = [(n, f"{v:.4g}" if isinstance(v, float) else v) for n, v in shown.items()]
    expected = [("forecast", forecast[1])] if forecast else []
    print_fields([("run", run), ("epoch kept", epoch + 1), *rest, *expected])  # people count from 1
    print_next("evaluate", run)
