"""The engine: students and their teachers are trained in one way; resumable, leaving a run folder."""

import dataclasses
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from vskd.datasets.splits.split import Split
from vskd.distillation.batch_norm import refuse_single_samples
from vskd.distillation.beforehand import refuse_untrainable
from vskd.distillation.bfloat16 import warn_where_slow
from vskd.distillation.distiller import hears_logits, layers, new_distiller, term_context
from vskd.distillation.experiment import DataOnce, Experiment
from vskd.distillation.fitting import (
    TrainResult,
    class_counts,
    finished,
    fit,
    loaders,
    logged,
    plain_batches,
    usable_split,
)
from vskd.distillation.going_on import start_from, started_from, weights_file
from vskd.distillation.lineage import learned_with
from vskd.distillation.model import new_model
from vskd.distillation.near_copies import look_for_copies
from vskd.distillation.renewal import renewing
from vskd.distillation.ridge import fitted_classifier, heard
from vskd.distillation.run import RunFolder, default_cache
from vskd.distillation.teacher.confident import confident, probabilities_of
from vskd.distillation.teacher.cross_fit import fold_recipe, fold_run, fold_subjects
from vskd.distillation.teacher.outputs import FinishedTeacher, TeacherSource, finished_teacher, tapped
from vskd.distillation.teacher.reused import reuse_classifier
from vskd.distillation.teacher.source import Folds, teacher_source
from vskd.errors import RunError, as_recipe_error
from vskd.files import sha256_file
from vskd.locks import lock_of, only_writer
from vskd.models.weights.state import read_metadata
from vskd.recipe import Recipe
from vskd.recipe.distiller import Confidence

if TYPE_CHECKING:
    from vskd.distillation.lightning_imports import Callback
    from vskd.distillation.task import DistillationTask

logger = logging.getLogger(__name__)

__all__ = ["TrainResult", "distill", "teach"]

Role = Literal["teacher", "student"]
Ready = Callable[[Sequence[Path]], None]
"""Gets the finished teachers' runs."""


def teach(
    recipe: Recipe, run: Path, *, number: int = 0, cache: Path | None = None, data: DataOnce | None = None
) -> TrainResult:
    """Train one of the recipe's teachers, or finish a training that was interrupted.

    Args:
        recipe: whose teacher.
        run: the run folder; an interrupted run of the same teacher is resumed, a finished one is returned as it is.
        number: of the teacher in the recipe's list.
        cache: where samples are stored; beside the run by default.
        data: see `distill`.

    Raises:
        VskdError: bad recipe, data or folder; earlier results stay untouched.
    """
    return distill(recipe.of_teacher(number), run, cache=cache, role="teacher", data=data)


def distill(
    recipe: Recipe,
    run: Path,
    teacher_runs: Sequence[Path] = (),
    *,
    cache: Path | None = None,
    role: Role = "student",
    ready: Ready | None = None,
    data: DataOnce | None = None,
) -> TrainResult:
    """Train the recipe's student with its distiller, or finish a training that was interrupted.

    Args:
        recipe: what to train.
        run: the run folder; an interrupted run of the same recipe is resumed, a finished one is returned as it is.
        teacher_runs: finished teachers, one for each of the recipe's; trained in `<run>-teacher` (`-teacher-1` ...)
            when the distiller needs them and none are given.
        cache: where samples and teacher outputs are stored; beside the run by default.
        role: what the run is for, on its record.
        ready: called once its teachers are, before the student is trained, e.g. to say what is to be expected.
        data: the data set, where it was looked at just now; it is looked at here by default.

    Raises:
        VskdError: bad recipe, data, teacher or folder; earlier results stay untouched.
    """
    folder = RunFolder(run)
    folder.check_recipe(recipe)  # now, not after an hour of teaching, and before anything is written there
    if folder.complete or folder.sealed:
        folder.check_intact()
    cache = cache or default_cache(run)
    data = data or DataOnce()
    experiment = data.prepare(recipe, cache, with_teachers=recipe.distiller.needs_teacher or bool(teacher_runs))
    with fixed_threads(recipe.threads), folder.writing():
        # each time with a copy that has opened no store yet
        return renewing(lambda: _distill(dataclasses.replace(experiment), folder, teacher_runs, role, ready, data))


def _distill(
    experiment: Experiment,
    folder: RunFolder,
    teacher_runs: Sequence[Path],
    role: Role,
    ready: Ready | None,
    data: DataOnce,
) -> TrainResult:
    recipe, run, cache = experiment.recipe, folder.path, experiment.cache
    guided = recipe.distiller.needs_teacher
    if not folder.complete:
        refuse_untrainable(experiment, with_teachers=guided and not teacher_runs)
    if guided and not teacher_runs:
        teacher_runs = _taught(recipe, run, cache)
    if guided and len(teacher_runs) != len(recipe.teachers):
        raise RunError(
            f"Recipe {recipe.name} has {len(recipe.teachers)} teacher(s), but {len(teacher_runs)} run(s) are given",
            "Name one finished run for each, in the recipe's order, or none",
        )
    done = folder.complete
    # whom a training admitted needs no look into the stores: data, labels and teachers are compared with its below
    admitted = done and folder.sealed
    teachers = [finished_teacher(experiment, teacher_run, admitted=admitted) for teacher_run in teacher_runs]
    look = data if admitted else None  # folds that are yet to be trained begin with looks of their own
    folds = [_folds(experiment, number, teacher, look) for number, teacher in enumerate(teachers) if guided]
    facts = {
        **experiment.facts(),
        "role": role,
        "cache": os.path.relpath(cache, run),
        "teacher_runs": [os.path.relpath(teacher_run, run) for teacher_run in teacher_runs],
        "teacher_hashes": [sha256_file(teacher.folder.weights_file) for teacher in teachers],
        **_say(recipe, folds),
        **_start(recipe, folder),
    }
    if done:
        folder.begin(recipe, facts, data=experiment.data_rows)
        return finished(folder)
    source = teacher_source(experiment, teachers, folds) if guided else None
    if ready is not None and teachers:
        ready(teacher_runs)
    with logged(folder, experiment.index.problems):
        task, split, shown = _task(experiment, source, teachers)
        plain = plain_batches(experiment.inputs, recipe.student.training, recipe.seed, split.train)
        further = _further(task, experiment, shown, source)
        # not before: a recipe that cannot be trained must not claim the folder
        before = [*(teacher.folder for teacher in teachers if guided), *started_from(recipe.student.weights)]
        facts["near_copies"] = look_for_copies(experiment)
        folder.begin(recipe, facts, learned_with(experiment, before), experiment.data_rows)
        return fit(task, folder, recipe.student.training, split, plain, further)


@contextmanager
def fixed_threads(count: int | None) -> Iterator[None]:
    """Let torch compute with so many threads, and put the number back; None leaves it as it is."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _further(
    task: "DistillationTask", experiment: Experiment, shown: Sequence[str], source: TeacherSource | None
) -> "list[Callback]":
    """What fits the student's classifier, where the recipe wants ridge regression.

    Args:
        task: what is trained.
        experiment: the student's.
        shown: the recordings that it learns from.
        source: of the teachers; who is heard where the distiller compares logits with them.

    Raises:
        RecipeError: see `fitted_classifier`.
    """
    from vskd.distillation.callbacks import FitClassifier

    recipe, training = experiment.recipe, experiment.recipe.student.training
    if training.ridge is None:
        return []
    shape, unlabelled = experiment.inputs.network_shape, bool(experiment.unlabelled)
    classifier = fitted_classifier(recipe, task.model.network, shape, unlabelled=unlabelled)
    plain = plain_batches(experiment.inputs, training, recipe.seed, shown)
    says = heard(source) if source is not None and hears_logits(recipe.distiller.terms) else None
    return [FitClassifier(classifier, plain, training.ridge, training.label_smoothing, says)]


def _start(recipe: Recipe, folder: RunFolder) -> dict[str, Any]:
    """Facts of the weights that a student starts from; a finished run needs their file no more."""
    path = weights_file(recipe.student.weights or "")
    if recipe.student.weights is None or (folder.complete and not path.is_file()):
        return {}
    metadata = read_metadata(path)
    return {"weights_hash": sha256_file(path), "weights": {"file": path.name, **metadata}}


def _taught(recipe: Recipe, run: Path, cache: Path) -> list[Path]:
    """The runs of the recipe's teachers, beside the student's."""
    runs = []
    for number in range(len(recipe.teachers)):
        runs.append(run.with_name(f"{run.name}-teacher" + (f"-{number}" if number else "")))
        teach(recipe, runs[-1], number=number, cache=cache)
    return runs


def _folds(experiment: Experiment, number: int, teacher: FinishedTeacher, data: DataOnce | None) -> Folds:
    """Of a teacher that is to be cross-fitted: a subject -> the teacher without it, trained beside it where missing."""
    recipe, own = experiment.recipe, teacher.folder
    if recipe.teachers[number].cross_fit is None or recipe.distiller.untrained:
        return {}
    folds = {}
    for subject in fold_subjects(experiment, own):
        run = fold_run(own.path, subject)
        with only_writer(lock_of(run), run, wait=True):  # students of other seeds may share it
            fold = fold_recipe(own.recipe(), subject, recipe.dataset.path)
            distill(fold, run, cache=experiment.cache, role="teacher", data=data)
        folds[subject] = finished_teacher(experiment, run, admitted=data is not None)
    return folds


def _say(recipe: Recipe, folds: Sequence[Folds]) -> dict[str, Any]:
    """Facts of what the teachers say, where it is more than their outputs for the unchanged recordings."""
    if not folds or all(not own and role.views == 1 for own, role in zip(folds, recipe.teachers, strict=True)):
        return {"teachers_say": []}
    said = [
        {"views": role.views, "folds": {s: sha256_file(fold.folder.weights_file) for s, fold in own.items()}}
        for own, role in zip(folds, recipe.teachers, strict=True)
    ]
    return {"teachers_say": said}


def _task(
    experiment: Experiment, source: TeacherSource | None, teachers: Sequence[FinishedTeacher]
) -> "tuple[DistillationTask, Split, Sequence[str]]":
    """What is to be trained, on what, and the recordings of its training part that it learns from."""
    from vskd.distillation.task import DistillationTask

    recipe, inputs, student = experiment.recipe, experiment.inputs, experiment.recipe.student
    experiment.audit()
    stored = inputs.ids if source is None else inputs.ids & source.ids
    split = usable_split(experiment, student.training, stored, inputs.name)
    torch.manual_seed(recipe.seed)  # the first weights depend on the seed only, with and without a teacher
    model = new_model(student, inputs, experiment.classes)
    start_from(model, student.weights, experiment)
    reuse_classifier(experiment, model.network, teachers)
    shown = _shown(experiment, split.train, source)
    batches = inputs.batches(split.train, batch_size=student.training.batch_size)
    refuse_single_samples(model, batches.samples, len(batches))
    if student.training.precision == "bfloat16":
        warn_where_slow()
    train_batches, validation_batches = loaders(inputs, student.training, recipe.seed, split, shown)
    wanted, _ = layers(recipe.distiller.terms)
    with as_recipe_error("distiller: the student does not fit"):
        shapes, taps = tapped(model, inputs, wanted)
    teacher, counts = source.shapes if source else {}, class_counts(experiment, split.train)
    distiller = new_distiller(recipe, term_context(recipe, shapes, teacher, batches.samples, counts))
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
    return task, split, split.train if shown is None else shown


def _shown(experiment: Experiment, train: Sequence[str], source: TeacherSource | None) -> tuple[str, ...] | None:
    """The training recordings to learn from, where these are not all: those that carry labels; with a teacher, those
    besides of which it is sure, where the recipe asks for that."""
    recipe = experiment.recipe
    if not experiment.unlabelled:
        return None
    if source is None:
        return tuple(i for i in train if i in experiment.labelled)
    setting = recipe.distiller.confidence
    return None if setting is None else _sure(experiment, train, source, setting)


def _sure(experiment: Experiment, train: Sequence[str], source: TeacherSource, setting: Confidence) -> tuple[str, ...]:
    """The recordings with labels, and those of which the teacher is sure enough."""
    unlabelled = [i for i in train if i in experiment.unlabelled]
    batches = experiment.inputs.batches(unlabelled, batch_size=experiment.recipe.student.training.batch_size)
    kept = confident(probabilities_of(source, batches), setting)
    logger.info("the teacher is sure enough of %d of %d recordings without a label", len(kept), len(unlabelled))
    return tuple(i for i in train if i in experiment.labelled or i in kept)
