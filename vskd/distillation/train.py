"""The engine: teach a teacher, distil a student; both resumable, both leaving a run folder."""

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vskd.datasets.split import Split
from vskd.distillation.cache import TeacherCache, TeacherKey, write_teacher_cache
from vskd.distillation.callbacks import EpochRows, ResumePoint, SelectWeights, check_resumable
from vskd.distillation.data import ClipBatches, WindowBatches, epoch_seed
from vskd.distillation.distillers.catalog import build_distiller
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.lightning_door import Trainer
from vskd.distillation.run import RunFolder, log_to_file
from vskd.distillation.student import SensorStudent, build_student, channels_last
from vskd.distillation.task import ClassificationTask, DistillationTask, TeacherTask
from vskd.errors import DataError, ProtocolError, RecipeError
from vskd.files import sha256_file, sha256_json, write_json
from vskd.models.trn import MultiScaleTRN, build_trn
from vskd.models.weights import load_pretrained, load_state
from vskd.preprocessing.augment import WindowAugmentation
from vskd.recipe import Recipe, TrainingSection, nearest

logger = logging.getLogger(__name__)

TEACHERS = {"trn": build_trn}


@dataclass(frozen=True)
class TrainResult:
    """What a training left: its folder, the epoch whose weights were kept, and the last row of figures."""

    run: Path
    epoch: int
    figures: dict[str, Any]


def default_cache(run: Path) -> Path:
    """Where a run keeps its stores when nothing else is said: beside it, so that sibling runs share them."""
    return run.parent / "cache"


def teacher_seed(recipe: Recipe) -> int:
    """The seed of the teacher's training."""
    return recipe.seed if recipe.teacher.seed is None else recipe.teacher.seed


def new_teacher(recipe: Recipe, classes: int) -> MultiScaleTRN:
    """The recipe's teacher, its weights not yet trained."""
    teacher = recipe.teacher
    if teacher.network not in TEACHERS:
        raise RecipeError(
            f"teacher.network: '{teacher.network}' is unknown, {nearest(teacher.network, list(TEACHERS))}", "Correct it"
        )
    network = TEACHERS[teacher.network](
        backbone=teacher.backbone,
        segments=teacher.segments,
        feature_size=teacher.feature_size,
        classes=classes,
        dropout=teacher.dropout,
        feature_init_std=teacher.feature_init_std,
    )
    channels_last(network)
    return network


def new_student(recipe: Recipe, classes: int, channels: int) -> SensorStudent:
    """The recipe's student, its weights not yet trained."""
    return build_student(
        network=recipe.student.network,
        embedding_size=recipe.student.embedding_size,
        dropout=recipe.student.dropout,
        channels=channels,
        classes=classes,
        method=recipe.encoding.method,
        scaling=recipe.encoding.scaling,
        limit=recipe.encoding.limit,
        image_size=recipe.encoding.image_size,
    )


def clip_batches(experiment: Experiment, ids: tuple[str, ...], epoch: int | None = None) -> ClipBatches:
    """Clips of `ids`: for training in an epoch, or (None) in order with the middle frame of each segment."""
    teacher = experiment.recipe.teacher
    return ClipBatches(
        experiment.frame_store,
        ids,
        experiment.labels_of(ids),
        batch_size=teacher.training.batch_size,
        segments=teacher.segments,
        seed=None if epoch is None else epoch_seed(teacher_seed(experiment.recipe), epoch),
        crop=teacher.crop,
    )


def window_batches(experiment: Experiment, ids: tuple[str, ...], epoch: int | None = None) -> WindowBatches:
    """Windows of `ids`: for training in an epoch, or (None) in order and unchanged."""
    recipe = experiment.recipe
    return WindowBatches(
        experiment.window_store,
        ids,
        experiment.labels_of(ids),
        batch_size=recipe.training.batch_size,
        seed=None if epoch is None else epoch_seed(recipe.seed, epoch),
        augmentation=WindowAugmentation(**recipe.augmentation.model_dump()),
    )


def teach(recipe: Recipe, run: Path, *, cache: Path | None = None) -> TrainResult:
    """Train the recipe's video teacher, or finish a training that was interrupted.

    Args:
        recipe: what to train.
        run: the run folder; an interrupted run of the same recipe is resumed, a finished one is returned as it is.
        cache: where frames are stored; beside the run by default.

    Raises:
        VskdError: bad recipe, data or folder; earlier results stay untouched.
    """
    folder = RunFolder(run, "teacher")
    experiment = prepare(recipe, cache or default_cache(run), needs_video=True, needs_sensor=False)
    folder.begin(recipe, {**experiment.facts(), "cache": os.path.relpath(experiment.cache, run)})
    if folder.complete:
        return _result(folder)
    handler = log_to_file(folder.log_file)
    try:
        training = recipe.teacher.training
        split = _usable(experiment, training, experiment.frame_store.ids, recipe.dataset.video)
        torch.manual_seed(teacher_seed(recipe))
        network = new_teacher(recipe, len(experiment.index.labels))
        _initial_weights(network, recipe.teacher.weights)
        network.partial_bn(recipe.teacher.weights is not None)
        task = TeacherTask(
            network,
            classes=len(experiment.index.labels),
            training=training,
            seed=teacher_seed(recipe),
            train_batches=lambda epoch: clip_batches(experiment, split.train, epoch),
            validation_batches=_validation(lambda ids: clip_batches(experiment, ids), split),
        )
        return _fit(task, folder, training, split)
    finally:
        logging.getLogger("vskd").removeHandler(handler)
        handler.close()


def distill(recipe: Recipe, run: Path, teacher_run: Path | None = None, *, cache: Path | None = None) -> TrainResult:
    """Train the recipe's student with its distiller, or finish a training that was interrupted.

    Args:
        recipe: what to train.
        run: the run folder; resumed or returned as in `teach`.
        teacher_run: a finished teacher; trained in `<run>-teacher` when the distiller needs one and none is given.
        cache: where windows, frames and teacher outputs are stored; beside the run by default.

    Raises:
        VskdError: bad recipe, data, teacher or folder; earlier results stay untouched.
    """
    cache = cache or default_cache(run)
    needs_teacher = recipe.distiller.name != "none"
    experiment = prepare(recipe, cache, needs_video=needs_teacher or teacher_run is not None)
    if teacher_run is None and needs_teacher:
        teacher_run = run.with_name(run.name + "-teacher")
        teach(recipe, teacher_run, cache=cache)
    outputs = None if teacher_run is None else teacher_outputs(experiment, teacher_run)
    folder = RunFolder(run, "student")
    folder.begin(
        recipe, {**experiment.facts(), "cache": os.path.relpath(cache, run), **_teacher_facts(teacher_run, run)}
    )
    if folder.complete:
        return _result(folder)
    handler = log_to_file(folder.log_file)
    try:
        return _distill(experiment, folder, outputs if needs_teacher else None)
    finally:
        logging.getLogger("vskd").removeHandler(handler)
        handler.close()


def _distill(experiment: Experiment, folder: RunFolder, outputs: TeacherCache | None) -> TrainResult:
    recipe, training = experiment.recipe, experiment.recipe.training
    store = experiment.window_store
    stored = store.ids if outputs is None else store.ids & outputs.ids
    split = _usable(experiment, training, stored, recipe.dataset.sensor)
    classes = len(experiment.index.labels)
    torch.manual_seed(recipe.seed)  # the student's first weights depend on the seed only, with and without a teacher
    student = new_student(recipe, classes, channels=store.channels)
    _initial_weights(student.network, recipe.student.weights)
    distiller = build_distiller(
        recipe.distiller.name,
        temperature=recipe.distiller.temperature,
        weights=recipe.distiller.weights.model_dump(exclude_none=True),
        student_width=recipe.student.embedding_size,
        teacher_width=outputs.embedding_size if outputs else recipe.student.embedding_size,
        label_smoothing=training.label_smoothing,
    )
    task = DistillationTask(
        student,
        distiller,
        outputs,
        classes=classes,
        training=training,
        seed=recipe.seed,
        train_batches=lambda epoch: window_batches(experiment, split.train, epoch),
        validation_batches=_validation(lambda ids: window_batches(experiment, ids), split),
    )
    return _fit(task, folder, training, split)


def _teacher_facts(teacher_run: Path | None, run: Path) -> dict[str, Any]:
    if teacher_run is None:
        return {}
    teacher_hash = sha256_file(RunFolder(teacher_run, "teacher").weights_file)
    return {"teacher_run": os.path.relpath(teacher_run, run), "teacher_hash": teacher_hash}


def load_teacher(teacher_run: Path, classes: int) -> MultiScaleTRN:
    """The trained teacher of a finished run, in evaluation mode."""
    folder = RunFolder(teacher_run, "teacher")
    folder.require_complete()
    network = new_teacher(folder.recipe(), classes)
    load_state(network, folder.weights_file)
    return network.eval()


def load_student(run: Path, classes: int, channels: int) -> SensorStudent:
    """The trained student of a finished run, in evaluation mode."""
    folder = RunFolder(run, "student")
    folder.require_complete()
    student = new_student(folder.recipe(), classes, channels)
    load_state(student, folder.weights_file)
    return student.eval()


def teacher_outputs(experiment: Experiment, teacher_run: Path) -> TeacherCache:
    """The teacher's outputs for every recording that has a video, computed once and stored in the experiment's cache.

    Raises:
        RunError: the teacher's training has not finished.
        ProtocolError: the teacher was trained on recordings that this experiment tests on.
    """
    folder = RunFolder(teacher_run, "teacher")
    folder.require_complete()
    check_teacher_fits(experiment, folder)
    key = TeacherKey(sha256_file(folder.weights_file), teacher_frames_hash(folder.recipe(), experiment))
    path = experiment.cache / f"teacher-{sha256_json([key.teacher_hash, key.frames_hash])[:12]}.h5"
    if not path.is_file():
        network = load_teacher(teacher_run, len(experiment.index.labels))
        seen = Experiment(folder.recipe(), experiment.index, experiment.split, experiment.cache)
        stored = seen.frame_store.ids
        ids = tuple(r.id for r in experiment.index if r.id in stored)
        write_teacher_cache(path, network, clip_batches(seen, ids), key)
    return TeacherCache(path, key)


def teacher_frames_hash(teacher: Recipe, experiment: Experiment) -> str:
    """Hash of the frames as the teacher sees them: data, stored frames and number of segments."""
    seen = Experiment(teacher, experiment.index, experiment.split, experiment.cache)
    return sha256_json([seen.frames_hash, teacher.teacher.segments])


def check_teacher_fits(experiment: Experiment, folder: RunFolder) -> None:
    """A teacher of another split would carry the test people's recordings into the student's training.

    The rule and its fold are compared, not the lists of recordings: the teacher may have seen training videos whose
    sensor file is missing.

    Raises:
        ProtocolError: the protocols or folds differ.
    """
    facts = folder.facts()
    if facts["protocol_hash"] != experiment.split.protocol_hash:
        raise ProtocolError(
            f"The teacher in {folder.path} was trained on another split ({facts['protocol']}) "
            f"than this run ({experiment.split.protocol})",
            "Train a teacher with the same protocol and data, or leave out --teacher-run",
        )


def _initial_weights(network: nn.Module, weights: str | None) -> None:
    if weights is not None:
        load_pretrained(network, Path(weights))


def _usable(experiment: Experiment, training: TrainingSection, stored: frozenset[str], what: str) -> Split:
    """The training split without recordings whose samples were corrupt."""
    split = experiment.training_split(training)
    train = experiment.only(split.train, stored, what)
    validation = experiment.only(split.validation, stored, what)
    for name, wanted, left in (("training", split.train, train), ("validation", split.validation, validation)):
        if wanted and not left:
            raise DataError(f"No {name} recording has a usable {what}", "Repair the data set; the log names the files")
    return dataclasses.replace(split, train=train, validation=validation)


def _validation(batches: Callable[[tuple[str, ...]], Any], split: Split) -> Callable[[int], Any] | None:
    if not split.validation:
        return None
    return lambda _epoch: batches(split.validation)


def _fit(task: ClassificationTask, folder: RunFolder, training: TrainingSection, split: Split) -> TrainResult:
    """Run Lightning's trainer and leave the run folder complete."""
    select = SelectWeights(folder, training.select)
    resume = folder.trainer_file if folder.trainer_file.is_file() else None
    if resume is not None:
        check_resumable(resume)
        logger.info("resuming from %s", resume)
    trainer = Trainer(
        max_epochs=training.epochs,
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if training.precision == "bfloat16" else "32-true",
        gradient_clip_val=training.gradient_clip or None,
        callbacks=[EpochRows(folder), select, ResumePoint(folder.trainer_file)],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        num_sanity_val_steps=0,
        limit_val_batches=None if split.validation else 0,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=folder.path,
    )
    try:
        trainer.fit(task, ckpt_path=resume, weights_only=True)
    except SystemExit as stop:  # Lightning turns Ctrl-C into an exit of its own
        raise KeyboardInterrupt from stop
    rows = folder.metrics()
    write_json(
        folder.training_file,
        {
            "epochs": training.epochs,
            "selected_epoch": select.epoch,
            "select": training.select,
            "seconds": round(sum(row["seconds"] for row in rows), 1),
            "train": len(split.train),
            "validation": list(split.validation),
            "parameters": sum(p.numel() for p in task.network.parameters()),
        },
    )
    folder.trainer_file.unlink(missing_ok=True)
    return _result(folder)


def _result(folder: RunFolder) -> TrainResult:
    training = json.loads(folder.training_file.read_text())
    rows = folder.metrics()
    kept = next((row for row in rows if row["epoch"] == training["selected_epoch"]), {})
    return TrainResult(folder.path, training["selected_epoch"], kept)
