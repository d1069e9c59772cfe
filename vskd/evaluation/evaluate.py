"""Evaluate a finished run on its protocol: predictions, figures and report. The test recordings are predicted once."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from vskd.bundle.probabilities import softmax
from vskd.datasets.timeline import Timeline
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.model import Model, load_model
from vskd.distillation.renewal import renewing
from vskd.distillation.run import RunFolder, default_cache
from vskd.distillation.teacher.outputs import FinishedTeacher, finished_teacher
from vskd.errors import ProtocolError, RunError, first_few
from vskd.evaluation.events import event_figures
from vskd.evaluation.finished import PREDICTIONS, REPORT, RESULTS, evaluated, evaluating
from vskd.evaluation.predictions import Predictions, Stamp, write_csv
from vskd.evaluation.report.pictures import run_pictures
from vskd.evaluation.report.report import write_report
from vskd.evaluation.report.timeline_pictures import timeline_pictures
from vskd.evaluation.results import (
    DataStamp,
    LabelsStamp,
    OverTime,
    ProtocolStamp,
    Results,
    SplitName,
    TeacherFigures,
    build_results,
    read_results,
    teacher_figures,
    write_results,
)
from vskd.evaluation.windows import WindowPredictions, stretch_predictions, window_figures, window_rows
from vskd.files import sha256_file
from vskd.modalities.base import Inputs
from vskd.modalities.window import WindowInputs
from vskd.progress import track

logger = logging.getLogger(__name__)

NAMED_PROBLEMS = 10
Probabilities = npt.NDArray[np.float64]
SamplesToLogits = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Windows (n, channels, samples) or images (n, channels, height, width) -> (n, classes)."""


def open_experiment(folder: RunFolder) -> Experiment:
    """The data of a run as it is on disk now.

    Raises:
        ProtocolError: the data, the protocol or the list of labels changed since the run was trained.
    """
    recipe, facts = folder.recipe(), folder.facts()
    cache = folder.beside("cache") or default_cache(folder.path)
    experiment = prepare(recipe, cache, with_teachers=bool(folder.teacher_runs()))
    _check_rules(experiment, folder)
    if experiment.split.split_hash != facts["split_hash"]:
        raise ProtocolError(
            f"The recordings in {recipe.dataset.path} are split otherwise than when {folder.path} was trained",
            "Restore the data set, or train again in a new folder",
        )
    if experiment.data_hash != facts.get("data_hash"):
        raise ProtocolError(
            f"The data in {recipe.dataset.path} are not those that {folder.path} was trained on: "
            f"{folder.data_changes(experiment.data_rows)}",
            "Restore the data set, or train again in a new folder",
        )
    return experiment


def _check_rules(experiment: Experiment, folder: RunFolder) -> None:
    """Refuse what stands in files that the recipe names, where it is not what the run was trained by.

    A protocol may keep its parts and still set other recordings aside for validation, or keep less apart.

    Raises:
        ProtocolError: see `open_experiment`.
    """
    dataset, facts, setting = experiment.recipe.dataset, folder.facts(), experiment.setting
    again = f"or train again in a new folder: {folder.path} keeps what it was trained by"
    if experiment.split.protocol_hash != facts["protocol_hash"]:
        raise ProtocolError(
            f"Protocol {dataset.protocol} is not the one that {folder.path} was trained by: its name, version or rule "
            f"changed (hash {experiment.split.protocol_hash[:12]} instead of {facts['protocol_hash'][:12]})",
            f"Restore it, {again}",
        )
    if setting.title != "all" and setting.hash != facts.get("labels_hash", setting.hash):
        raise ProtocolError(
            f"labels ({setting.title}): other recordings carry labels than when {folder.path} was trained "
            f"({len(setting.labelled)} now, {facts['labelled']} then)",
            f"Restore {experiment.recipe.labels.ids or 'the data set'}, {again}",
        )


def split_ids(experiment: Experiment, folder: RunFolder, split: SplitName) -> tuple[str, ...]:
    """Recordings of the test part, or of the validation part that training used (carved ones too)."""
    if split == "test":
        return experiment.split.test
    ids = experiment.training_split(experiment.recipe.student.training).validation
    if not ids:
        raise RunError(f"{folder.path} was trained without validation recordings", "Evaluate it on the test part")
    return ids


@dataclass(frozen=True)
class Answers:
    """What a model answered.

    Attributes:
        predictions: of recordings; of long ones that show several classes, of their labelled stretches.
        windows: of models that see several windows of a recording; else None.
        places: start and end in seconds of each stretch; None where the predictions are of recordings.
    """

    predictions: Predictions
    windows: WindowPredictions | None = None
    places: list[tuple[float, float]] | None = None


def predict_recordings(experiment: Experiment, ids: Sequence[str], model: SamplesToLogits, what: str) -> Predictions:
    """The predictions of `predict_answers`."""
    return predict_answers(experiment, ids, model, what).predictions


def predict_answers(experiment: Experiment, ids: Sequence[str], model: SamplesToLogits, what: str) -> Answers:
    """Predict recordings; of several windows the probabilities are averaged. Memory holds one batch of samples."""
    inputs = experiment.inputs
    usable = experiment.only(tuple(ids), inputs.ids, inputs.name)
    batches = inputs.batches(usable, batch_size=experiment.recipe.student.training.batch_size)
    rows: dict[str, list[Probabilities]] = defaultdict(list)
    labels: dict[str, list[int]] = defaultdict(list)
    for batch in track(batches, what, total=len(batches)):
        for recording, row, label in zip(batch.ids, softmax(model(batch.inputs.numpy())), batch.labels, strict=True):
            rows[recording].append(row)
            labels[recording].append(int(label))
    if not isinstance(inputs, WindowInputs) or not inputs.several:
        return Answers(_predictions(experiment, usable, np.stack([np.stack(rows[i]).mean(axis=0) for i in usable])))
    windows = WindowPredictions(
        tuple(i for i in usable for _ in rows[i]),
        tuple(experiment.recordings[i].subject for i in usable for _ in rows[i]),
        np.concatenate([inputs.store.times(i) for i in usable]).round(6),  # microseconds: no noise of float sums
        np.array([label for i in usable for label in labels[i]]),
        np.stack([row for i in usable for row in rows[i]]),
        experiment.index.labels,
    )
    timelines = timelines_of(experiment, usable)
    if not timelines:
        mean = np.stack([np.stack(rows[i]).mean(axis=0) for i in usable])
        return Answers(_predictions(experiment, usable, mean), windows)
    predictions, places = stretch_predictions(windows, timelines)
    return Answers(predictions, windows, places)


def timelines_of(experiment: Experiment, ids: Sequence[str]) -> dict[str, Timeline]:
    """What recordings show over time; empty where each shows one class. One class is shown all of the time."""
    recordings = [experiment.recordings[i] for i in ids]
    if not any(recording.timeline for recording in recordings):
        return {}
    return {r.id: r.timeline or Timeline((), r.label) for r in recordings}


def write_answers(answers: Answers, path: Path, experiment: Experiment) -> None:
    """Write predictions.csv, the rows of windows among it.

    Raises:
        WriteError: it cannot be written.
    """
    rows = window_rows(answers.windows) if answers.windows else ()
    write_csv(answers.predictions, path, Stamp(experiment.split.fold, experiment.recipe.seed, answers.places, rows))


def over_time(answers: Answers, experiment: Experiment) -> OverTime:
    """The figures of windows and of events; none where a model sees a recording as one."""
    if answers.windows is None:
        return OverTime()
    null = experiment.index.null_class
    timelines = timelines_of(experiment, tuple(answers.windows.recordings))
    events = event_figures(answers.windows, timelines, null) if timelines else None
    return OverTime(windows=window_figures(answers.windows, null), events=events)


def left_out(inputs: Inputs, ids: Sequence[str]) -> dict[str, str]:
    """Those of `ids` that could not be read, and why."""
    return {i: inputs.problems.get(i, f"no {inputs.name}") for i in ids if i not in inputs.ids}


def _predictions(experiment: Experiment, ids: Sequence[str], probabilities: Probabilities) -> Predictions:
    by_id = experiment.recordings
    return Predictions(
        ids=tuple(ids),
        subjects=tuple(by_id[i].subject for i in ids),
        labels=np.array([by_id[i].label for i in ids]),
        probabilities=probabilities,
        class_names=experiment.index.labels,
    )


def trained_model(experiment: Experiment, folder: RunFolder) -> Model:
    """The trained float model of a run, in evaluation mode."""
    return load_model(folder.path, experiment.inputs, experiment.classes)


def logits_of(model: Model) -> SamplesToLogits:
    """A model as a function of samples."""

    def logits(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            result: npt.NDArray[np.float32] = model(torch.from_numpy(samples)).logits.numpy()
            return result

    return logits


def teacher_predictions(experiment: Experiment, teacher_run: Path, ids: Sequence[str]) -> Predictions:
    """The teacher's predictions, from its cache.

    A teacher that does not see the student's own samples is read from a cache of all recordings, which is made
    here if it is not there yet. One that does mostly looks at the student's batches instead, so that only the
    recordings asked for are stored.
    """
    teacher = finished_teacher(experiment, teacher_run)
    if teacher.inputs.several:  # a cache has one answer a recording
        return predict_recordings(teacher.experiment, ids, logits_of(teacher.model), "Evaluating the teacher")
    return cached_predictions(experiment, teacher, ids, only=teacher.inputs.hash == experiment.inputs.hash)


def cached_predictions(
    experiment: Experiment, teacher: FinishedTeacher, ids: Sequence[str], *, only: bool
) -> Predictions:
    """What a teacher says of recordings, from its cache; see `teacher_predictions`.

    Args:
        experiment: whose recordings.
        teacher: admitted to it.
        ids: recordings; those that it cannot see are left out.
        only: where nothing is stored yet, whether these are shown to it alone, rather than every recording.
    """
    cache = teacher.cache(ids if only else None)
    usable = experiment.only(tuple(ids), cache.ids, teacher.inputs.name)
    outputs, _, _ = cache.outputs(usable)
    return _predictions(experiment, usable, softmax(outputs.logits.numpy()))


def stamp(experiment: Experiment) -> ProtocolStamp:
    """The protocol stamp of an experiment's results."""
    split = experiment.split
    return ProtocolStamp(name=split.protocol, hash=split.rule_hash, fold=split.fold, split_hash=split.split_hash)


def data_stamp(experiment: Experiment) -> DataStamp:
    """Which data an experiment is of."""
    return DataStamp(hash=experiment.data_hash, parts=experiment.data)


def labels_stamp(experiment: Experiment) -> LabelsStamp:
    """Which recordings carried labels in the training of an experiment."""
    setting = experiment.setting
    return LabelsStamp(
        title=setting.title, hash=setting.hash, labelled=len(setting.labelled), unlabelled=len(setting.unlabelled)
    )


def evaluate_run(run: Path, *, split: SplitName = "test") -> Results:
    """Predict the recordings of a split with a finished run, and write predictions.csv, results.json and report.html.

    A run that was evaluated before is not evaluated again: its results are read, if its data are what they were. An
    evaluation that was interrupted, or whose files were damaged since, is done again.

    Raises:
        RunError: not a run folder, or training has not finished.
        CheckpointError: the run was damaged.
        LockedError: another process writes the run.
        ProtocolError: the data changed since.
    """
    folder = RunFolder.open(run)
    folder.require_complete()
    out = run if split == "test" else run / split
    if evaluated(out, recorded=folder.sealed):
        _check_data(folder, out)
        folder.tidy()
        return read_results(out / RESULTS)
    with folder.writing():
        return renewing(lambda: _evaluate(folder, split, out))


def _evaluate(folder: RunFolder, split: SplitName, out: Path) -> Results:
    experiment = open_experiment(folder)
    ids = split_ids(experiment, folder, split)
    started = time.perf_counter()
    model = trained_model(experiment, folder)
    answers = predict_answers(experiment, ids, logits_of(model), "Evaluating")
    predictions = answers.predictions
    beside = teacher_beside(experiment, folder, ids)
    seconds = time.perf_counter() - started
    results = _results(experiment, folder, answers, beside, split, seconds)
    with evaluating(out):
        write_answers(answers, out / PREDICTIONS, experiment)
        write_results(results, out / RESULTS)
        pictures = run_pictures(experiment, folder, predictions, model)
        pictures = timeline_pictures(experiment, answers.windows) | pictures
        write_report(out / REPORT, results, predictions, folder.metrics(), pictures)
    return results


def _check_data(folder: RunFolder, out: Path) -> None:
    """Refuse figures of other data than those on disk; where there are none any more, say so.

    Raises:
        ProtocolError: see `open_experiment`.
    """
    root = folder.recipe().dataset.path
    if root is not None and Path(root).is_dir():
        open_experiment(folder)
    else:
        logger.warning("%s was measured before; its data are not in %s any more and were not compared", out, root)


def teacher_beside(experiment: Experiment, folder: RunFolder, ids: Sequence[str]) -> TeacherFigures | None:
    """The (first) teacher's figures on the same recordings; None where the run knows no teacher, or that was trained on
    some of them, as it may have been on those that a student sets aside for its own validation.

    Raises:
        RunError: its run is gone, or another one lies in its place.
    """
    run = _teacher_run(folder)
    if run is None:
        return None
    learned = RunFolder(run).learned()
    known = set(ids).intersection(learned.train) if learned is not None else ()
    if known:
        logger.warning(
            "the teacher's figure is left out: %s was trained on %d of these recordings, %d in all",
            run,
            len(known),
            len(ids),
        )
        return None
    return teacher_figures(teacher_predictions(experiment, run, ids))


def _teacher_run(folder: RunFolder) -> Path | None:
    """The run of the (first) teacher that a run was trained with; None where it knows none.

    Raises:
        RunError: it is gone, or another one lies in its place.
    """
    runs, hashes = folder.teacher_runs(), folder.facts().get("teacher_hashes", ())
    if not runs:
        return None
    weights = RunFolder(runs[0]).weights_file
    if not weights.is_file():
        problem = "it is not there any more"
    elif hashes and sha256_file(weights) != hashes[0]:
        problem = "its weights are not those any more that the student was trained with"
    else:
        return runs[0]
    raise RunError(
        f"{runs[0]}, the teacher of {folder.path}, whose figure stands beside the student's: {problem}",
        "Put that run back there, or train the student again in a new folder",
    )


def _results(
    experiment: Experiment,
    folder: RunFolder,
    answers: Answers,
    teacher: TeacherFigures | None,
    split: SplitName,
    seconds: float,
) -> Results:
    recipe, facts = experiment.recipe, folder.facts()
    is_teacher = folder.role == "teacher"
    ids = split_ids(experiment, folder, split)
    return build_results(
        answers.predictions,
        over_time=over_time(answers, experiment),
        kind="teacher" if is_teacher else "student",
        recipe=recipe.name,
        dataset=recipe.dataset.name,
        network=recipe.student.network.name,
        distiller=None if is_teacher else recipe.distiller.title,
        protocol=stamp(experiment),
        data=data_stamp(experiment),
        labels=labels_stamp(experiment),
        split=split,
        seed=recipe.seed,
        teacher=teacher,
        timings={"train": folder.training()["seconds"], "evaluate": round(seconds, 2)},
        left_out=left_out(experiment.inputs, ids),
        notes=_notes(experiment, folder, ids),
        model_bytes=folder.weights_file.stat().st_size,
        parameters=folder.training()["parameters"],
        environment={
            "vskd": facts["vskd"],
            "torch": facts["packages"]["torch"],
            "accelerator": facts["accelerator"],
            "threads": str(facts["torch_threads"]),
        },
    )


def _notes(experiment: Experiment, folder: RunFolder, ids: Sequence[str]) -> list[str]:
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
    found = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found while indexing the data set: {named}."
    return [
        selection,
        f"{training['train']} training recordings." + _labels_note(experiment),
        *_untaught_note(experiment, ids),
        *([found] if problems else []),
        *_copies_note(folder),
    ]


def _untaught_note(experiment: Experiment, ids: Sequence[str]) -> Iterator[str]:
    """Names classes that are asked for, and that no label in training says; nothing where there are none."""
    asked, taught = (
        {label for i in some for label in experiment.recordings[i].classes} for some in (ids, experiment.labelled)
    )
    untaught = [experiment.index.labels[label] for label in sorted(asked - taught)]
    if untaught:
        named = first_few(untaught, NAMED_PROBLEMS, ", ")
        yield f"{len(untaught)} tested class(es) had no label in training: {named}."


def _copies_note(folder: RunFolder) -> Iterator[str]:
    """Says that recordings nearly equal training ones, or that nobody looked; nothing where none do."""
    copies = folder.facts().get("near_copies") or {}
    if copies.get("skipped"):
        yield f"Near copies of training recordings were not looked for: {copies['skipped']}."
    pairs = [f"{one} = {other}" for one, other in copies.get("pairs", ())]
    if pairs:
        yield (
            f"{len(pairs)} test or validation recording{'s' if len(pairs) > 1 else ''} nearly equal a training one, so "
            f"that figures on them are too good: {first_few(pairs, NAMED_PROBLEMS, ', ')}."
        )


def _labels_note(experiment: Experiment) -> str:
    """Says who carried labels, where not everybody did."""
    setting = experiment.setting
    if not setting.unlabelled:
        return ""
    return (
        f" Labels: {setting.title}; {len(setting.labelled)} of them carried one, the other {len(setting.unlabelled)} "
        f"were pairs without labels."
    )
