"""`vskd distill`: train a student."""

from collections.abc import Sequence
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
        "vskd distill --teacher trn --student resnet18 --data UTD-MHAD --protocol cross-subject --out RUN",
        "vskd distill --teacher-run TEACHER --distiller kd --data UTD-MHAD --out RUN",
        "vskd distill --distiller none --data UTD-MHAD --seed 1 --epochs 40 --out RUN",
        "vskd distill --recipe dangerous-driving --data DRIVER-INATTENTION --out RUN",
        "vskd distill --recipe wrist --student-run RUN --protocol enrolment --labels untested-subjects "
        "--data UTD-MHAD --out RUN2",
        "vskd distill --recipe wrist --labels subjects=1 --rounds 2 --data UTD-MHAD --out RUN",
        "vskd distill --recipe mine.yaml --set distiller.terms.rkd_angle.weight=2 --out RUN",
    ),
)
@recipe_name_option
@recipe_options(
    *("teacher", "student", "distiller", "sensor", "video", "data", "dataset", "protocol", "fold", "labels"),
    *("student_run", "seed", "epochs"),
)
@click.option(
    "--teacher-run",
    "teacher_runs",
    type=FOLDER,
    metavar="RUN",
    multiple=True,
    help="Finished `vskd teach` folder, one for each teacher; without it they are trained too, in RUN-teacher.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Teacher, student, teacher, student ...: each learns from what the other says of pairs without labels.",
)
@click.option("--out", type=FOLDER, required=True, metavar="RUN", help="Run folder; an unfinished one is resumed.")
@cache_option
@json_option
@click.pass_context
def distill(
    ctx: click.Context,
    recipe_name: str | None,
    teacher_runs: tuple[Path, ...],
    rounds: int,
    out: Path,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Train a student with teachers that saw the same recordings, or without.

    The recipe says what each of them sees, e.g. the student a sensor and the teacher video, or both images.
    Where a finished run of the same student without a teacher lies beside RUN, a forecast says whether the teacher
    will help, before the student is trained; see `vskd forecast`.
    """
    recipe = chosen_recipe(ctx, recipe_name)

    from vskd.distillation.experiment import DataOnce
    from vskd.distillation.run import default_cache
    from vskd.distillation.tested_labels import warn_of_tested_labels
    from vskd.distillation.train import distill as train_student
    from vskd.evaluation.forecast import Forecast, forecast_before
    from vskd.study.rounds import distill_in_rounds

    foretold: list[Forecast] = []

    def foretell(teachers: Sequence[Path]) -> None:
        forecast = forecast_before(recipe, out, teachers)
        if forecast is not None:
            foretold.append(forecast)
            click.echo(f"forecast: {forecast}", err=True)  # now, while there is time to stop

    data = DataOnce()
    warn_of_tested_labels([recipe], cache or default_cache(out), data)
    if rounds == 1:
        result = train_student(recipe, out, teacher_runs, cache=cache, ready=foretell, data=data)
    else:
        result = distill_in_rounds(recipe, out, teacher_runs, rounds=rounds, cache=cache, ready=foretell)
    said = next(((made.model_dump(mode="json"), str(made)) for made in foretold), None)
    print_training(result.run, result.epoch, result.figures, as_json, said)
