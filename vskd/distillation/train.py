"""The engine: students and their teachers are trained in one way; resumable, leaving a run folder."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from vskd.distillation.distiller import Distiller, layers
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.fitting import TrainResult, class_counts, finished, fit, loaders, logged, usable_split
from vskd.distillation.listening import teacher_source
from vskd.distillation.model import initial_weights, new_model
from vskd.distillation.run import RunFolder
from vskd.distillation.task import DistillationTask
from vskd.distillation.teacher.outputs import TeacherSource, finished_teacher, tapped
from vskd.errors import RecipeError, SettingError
from vskd.files import sha256_file
from vskd.losses.term import TermContext
from vskd.recipe import Recipe

__all__ = ["TrainResult", "default_cache", "distill", "teach"]

Role = Literal["teacher", "student"]


def default_cache(run: Path) -> Path:
    """Where a run keeps its stores when nothing else is said: beside it, so that sibling runs share them."""
    return run.parent / "cache"


def teach(recipe: Recipe, run: Path, *, number: int = 0, cache: Path | None = None) -> TrainResult:
    """Train one of the recipe's teachers, or finish a training that was interrupted.

    Args:
        recipe: whose teacher.
        run: the run folder; an interrupted run of the same teacher is resumed, a finished one is returned as it is.
        number: of the teacher in the recipe's list.
        cache: where samples are stored; beside the run by default.

    Raises:
        VskdError: bad recipe, data or folder; earlier results stay untouched.
    """
    return distill(recipe.of_teacher(number), run, cache=cache, role="teacher")


def distill(
    recipe: Recipe,
    run: Path,
    teacher_runs: Sequence[Path] = (),
    *,
    cache: Path | None = None,
    role: Role = "student",
) -> TrainResult:
    """Train the recipe's student with its distiller, or finish a training that was interrupted.

    Args:
        recipe: what to train.
        run: the run folder; an interrupted run of the same recipe is resumed, a finished one is returned as it is.
        teacher_runs: finished teachers, one for each of the recipe's; trained in `<run>-teacher` (`-teacher-1` ...)
            when the distiller needs them and none are given.
        cache: where samples and teacher outputs are stored; beside the run by default.
        role: what the run is for, on its record.

    Raises:
        VskdError: bad recipe, data, teacher or folder; earlier results stay untouched.
    """
    folder = RunFolder(run)
    folder.check_recipe(recipe)  # now, not after an hour of teaching
    cache = cache or default_cache(run)
    listens = recipe.distiller.needs_teacher
    experiment = prepare(recipe, cache, with_teachers=listens or bool(teacher_runs))
    if listens and not teacher_runs:
        teacher_runs = _taught(recipe, run, cache)
    teachers = [finished_teacher(experiment, teacher_run) for teacher_run in teacher_runs]
    source = teacher_source(recipe, experiment.inputs, teachers) if listens else None
    folder.begin(
        recipe,
        {
            **experiment.facts(),
            "role": role,
            "cache": os.path.relpath(cache, run),
            "teacher_runs": [os.path.relpath(teacher_run, run) for teacher_run in teacher_runs],
            "teacher_hashes": [sha256_file(teacher.folder.weights_file) for teacher in teachers],
        },
    )
    if folder.complete:
        return finished(folder)
    with logged(folder, experiment.index.problems):
        return _distill(experiment, folder, source)


def _taught(recipe: Recipe, run: Path, cache: Path) -> list[Path]:
    """The runs of the recipe's teachers, beside the student's."""
    runs = []
    for number in range(len(recipe.teachers)):
        runs.append(run.with_name(f"{run.name}-teacher" + (f"-{number}" if number else "")))
        teach(recipe, runs[-1], number=number, cache=cache)
    return runs


def _distill(experiment: Experiment, folder: RunFolder, source: TeacherSource | None) -> TrainResult:
    recipe, inputs, student = experiment.recipe, experiment.inputs, experiment.recipe.student
    stored = inputs.ids if source is None else inputs.ids & source.ids
    split = usable_split(experiment, student.training, stored, inputs.name)
    torch.manual_seed(recipe.seed)  # the first weights depend on the seed only, with and without a teacher
    model = new_model(student, inputs, experiment.classes)
    initial_weights(model.network, student.weights)
    train_batches, validation_batches = loaders(inputs, student.training, recipe.seed, split)
    wanted, _ = layers(recipe.distiller.terms)
    shapes, taps = tapped(model, inputs, wanted)
    batch_size = student.training.batch_size
    distiller = new_distiller(
        recipe,
        TermContext(
            student=shapes,
            teacher=source.shapes if source else {},
            samples=inputs.batches(split.train, batch_size=batch_size).samples,
            class_counts=class_counts(experiment, split.train),
            balanced=student.training.class_weights == "balanced",
            label_smoothing=student.training.label_smoothing,
            seed=recipe.seed,
        ),
    )
    task = DistillationTask(
        model,
        distiller,
        source,
        taps if wanted else None,
        classes=experiment.classes,
        training=student.training,
        seed=recipe.seed,
        train_batches=train_batches,
        validation_batches=validation_batches,
    )
    return fit(task, folder, student.training, split)


def new_distiller(recipe: Recipe, context: TermContext) -> Distiller:
    """The recipe's distiller, its projectors not yet trained.

    Raises:
        RecipeError: a term does not fit the networks.
    """
    try:
        return Distiller(recipe.distiller.terms, recipe.distiller.weighting, context)
    except RecipeError:
        raise
    except SettingError as error:
        raise RecipeError(f"distiller: {error.problem}", error.action) from error
