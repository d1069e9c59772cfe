"""`vskd datasets`: what there is to learn from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vskd.cli.options import FOLDER, VskdGroup, json_option
from vskd.cli.output import print_fields, print_json, print_table


@click.group(
    cls=VskdGroup,
    examples=(
        "vskd datasets list",
        "vskd datasets info utd-mhad",
        "vskd datasets index utd-mhad --data UTD-MHAD --json",
        "vskd datasets make-synthetic --out WORLD",
    ),
)
def datasets() -> None:
    """List, describe and index data sets."""


@datasets.command("list", examples=("vskd datasets list", "vskd datasets list --json"))
@json_option
def list_command(as_json: bool) -> None:
    """List the data sets that vskd reads."""
    from vskd.datasets.catalog import DATASETS

    rows = [(name, entry.description) for name, entry in sorted(DATASETS.items())]
    if as_json:
        print_json([{"name": name, "description": description} for name, description in rows])
    else:
        print_table(("data set", "description"), rows)


@datasets.command("info", examples=("vskd datasets info utd-mhad", "vskd datasets info synthetic --json"))
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Describe data set NAME: streams, classes, protocols, terms, and how to get it."""
    from vskd.datasets.catalog import get_dataset

    entry = get_dataset(name)
    names = ("name", "title", "description", "streams", "protocols", "labels", "url", "licence", "citation", "obtain")
    fields = {field: getattr(entry, field) for field in names}
    if as_json:
        print_json(fields)
        return
    lines = [(field, ", ".join(value) if isinstance(value, tuple) else value) for field, value in fields.items()]
    print_fields([(field, value) for field, value in lines if value])


def _print_summary(summary: Mapping[str, Any]) -> None:
    """An index for people: counts, streams, then every problem by name."""
    print_fields(
        [
            ("data set", summary["dataset"]),
            ("folder", summary["root"]),
            ("recordings", summary["recordings"]),
            ("subjects", f"{len(summary['subjects'])} ({', '.join(summary['subjects'])})"),
            ("classes", summary["classes"]),
        ]
    )
    click.echo()
    streams = [
        (name, s["recordings"], ", ".join(f"{rate:g}" for rate in s["rate_hz"]), ", ".join(s["unit"]))
        for name, s in summary["streams"].items()
    ]
    print_table(("stream", "recordings", "rate (Hz)", "unit"), streams)
    click.echo()
    problems = summary["problems"]
    if not problems:
        click.echo("no problems found")
        return
    counts = ", ".join(f"{count} {kind}" for kind, count in summary["problem_counts"].items())
    click.echo(f"problems: {counts}")
    print_table(
        ("kind", "recording", "detail", "file"),
        [(p["kind"], p["recording"], p["detail"], p["path"]) for p in problems],
    )


@datasets.command(
    "index",
    examples=("vskd datasets index utd-mhad --data UTD-MHAD", "vskd datasets index synthetic --data WORLD --json"),
)
@click.argument("name")
@click.option("--data", type=FOLDER, required=True, help="Folder of the data set.")
@json_option
def index_command(name: str, data: Path, as_json: bool) -> None:
    """List the recordings of data set NAME in a folder: subjects, classes, streams, and what is wrong, each named.

    Only names and file headers are read. Problems (missing, corrupt, duplicate, unpaired, unknown) do not stop the
    command: training leaves such recordings out and says so.
    """
    from vskd.datasets.catalog import get_dataset
    from vskd.datasets.summary import index_summary

    summary = index_summary(get_dataset(name).index(data))
    print_json(summary) if as_json else _print_summary(summary)


@datasets.command(
    "make-synthetic",
    examples=("vskd datasets make-synthetic --out WORLD", "vskd datasets make-synthetic --subjects 4 --out WORLD"),
)
@click.option("--out", type=FOLDER, required=True, help="Folder to fill; an unfinished one is completed.")
@click.option("--subjects", type=click.IntRange(1), default=8, show_default=True, help="Number of people.")
@click.option("--actions", type=click.IntRange(1), default=8, show_default=True, help="Number of classes.")
@click.option("--trials", type=click.IntRange(1), default=4, show_default=True, help="Trials of each action.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same bytes.")
@json_option
def make_synthetic(out: Path, subjects: int, actions: int, trials: int, seed: int, as_json: bool) -> None:
    """Write a synthetic world: wrist sensor and video of simulated people, in the layout of UTD-MHAD."""
    from vskd.datasets.synthetic.write import write_world

    written = write_world(out, subjects=subjects, actions=actions, trials=trials, seed=seed)
    total = subjects * actions * trials
    if as_json:
        print_json({"out": out, "recordings": total, "written": written})
    else:
        click.echo(f"{out}: {total} recordings, {written} of them written now")
