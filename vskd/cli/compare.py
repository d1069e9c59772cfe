"""`vskd compare`: recipes over seeds, in one table."""

from functools import partial
from pathlib import Path

import click

from vskd.cli.options import FOLDER, LabelsType, VskdCommand, chosen_recipe, json_option, recipe_options
from vskd.cli.output import print_json


def parse_seeds(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    """Read `0,1,2` or `0-4`, each seed once, in order.

    Raises:
        click.BadParameter: something else was typed.
    """
    seeds: list[int] = []
    for part in value.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise click.BadParameter(f"'{part.strip()}' is not a seed; write 0,1,2 or 0-2")
        seeds.extend(range(int(first), int(last if dash else first) + 1))
    if not seeds:
        raise click.BadParameter(f"'{value}' holds no seed; write 0,1,2 or 0-2")
    return tuple(dict.fromkeys(seeds))


def parse_controls(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    """Read `none,self`; empty for no controls."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd compare vskd --controls none --seeds 0,1,2 --data UTD-MHAD --out comparison",
        "vskd compare krca --controls none --data IMAGES --protocol subject-folds --fold all --out comparison",
        "vskd compare vskd --labels subjects=1 --controls none,self,permuted,all-labels --data UTD-MHAD --out few",
        "vskd compare krca --controls none --data IMAGES --workers 4 --teachers TEACHERS --out comparison",
        "vskd compare wrist --curve subjects=1 --curve all --controls none --data UTD-MHAD --out curve",
        "vskd compare mine.yaml other.yaml --seeds 0-4 --int8 --set student.training.epochs=40 --out comparison",
    ),
)
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE...")
@click.option(
    "--seeds",
    default="0,1,2",
    show_default=True,
    metavar="N,...",
    callback=parse_seeds,
    help="Seeds, e.g. 0,1,2 or 0-4.",
)
@click.option(
    "--controls",
    default="",
    callback=parse_controls,
    metavar="NAME,...",
    help="Add each recipe's twins: none (no teacher), self (a teacher like the student), permuted (what the teacher "
    "says belongs to other recordings), permuted-in-class (to others of the class), random-teacher (its network "
    "before it learned), label-smoothing (no teacher, softer labels), all-labels (no teacher, all labels).",
)
@click.option(
    "--curve",
    multiple=True,
    type=LabelsType(),
    metavar="WHO",
    help="A learning curve: every recipe once for each of "
    "these label settings, e.g. --curve subjects=1 --curve fraction=0.5 --curve all.",
)
@recipe_options("data", "dataset", "protocol", "fold", "labels", "epochs")
@click.option("--out", type=FOLDER, required=True, help="Folder for the runs and the table; what is there is reused.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Trainings at a time, each in a "
    "process with as many threads as it would have alone (set `threads` in the recipe); the figures stay the same.",
)
@click.option(
    "--teachers",
    type=FOLDER,
    metavar="FOLDER",
    help="Folder of teachers' runs, shared between comparisons.  [default: teachers, in OUT]",
)
@click.option("--int8", is_flag=True, help="Export every student too, and give its int8 model a row of its own.")
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    recipes: tuple[str, ...],
    seeds: tuple[int, ...],
    controls: tuple[str, ...],
    curve: tuple[str, ...],
    out: Path,
    workers: int,
    teachers: Path | None,
    int8: bool,
    as_json: bool,
) -> None:
    """Run what is missing of RECIPES x seeds, then compare: mean, deviation, interval and a paired test against no-KD.

    Recipes that share a teacher share its training and its cache. Results of different protocols never share a table;
    those of different labels have a column that says so. Where a student without a teacher is compared, too, and had
    validation recordings, a forecast says before each training whether the teacher will help; the table says whether
    that came true.
    `--fold all` runs every fold of the protocol and pools them: each recording is tested once per seed.
    """
    from vskd.study.compare import compare as run_comparison
    from vskd.study.controls import with_controls
    from vskd.study.label_curve import along

    chosen = with_controls(along([chosen_recipe(ctx, name) for name in recipes], curve), controls)

    after_run = None
    if int8:
        from vskd.study.deploy import export_and_evaluate

        after_run = export_and_evaluate
    comparison = run_comparison(
        chosen, seeds, out, after_run=after_run, workers=workers, teachers=teachers, say=partial(click.echo, err=True)
    )
    if as_json:
        print_json(comparison.model_dump(mode="json"))
        return
    from vskd.study.comparison_tables import to_text

    click.echo(to_text(comparison), nl=False)
