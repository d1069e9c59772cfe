"""`vskd teach`: train a teacher."""

from pathlib import Path

import click

from vskd.cli.options import (
    FOLDER,
    VskdCommand,
    cache_option,
    chosen_recipe,
    json_option,
    recipe_name_option,
    recipe_options,
)
from vskd.cli.output import print_training


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd teach --teacher trn --data UTD-MHAD --protocol cross-subject --out TEACHER",
        "vskd teach --teacher trn --video rgb --data UTD-MHAD --epochs 30 --out TEACHER",
        "vskd teach --teacher convnext-tiny --data DRIVER-INATTENTION --protocol official --out TEACHER",
        "vskd teach --recipe mine.yaml --set teachers.0.sees.segments=4 --out TEACHER",
    ),
)
@recipe_name_option
@recipe_options("teacher", "video", "data", "dataset", "protocol", "fold", "labels", "seed", "teacher_epochs")
@click.option(
    "--number",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    show_default=True,
    help="Which of the recipe's teachers, from 0.",
)
@click.option("--out", type=FOLDER, required=True, metavar="RUN", help="Run folder; an unfinished one is resumed.")
@cache_option
@json_option
@click.pass_context
def teach(
    ctx: click.Context, recipe_name: str | None, number: int, out: Path, cache: Path | None, as_json: bool
) -> None:
    """Train a teacher on what the recipe says that it sees."""
    recipe = chosen_recipe(ctx, recipe_name)

    from vskd.distillation.experiment import DataOnce
    from vskd.distillation.run import default_cache
    from vskd.distillation.tested_labels import warn_of_tested_labels
    from vskd.distillation.train import teach as train_teacher

    data = DataOnce()
    warn_of_tested_labels([recipe.of_teacher(number)], cache or default_cache(out), data)
    result = train_teacher(recipe, out, number=number, cache=cache, data=data)
    print_training(result.run, result.epoch, result.figures, as_json)
