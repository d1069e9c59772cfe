"""Evaluate a finished run on its protocol: predictions, figures and report. The test recordings are predicted once."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from vskd.bundle.probabilities import softmax
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.inputs import Inputs, student_inputs, teacher_inputs
from vskd.distillation.networks import load_student
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.outputs import finished_teacher
from vskd.distillation.train import default_cache
from vskd.errors import ProtocolError, RunError, first_few
from vskd.evaluation.predictions import Predictions, write_csv
from vskd.evaluation.report.image_pictures import image_pictures
from vskd.evaluation.report.pictures import sample_pictures
from vskd.evaluation.report.report import write_report
from vskd.evaluation.results import (
    ProtocolStamp,
    Results,
    SplitName,
    TeacherFigures,
    build_results,
    read_results,
    teacher_figures,
    write_results,
)
from vskd.progress import track

logger = logging.getLogger(__name__)

NAMED_PROBLEMS = 10
Probabilities = npt.NDArray[np.float64]
SamplesToLogits = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Windows (n, channels, samples) or images (n, channels, height, width) -> (n, classes)."""


def open_experiment(folder: RunFolder) -> Experiment:
    """The data of a run as it is on disk now.

    Raises:
        ProtocolError: the data or the protocol changed since the run was trained.
    """
    recipe, facts = folder.recipe(), folder.facts()
    cache = folder.beside("cache") or default_cache(folder.path)
    with_teacher = folder.kind == "teacher" or "teacher_run" in facts
    experiment = prepare(recipe, cache, needs_teacher=with_teacher, needs_student=folder.kind == "student")
    if experiment.split.split_hash != facts["split_hash"]:
        raise ProtocolError(
            f"The recordings in {recipe.dataset.path} are split otherwise than when {folder.path} was trained",
            "Restore the data set, or train again in a new folder",
        )
    return experiment


def split_ids(experiment: Experiment, folder: RunFolder, split: SplitName) -> tuple[str, ...]:
    """Recordings of the test part, or of the validation part that training used (carved ones too)."""
    if split == "test":
        return experiment.split.test
    training = experiment.recipe.teacher.training if folder.kind == "teacher" else experiment.recipe.training
    ids = experiment.training_split(training).validation
    if not ids:
        raise RunError(f"{folder.path} was trained without validation recordings", "Evaluate it on the test part")
    return ids


def predict_recordings(
    experiment: Experiment, inputs: Inputs, ids: Sequence[str], model: SamplesToLogits, what: str
) -> Predictions:
    """Predict recordings; of several windows the probabilities are averaged. Memory holds one batch."""
    usable = experiment.only(tuple(ids), inputs.ids, inputs.stream)
    batches = inputs.batches(usable)
    rows: dict[str, list[Probabilities]] = defaultdict(list)
    for batch in track(batches, what, total=len(batches)):
        for recording, row in zip(batch.ids, softmax(model(batch.inputs.numpy())), strict=True):
            rows[recording].append(row)
    return _predictions(experiment, usable, np.stack([np.stack(rows[i]).mean(axis=0) for i in usable]))


def left_out(inputs: Inputs, ids: Sequence[str]) -> dict[str, str]:
    """Those of `ids` that could not be read, and why."""
    return {i: inputs.problems.get(i, f"no {inputs.stream}") for i in ids if i not in inputs.ids}


def _predictions(experiment: Experiment, ids: Sequence[str], probabilities: Probabilities) -> Predictions:
    by_id = experiment.recordings
    return Predictions(
        ids=tuple(ids),
        subjects=tuple(by_id[i].subject for i in ids),
        labels=np.array([by_id[i].label for i in ids]),
        probabilities=probabilities,
        class_names=experiment.index.labels,
    )


def trained_student(experiment: Experiment, folder: RunFolder) -> nn.Module:
    """The trained float student of a run, in evaluation mode; it returns `Outputs`."""
    return load_student(folder.path, len(experiment.index.labels), student_inputs(experiment).channels)


def logits_of(network: nn.Module) -> SamplesToLogits:
    """A network as a function of windows or images."""

    def logits(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            result: npt.NDArray[np.float32] = network(torch.from_numpy(samples)).logits.numpy()
            return result

    return logits


def teacher_predictions(experiment: Experiment, teacher_run: Path, ids: Sequence[str]) -> Predictions:
    """The teacher's predictions, from its cache.

    A teacher that sees another stream than the student is listened to from a cache of all recordings, which is made
    here if it is not there yet. One that sees the student's own images mostly looks at the student's batches instead,
    so that only the recordings asked for are stored.
    """
    recipe, teacher = experiment.recipe, finished_teacher(experiment, teacher_run)
    cache = teacher.cache(ids if recipe.teacher.input == recipe.student.input else None)
    usable = experiment.only(tuple(ids), cache.ids, recipe.teacher_stream)
    outputs, _, _ = cache.outputs(usable)
    return _predictions(experiment, usable, softmax(outputs.logits.numpy()))


def stamp(experiment: Experiment) -> ProtocolStamp:
    """The protocol stamp of an experiment's results."""
    split = experiment.split
    return ProtocolStamp(name=split.protocol, hash=split.rule_hash, fold=split.fold, split_hash=split.split_hash)


def evaluate_run(run: Path, *, split: SplitName = "test") -> Results:
    """Predict the recordings of a split with a finished run, and write predictions.csv, results.json and report.html.

    A run that was evaluated before is not evaluated again; its results are read.

    Raises:
        RunError: not a run folder, or training has not finished.
        ProtocolError: the data changed since.
    """
    folder = RunFolder.open(run)
    folder.require_complete()
    out = run if split == "test" else run / split
    if (out / "results.json").is_file() and (out / "predictions.csv").is_file():
        return read_results(out / "results.json")
    experiment = open_experiment(folder)
    ids = split_ids(experiment, folder, split)
    started = time.perf_counter()
    student = trained_student(experiment, folder) if folder.kind == "student" else None
    inputs = teacher_inputs(experiment) if student is None else student_inputs(experiment)
    if student is None:
        predictions, beside = teacher_predictions(experiment, run, ids), None
    else:
        predictions = predict_recordings(experiment, inputs, ids, logits_of(student), "Evaluating")
        beside = teacher_beside(experiment, folder, ids)
    seconds = time.perf_counter() - started
    results = _results(experiment, folder, predictions, beside, split, seconds, left_out(inputs, ids))
    write_csv(predictions, out / "predictions.csv")
    write_results(results, out / "results.json")
    pictures = run_pictures(experiment, folder, predictions, student)
    write_report(out / "report.html", results, predictions, folder.metrics(), pictures, _notes(experiment, folder))
    return results


def run_pictures(
    experiment: Experiment, folder: RunFolder, predictions: Predictions, student: nn.Module | None
) -> dict[str, bytes]:
    """Caption -> PNG: what the networks see, and of a network of images, where it looks.

    Args:
        experiment, folder, predictions: of the run.
        student: its network; None for a teacher's run.
    """
    recipe = experiment.recipe
    video = recipe.teacher.input == "video" and (student is None or "teacher_run" in folder.facts())
    pictures = sample_pictures(experiment, predictions, video=video)
    if (recipe.teacher.input if student is None else recipe.student.input) != "image":
        return pictures
    if student is None:
        teacher = finished_teacher(experiment, folder.path)
        return pictures | image_pictures(teacher.network(), teacher.inputs, predictions)
    return pictures | image_pictures(student, student_inputs(experiment), predictions)


def teacher_beside(experiment: Experiment, folder: RunFolder, ids: Sequence[str]) -> TeacherFigures | None:
    """The teacher's figures on the same recordings; None where the run knows no teacher."""
    teacher_run = folder.beside("teacher_run")
    return None if teacher_run is None else teacher_figures(teacher_predictions(experiment, teacher_run, ids))


def _results(
    experiment: Experiment,
    folder: RunFolder,
    predictions: Predictions,
    teacher: TeacherFigures | None,
    split: SplitName,
    seconds: float,
    lost: Mapping[str, str],
) -> Results:
    recipe, facts = experiment.recipe, folder.facts()
    is_teacher = folder.kind == "teacher"
    return build_results(
        predictions,
        kind="teacher" if is_teacher else "student",
        recipe=recipe.name,
        dataset=recipe.dataset.name,
        network=recipe.teacher.network if is_teacher else recipe.student.network,
        distiller=None if is_teacher else recipe.distiller.name,
        protocol=stamp(experiment),
        split=split,
        seed=recipe.seed,
        teacher=teacher,
        timings={"train": float(folder.training()["seconds"]), "evaluate": round(seconds, 2)},
        left_out=lost,
        model_bytes=folder.weights_file.stat().st_size,
        environment={"vskd": facts["vskd"], "torch": facts["packages"]["torch"], "accelerator": facts["accelerator"]},
    )


def _notes(experiment: Experiment, folder: RunFolder) -> list[str]:
    training = folder.training()
    count = len(training["validation"])
    selection = f"Weights of epoch {training['selected_epoch'] + 1} of {training['epochs']}, " + (
        f"best on {count} validation recordings."
        if training["select"] == "best"
        else "the last one; no epoch was selected."
    )
    problems = folder.facts().get("problems_in_data", [])
    lines = [f"{p['kind']} {p['recording'] or p['path']}: {p['detail']}" for p in problems]
    named = first_few(lines, NAMED_PROBLEMS)
    return [
        selection,
        f"{training['train']} training recordings.",
        f"{len(problems)} problem(s) found while indexing the data set" + (f": {named}." if named else "."),
    ]
