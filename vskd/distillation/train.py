"""The engine: teach a teacher, distil a student; both resumable, both leaving a run folder."""

import os
from pathlib import Path
from typing import Any

import torch

from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.fitting import TrainResult, class_counts, finished, fit, loaders, logged, usable_split
from vskd.distillation.guidance import Guide, check_distiller, guide, needs_teacher, new_distiller, student_widths
from vskd.distillation.inputs import Inputs, student_inputs, teacher_inputs
from vskd.distillation.networks import initial_weights, new_student, new_teacher
from vskd.distillation.run import RunFolder
from vskd.distillation.task import DistillationTask, TeacherTask
from vskd.distillation.teacher.outputs import finished_teacher
from vskd.files import sha256_file
from vskd.models.trn import MultiScaleTRN
from vskd.recipe import Recipe

__all__ = ["TrainResult", "default_cache", "distill", "teach"]


def default_cache(run: Path) -> Path:
    """Where a run keeps its stores when nothing else is said: beside it, so that sibling runs share them."""
    return run.parent / "cache"


def teach(recipe: Recipe, run: Path, *, cache: Path | None = None) -> TrainResult:
    """Train the recipe's teacher, or finish a training that was interrupted.

    Args:
        recipe: what to train.
        run: the run folder; an interrupted run of the same recipe is resumed, a finished one is returned as it is.
        cache: where frames or images are stored; beside the run by default.

    Raises:
        VskdError: bad recipe, data or folder; earlier results stay untouched.
    """
    folder = RunFolder(run, "teacher")
    experiment = prepare(recipe, cache or default_cache(run), needs_teacher=True, needs_student=False)
    folder.begin(recipe, {**experiment.facts(), "cache": os.path.relpath(experiment.cache, run)})
    if folder.complete:
        return finished(folder)
    with logged(folder, experiment.index.problems):
        return _teach(experiment, folder)


def _teach(experiment: Experiment, folder: RunFolder) -> TrainResult:
    recipe, training = experiment.recipe, experiment.recipe.teacher.training
    inputs = teacher_inputs(experiment)
    split = usable_split(experiment, training, inputs.ids, inputs.stream)
    classes = len(experiment.index.labels)
    torch.manual_seed(recipe.teacher_seed)
    network = new_teacher(recipe, classes, inputs.channels)
    initial_weights(network, recipe.teacher.weights)
    if isinstance(network, MultiScaleTRN):
        network.partial_bn(recipe.teacher.weights is not None)
    train_batches, validation_batches = loaders(inputs, split)
    task = TeacherTask(
        network,
        classes=classes,
        training=training,
        seed=recipe.teacher_seed,
        train_batches=train_batches,
        validation_batches=validation_batches,
        class_counts=class_counts(experiment, split.train),
    )
    return fit(task, folder, training, split)


def distill(recipe: Recipe, run: Path, teacher_run: Path | None = None, *, cache: Path | None = None) -> TrainResult:
    """Train the recipe's student with its distiller, or finish a training that was interrupted.

    Args:
        recipe: what to train.
        run: the run folder; resumed or returned as in `teach`.
        teacher_run: a finished teacher; trained in `<run>-teacher` when the distiller needs one and none is given.
        cache: where windows, frames, images and teacher outputs are stored; beside the run by default.

    Raises:
        VskdError: bad recipe, data, teacher or folder; earlier results stay untouched.
    """
    check_distiller(recipe)
    folder = RunFolder(run, "student")
    folder.check_recipe(recipe)  # now, not after an hour of teaching
    cache = cache or default_cache(run)
    listens = needs_teacher(recipe)
    experiment = prepare(recipe, cache, needs_teacher=listens or teacher_run is not None)
    if teacher_run is None and listens:
        teacher_run = run.with_name(run.name + "-teacher")
        teach(recipe, teacher_run, cache=cache)
    inputs = student_inputs(experiment)
    listened = None
    if teacher_run is not None:
        teacher = finished_teacher(experiment, teacher_run)
        if listens:
            listened = guide(recipe, inputs, teacher)
    folder.begin(
        recipe, {**experiment.facts(), "cache": os.path.relpath(cache, run), **_teacher_facts(teacher_run, run)}
    )
    if folder.complete:
        return finished(folder)
    with logged(folder, experiment.index.problems):
        return _distill(experiment, folder, inputs, listened)


def _distill(experiment: Experiment, folder: RunFolder, inputs: Inputs, listened: Guide | None) -> TrainResult:
    recipe, training = experiment.recipe, experiment.recipe.training
    stored = inputs.ids if listened is None else inputs.ids & listened.ids
    split = usable_split(experiment, training, stored, inputs.stream)
    classes = len(experiment.index.labels)
    torch.manual_seed(recipe.seed)  # the student's first weights depend on the seed only, with and without a teacher
    student = new_student(recipe, classes, inputs.channels)
    initial_weights(student.network, recipe.student.weights)
    train_batches, validation_batches = loaders(inputs, split)
    distiller = new_distiller(
        recipe,
        student_widths(student, inputs, listened),
        listened.widths if listened else None,
        samples=inputs.batches(split.train).samples,
        counts=class_counts(experiment, split.train),
    )
    task = DistillationTask(
        student,
        distiller,
        listened.source if listened else None,
        classes=classes,
        training=training,
        seed=recipe.seed,
        train_batches=train_batches,
        validation_batches=validation_batches,
    )
    return fit(task, folder, training, split)


def _teacher_facts(teacher_run: Path | None, run: Path) -> dict[str, Any]:
    if teacher_run is None:
        return {}
    teacher_hash = sha256_file(RunFolder(teacher_run, "teacher").weights_file)
    return {"teacher_run": os.path.relpath(teacher_run, run), "teacher_hash": teacher_hash}
