"""Rounds: teacher -> student -> teacher -> student, each learning from what the other says of pairs without labels.

As in co-training (Blum & Mitchell, COLT 1998): two views of the same recordings, each labelling for the other.
"""

from collections.abc import Sequence
from pathlib import Path

from vskd.distillation.beforehand import refuse_untrainable
from vskd.distillation.experiment import prepare
from vskd.distillation.run import default_cache
from vskd.distillation.train import Ready, TrainResult, distill, teach
from vskd.errors import RecipeError
from vskd.recipe import Recipe
from vskd.recipe.distiller import terms_that_reuse
from vskd.recipe.roles import Teacher


def distill_in_rounds(
    recipe: Recipe,
    run: Path,
    teacher_runs: Sequence[Path] = (),
    *,
    rounds: int,
    cache: Path | None = None,
    ready: Ready | None = None,
) -> TrainResult:
    """Train a student in rounds; the last one lies in `run`, earlier ones and their teachers beside it.

    From the second round on, the teacher is trained anew as the recipe says, but with the distiller, and with the
    student of the round before as its own teacher. What is finished is not trained again.

    Args:
        recipe: of one teacher.
        run: of the last student.
        teacher_runs: the finished teacher of the first round; trained where none is given.
        rounds: 2 or more.
        cache, ready: as of `distill`; the first round's student is the one that is foretold.

    Raises:
        RecipeError: several rounds of a recipe without a teacher, with several, with one that is cross-fitted, or with
            one whose classifier is reused.
        VskdError: as `distill`; what is wrong with any round before the first training.
    """
    _check(recipe)
    _refuse_untrainable(recipe, cache or default_cache(run), given=bool(teacher_runs))
    teachers = list(teacher_runs)
    if not teachers:
        first = run.with_name(f"{run.name}-teacher")
        teach(recipe, first, cache=cache)
        teachers = [first]
    for number in range(1, rounds):
        student = run.with_name(f"{run.name}-round-{number}")
        distill(recipe, student, teachers, cache=cache, ready=ready if number == 1 else None)
        taught = run.with_name(f"{run.name}-teacher-round-{number + 1}")
        distill(taught_teacher(recipe), taught, [student], cache=cache, role="teacher")
        teachers = [taught]
    return distill(recipe, run, teachers, cache=cache)


def taught_teacher(recipe: Recipe) -> Recipe:
    """By what the teacher is trained that learns from the recipe's student."""
    own = recipe.of_teacher()
    student = recipe.student
    as_teacher = Teacher(sees=student.sees, network=student.network, weights=student.weights, training=student.training)
    distiller = recipe.distiller.model_copy(update={"teacher_outputs": "auto"})
    return own.model_copy(update={"teachers": (as_teacher,), "distiller": distiller})


def _refuse_untrainable(recipe: Recipe, cache: Path, *, given: bool) -> None:
    """Refuse what one of the rounds could not train: the student, or the teacher that learns from it."""
    refuse_untrainable(prepare(recipe, cache, with_teachers=True), with_teachers=not given)
    try:
        refuse_untrainable(prepare(taught_teacher(recipe), cache, with_teachers=True), with_teachers=True)
    except RecipeError as error:
        turned = "In round 2 the teacher learns from the student by the same distiller, and"
        raise RecipeError(f"{turned} {error.problem}", error.action) from error


def _check(recipe: Recipe) -> None:
    if terms_that_reuse(recipe.distiller.terms):
        raise RecipeError(
            f"Several rounds of recipe {recipe.name}, in which the teacher would have to take over the classifier of "
            "the student, which is its own",
            "Leave --rounds out",
        )
    guided = recipe.distiller.needs_teacher
    if not guided or len(recipe.teachers) != 1 or recipe.teachers[0].cross_fit is not None:
        what = "several teachers" if len(recipe.teachers) > 1 else "a cross-fitted teacher" if guided else "no teacher"
        raise RecipeError(f"Several rounds of recipe {recipe.name}, which has {what}", "Leave --rounds out")
