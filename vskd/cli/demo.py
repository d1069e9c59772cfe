"""`vskd demo`: every step on a synthetic world."""

from pathlib import Path

import click

from vskd.cli.options import FOLDER, VskdCommand


@click.command(cls=VskdCommand, examples=("vskd demo", "vskd demo --out /tmp/demo"))
@click.option("--out", type=FOLDER, default=Path("demo"), show_default=True, help="Folder for everything it makes.")
def demo(out: Path) -> None:
    """Go from nothing to a verified bundle and a report, on a synthetic world (minutes on two cores).

    Writes paired recordings of a simulated arm, trains a teacher on the video and two students on the accelerometer
    (with and without distillation), compares them, exports the student to int8, verifies the bundle and predicts with
    it.
    Run again after an interruption, it goes on where it stopped.
    """
    from vskd.study.demo import run_demo

    click.echo(run_demo(out))
