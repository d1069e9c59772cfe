"""`vskd doctor`: what is wrong with data, worst first."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vskd.cli.options import FILE, VskdCommand, data_set_arguments, json_option
from vskd.cli.output import print_fields, print_json, print_next, print_table

if TYPE_CHECKING:
    from vskd.datasets.doctor.diagnose import Diagnosis
    from vskd.datasets.doctor.finding import Finding

NAMED = 5
"""Recordings of a finding that the table names."""


@click.command(
    "doctor",
    cls=VskdCommand,
    examples=(
        "vskd doctor utd-mhad --data UTD-MHAD",
        "vskd doctor DATASET --html doctor.html",
        "vskd doctor driver-inattention --data IMAGES --protocol subject-folds --fold 1-6 --json",
    ),
)
@data_set_arguments
@click.option("--protocol", metavar="NAME|FILE", help="Protocol to look for leaks in.  [default: the usual one]")
@click.option("--fold", metavar="FOLD", help="One fold of a protocol that has folds; by default all of them.")
@click.option(
    "--window",
    "window_s",
    type=click.FloatRange(0),
    default=0.0,
    metavar="S",
    help="Seconds of the window that a model will see.  [default: recordings are seen whole]",
)
@click.option("--html", type=FILE, help="Page with all findings and plots.")
@json_option
@click.pass_context
def doctor(
    context: click.Context,
    name: str,
    data: Path | None,
    protocol: str | None,
    fold: str | None,
    window_s: float,
    html: Path | None,
    as_json: bool,
) -> None:
    """Say what is wrong with a data set and what to do, in order of how much it hurts a model.

    Each file is read once. The order: first what makes figures untrustworthy (marked with !), then by the share of the
    recordings touched times the severity of the finding, which docs/data.md explains. Exit code 1 where something makes
    figures untrustworthy.
    """
    from vskd.datasets.catalog import entry_and_root
    from vskd.datasets.doctor.diagnose import diagnose, first_protocol

    entry, root = entry_and_root(name, data)
    found = diagnose(entry, root, protocol=protocol, fold=fold, window_s=window_s)
    if html is not None:
        from vskd.evaluation.report.doctor_page import write_doctor_page

        write_doctor_page(html, found)
    print_json(found.summary()) if as_json else _print(found)
    if not found.trustworthy:
        context.exit(1)
    if not as_json:
        _print_next(found, root, protocol or first_protocol(entry, root))


def _print_next(found: "Diagnosis", root: Path, protocol: str) -> None:
    """To train on what was looked at: by the same protocol."""
    first, *_ = found.survey.splits
    words = ("--dataset", found.survey.index.dataset, "--data", root, "--protocol", protocol)
    print_next("distill", *words, *(("--fold", first.fold) if first.fold else ()), "--out", "RUN")


def _print(found: "Diagnosis") -> None:
    from vskd.datasets.doctor.catalog import CHECKS

    index = found.survey.index
    print_fields(
        [
            ("data set", index.dataset),
            ("folder", index.root),
            ("recordings", f"{found.survey.total} of {len(index.subjects)} subjects in {len(index.labels)} classes"),
            ("checks", f"{len(CHECKS)}, {len({f.check for f in found.findings})} of them found something"),
        ]
    )
    for finding in found.findings:
        click.echo()
        _print_finding(finding)
    if not found.findings:
        click.echo("nothing is wrong that vskd looks for")
        return
    click.echo()
    rows = [("!" if f.untrustworthy else "", f.check, len(f.recordings), f"{f.weight:.3f}") for f in found.findings]
    print_table(("", "finding", "recordings", "weight"), rows)


def _print_finding(finding: "Finding") -> None:
    from vskd.errors import first_few

    touched = [f"{len(finding.recordings)}: {first_few(finding.recordings, NAMED, ', ')}"] if finding.recordings else []
    print_fields(
        [
            ("! finding" if finding.untrustworthy else "  finding", finding.check),
            ("  what", finding.what),
            *(("  recordings", named) for named in touched),
            ("  next", finding.action),
        ]
    )
