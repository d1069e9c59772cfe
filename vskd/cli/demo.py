"""`vskd demo`: few labels, many pairs without, on a synthetic world or on UTD-MHAD."""

from pathlib import Path

import click

from vskd.cli.options import FOLDER, VskdCommand


@click.command(cls=VskdCommand, examples=("vskd demo", "vskd demo --out /tmp/demo", "vskd demo --data UTD-MHAD"))
@click.option("--out", type=FOLDER, default=Path("demo"), show_default=True, help="Folder for everything it makes.")
@click.option("--data", type=FOLDER, help="UTD-MHAD, to run it on real recordings.  [default: a synthetic world]")
def demo(out: Path, data: Path | None) -> None:
    """Go from nothing to a verified bundle and a report, on a synthetic world (minutes on two cores).

    Writes paired recordings of a simulated body. Those of one training subject have labels, those of the others are
    pairs without. Trains a teacher on the skeletons, and a student on the accelerometer with it and another without;
    compares them, exports both to int8, verifies a bundle and predicts recordings with it, one a class.
    Run again after an interruption, it goes on where it stopped.
    """
    from vskd.study.demo import run_demo

    click.echo(run_demo(out, data))
