"""`vskd forecast`: whether a teacher will help a student, before the hours are spent."""

from pathlib import Path

import click

from vskd.cli.options import FOLDER, VskdCommand, json_option
from vskd.cli.output import print_fields, print_json


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd forecast TEACHER STUDENT",
        "vskd forecast TEACHER ANOTHER-TEACHER STUDENT --json",
    ),
)
@click.argument("teachers", nargs=-1, required=True, type=FOLDER, metavar="TEACHER...")
@click.argument("student", type=FOLDER)
@json_option
def forecast(teachers: tuple[Path, ...], student: Path, as_json: bool) -> None:
    """Foretell from validation recordings whether TEACHER will help STUDENT, a run without a teacher.

    Both are finished run folders. Nothing is trained, and no test recording is looked at. Of several teachers the
    probabilities are averaged.
    """
    from vskd.evaluation.forecast import forecast_of_runs

    found = forecast_of_runs(teachers, student)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_fields(
        [
            ("forecast", found.verdict),
            ("reason", found.reason),
            ("validation", f"{found.n} recordings"),
            ("teacher", f"{100 * found.teacher_accuracy:.1f} %"),
            ("student without it", f"{100 * found.student_accuracy:.1f} %"),
            ("answers differ", f"{100 * found.disagreement:.1f} %"),
            ("teacher alone right", found.only_teacher),
            ("student alone right", found.only_student),
            ("one-sided p", f"{found.p_value:.2g}"),
            ("without a label", f"{100 * found.unlabelled:.0f} % of the training recordings"),
        ]
    )
