"""Evaluate a finished run on its protocol: predictions, figures and report. The test recordings are predicted once."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.run import RunFolder
from vskd.distillation.train import default_cache, load_student, teacher_outputs
from vskd.errors import ProtocolError, RunError
from vskd.evaluation.pictures import sample_pictures
from vskd.evaluation.predictions import Predictions, write_csv
from vskd.evaluation.probabilities import softmax
from vskd.evaluation.report import write_report
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

Probabilities = npt.NDArray[np.float64]
WindowsToLogits = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""(windows, channels, samples) -> (windows, classes)."""


def open_experiment(folder: RunFolder) -> Experiment:
    """The data of a run as it is on disk now.

    Raises:
        ProtocolError: the data or the protocol changed since the run was trained.
    """
    recipe, facts = folder.recipe(), folder.facts()
    cache = folder.beside("cache") or default_cache(folder.path)
    with_teacher = folder.kind == "teacher" or "teacher_run" in facts
    experiment = prepare(recipe, cache, needs_video=with_teacher, needs_sensor=folder.kind == "student")
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


def predict_recordings(experiment: Experiment, ids: Sequence[str], model: WindowsToLogits, what: str) -> Predictions:
    """Predict recordings one by one; of several windows the probabilities are averaged. Memory holds one recording."""
    store, by_id = experiment.window_store, experiment.recordings
    usable = experiment.only(tuple(ids), store.ids, experiment.recipe.dataset.sensor)
    rows = [softmax(model(store.windows(i))).mean(axis=0) for i in track(usable, what, total=len(usable))]
    return _predictions(experiment, usable, np.stack(rows), by_id)


def _predictions(experiment: Experiment, ids: Sequence[str], probabilities: Probabilities, by_id: dict) -> Predictions:  # type: ignore[type-arg]
    return Predictions(
        ids=tuple(ids),
        subjects=tuple(by_id[i].subject for i in ids),
        labels=np.array([by_id[i].label for i in ids]),
        probabilities=probabilities,
        class_names=experiment.index.labels,
    )


def student_model(experiment: Experiment, folder: RunFolder) -> WindowsToLogits:
    """The trained float student of a run as a function of windows."""
    channels = experiment.window_store.channels
    student = load_student(folder.path, len(experiment.index.labels), channels)

    def logits(windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            result: npt.NDArray[np.float32] = student(torch.from_numpy(windows)).logits.numpy()
            return result

    return logits


def teacher_predictions(experiment: Experiment, teacher_run: Path, ids: Sequence[str]) -> Predictions:
    """The teacher's predictions, from its cache."""
    cache = teacher_outputs(experiment, teacher_run)
    usable = experiment.only(tuple(ids), cache.ids, experiment.recipe.dataset.video)
    outputs, _, _ = cache.outputs(usable)
    return _predictions(experiment, usable, softmax(outputs.logits.numpy()), experiment.recordings)


def stamp(experiment: Experiment) -> ProtocolStamp:
    """The protocol stamp of an experiment's results."""
    split = experiment.split
    return ProtocolStamp(name=split.protocol, hash=split.protocol_hash, fold=split.fold, split_hash=split.split_hash)


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
    if folder.kind == "teacher":
        predictions, beside = teacher_predictions(experiment, run, ids), None
    else:
        predictions = predict_recordings(experiment, ids, student_model(experiment, folder), "Evaluating")
        beside = teacher_beside(experiment, folder, ids)
    seconds = time.perf_counter() - started
    results = _results(experiment, folder, predictions, beside, split, seconds)
    write_csv(predictions, out / "predictions.csv")
    write_results(results, out / "results.json")
    pictures = sample_pictures(
        experiment, predictions, video=folder.kind == "teacher" or "teacher_run" in folder.facts()
    )
    write_report(out / "report.html", results, predictions, folder.metrics(), pictures, _notes(experiment, folder))
    return results


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
    lost = len(folder.facts().get("problems_in_data", []))
    return [
        selection,
        f"{training['train']} training recordings.",
        f"{lost} problem(s) found while indexing the data set.",
    ]
