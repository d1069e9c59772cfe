"""Export the student of a run folder: contract, calibration and validation recordings come from its recipe and data."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vskd.bundle.budget import Budget, Measure, check_fits
from vskd.bundle.contract import (
    Contract,
    ProtocolRecord,
    Provenance,
    SplitSizes,
)
from vskd.bundle.encoding import Sample, model_input
from vskd.bundle.learned import LearnedFrom, learned_from
from vskd.datasets.recording import UNLABELLED
from vskd.distillation.experiment import Experiment
from vskd.distillation.model import Model, load_model
from vskd.distillation.renewal import renewing
from vskd.distillation.run import RunFolder
from vskd.errors import RecipeError, RunError, as_recipe_error
from vskd.evaluation.evaluate import open_experiment
from vskd.export.candidates import Inspect
from vskd.export.int8.fine_tuning import fine_tuning
from vskd.export.int8.layer_error import layer_errors, render_layer_errors
from vskd.export.prune import prune_stem
from vskd.export.scoring import LabelledWindow
from vskd.export.ship import ExportReport, export_model
from vskd.files import write_text
from vskd.models.squeezenet_lw import SqueezeNetLW

logger = logging.getLogger(__name__)

FEWEST_OUTSIDE = 30
"""Recordings that tell how much accuracy int8 loses: of fewer, a single one is more than 3 points."""
LAYER_SAMPLES = 8
"""Samples on which the error of each operator is measured."""


def export_run(
    run: Path,
    out: Path,
    *,
    settings: Sequence[str] = (),
    layers: Path | None = None,
    measure: Measure | None = None,
) -> ExportReport:
    """Write the bundle of a finished student run.

    Calibration uses training recordings only; accuracy and parity are measured on the validation recordings, or, where
    the run was trained without any, on training recordings with labels, which the bundle says: those outside the
    calibration or, where these are fewer than `FEWEST_OUTSIDE`, all.

    Args:
        run: a finished student run.
        out: the bundle's folder.
        settings: `export.key=value`, in place of what the run's recipe says there.
        layers: Markdown file for the error of each operator of the int8 model, written even if the export is refused.
        measure: what a model needs on a device: `vskd.firmware_bridge.footprint.measure_needs`. Only recipes with a
            hardware budget need it.

    Raises:
        RunError: not a finished student run.
        RecipeError: a setting is not one of export, or not allowed.
        BundleError: int8 loses more than the recipe allows, or the model does not fit its hardware budget; nothing is
            written.
    """
    folder = RunFolder.open(run)
    if folder.role != "student":
        raise RunError(f"{run} is a teacher's run; only students are exported", "Name the run folder of `vskd distill`")
    folder.require_complete()
    return renewing(lambda: _export(folder, out, settings, layers, measure))


def _export(
    folder: RunFolder, out: Path, settings: Sequence[str], layers: Path | None, measure: Measure | None
) -> ExportReport:
    experiment = _with_settings(open_experiment(folder), settings)
    recipe, inputs, export = experiment.recipe, experiment.inputs, experiment.recipe.export
    split = experiment.training_split(recipe.student.training)
    train = experiment.only(split.train, inputs.ids, inputs.name)
    calibration, rest = _spread(train, export.calibration_recordings)
    validation = experiment.only(split.validation, inputs.ids, inputs.name)
    outside = _labelled(experiment, rest)
    checking = validation or (outside if len(outside) >= FEWEST_OUTSIDE else _labelled(experiment, train))
    contract = _contract(experiment, train)
    fits = _fits(export.budget, contract, measure)
    samples = list(_samples(experiment, calibration))
    trained = load_model(folder.path, inputs, experiment.classes)
    return export_model(
        model=_pruned(trained, export.prune_stem),
        trained=trained,
        calibration=samples,
        validation=_labelled_windows(experiment, checking),
        contract=contract,
        provenance=_provenance(experiment, len(train), len(validation)),
        max_accuracy_drop=export.max_accuracy_drop,
        out=out,
        input_type=export.input_type,
        output_type=export.output_type,
        validation_split="validation" if validation else "train",
        fine_tuning=fine_tuning(recipe, inputs, train),
        inspect=None if layers is None else _layer_table(layers, samples, contract),
        learned=_learned(experiment, folder, (*train, *validation)),
        fits=fits,
    )


def _fits(budget: Budget | None, contract: Contract, measure: Measure | None) -> Callable[[bytes], None] | None:
    """The check of the hardware budget; None where the recipe has none.

    Raises:
        RecipeError: there is a budget, and nothing to measure by.
    """
    if budget is None:
        return None
    if measure is None:
        raise RecipeError(
            "The recipe has a hardware budget (export.budget), and this export does not measure what a model needs",
            "Export with `vskd export`, pass measure=vskd.firmware_bridge.footprint.measure_needs, or set "
            "export.budget=null",
        )
    return lambda content: check_fits(measure(content, contract), budget)


def _learned(experiment: Experiment, folder: RunFolder, ids: Sequence[str]) -> LearnedFrom:
    """Fingerprints of what the student, or by the same streams whom it learned from, saw in training or selection."""
    own = folder.learned()
    found = {*experiment.inputs.fingerprints(ids), *(own.contents if own is not None else ())}
    for teacher in map(RunFolder, folder.teacher_runs()):
        learned = teacher.learned()
        if learned is not None and teacher.recipe().student.sees.streams == experiment.recipe.student.sees.streams:
            found.update(learned.contents)
    return learned_from(found, len(ids))


def _contract(experiment: Experiment, train: Sequence[str]) -> Contract:
    """What a bundle of the experiment's student asks of its input.

    Raises:
        RecipeError: what the student sees cannot be shipped.
    """
    with as_recipe_error(f"recipe {experiment.recipe.name}"):
        return experiment.inputs.contract(train, encoding_inside=bool(experiment.recipe.export.encoding_inside))


def _with_settings(experiment: Experiment, settings: Sequence[str]) -> Experiment:
    """The experiment with other settings of export; all others were fixed when the run was trained."""
    for setting in settings:
        if not setting.strip().startswith("export."):
            raise RecipeError(
                f"--set {setting}: an export changes nothing of how the run was trained",
                "Set keys of export only, e.g. --set export.fine_tuning=always",
            )
    return replace(experiment, recipe=experiment.recipe.updated(*settings))


def _pruned(model: Model, threshold: float | None) -> Model:
    """The model without near-dead stem filters; the recipe's schema lets only squeezenet-lw be pruned."""
    if not threshold or not isinstance(model.network, SqueezeNetLW):
        return model
    pruning = prune_stem(model.network, threshold=threshold)
    logger.info("removed %d stem filters, %d are left", len(pruning.removed), pruning.kept)
    return Model(model.front, pruning.network).eval()


def _layer_table(path: Path, samples: Sequence[tuple[str, Sample]], contract: Contract) -> Inspect:
    """Writes the error of each operator, measured on a few calibration samples."""

    def write(float_model: bytes, int8_model: bytes) -> None:
        chosen = [model_input(sample, contract) for _, sample in samples[:LAYER_SAMPLES]]
        write_text(path, render_layer_errors(layer_errors(float_model, int8_model, chosen)) + "\n")

    return write


def _spread(ids: Sequence[str], count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`count` of the sorted ids, evenly spread so that classes and people are all there; and the others."""
    positions = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
    chosen = {ids[p] for p in positions}
    return tuple(i for i in ids if i in chosen), tuple(i for i in ids if i not in chosen)


def _labelled(experiment: Experiment, train: Sequence[str]) -> tuple[str, ...]:
    """Those of some training recordings whose labels may be looked at."""
    return tuple(i for i in train if i not in experiment.unlabelled)


def _labelled_windows(experiment: Experiment, ids: tuple[str, ...]) -> list[LabelledWindow]:
    """Samples of recordings with their labels; a window that shows another class than its recording counts by itself.

    Windows of long recordings that nobody labelled are left out.
    """
    inputs = experiment.inputs
    found: list[LabelledWindow] = []
    long = {i for i in ids if experiment.recordings[i].timeline}
    for batch in inputs.batches(ids, batch_size=experiment.recipe.student.training.batch_size):
        samples = inputs.deployed(batch.inputs)
        for recording, sample, label in zip(batch.ids, samples, batch.labels.tolist(), strict=True):
            name = f"{recording}#{len(found)}" if recording in long else recording
            own = label if recording in long else experiment.recordings[recording].label
            found += [LabelledWindow(name, sample, own)] if own != UNLABELLED else []
    return found


def _samples(experiment: Experiment, ids: tuple[str, ...]) -> Iterator[tuple[str, Sample]]:
    """Samples of recordings as the contract describes them."""
    inputs = experiment.inputs
    for batch in inputs.batches(ids, batch_size=experiment.recipe.student.training.batch_size):
        yield from zip(batch.ids, inputs.deployed(batch.inputs), strict=True)


def _provenance(experiment: Experiment, train: int, validation: int) -> Provenance:
    recipe, split = experiment.recipe, experiment.split
    return Provenance(
        recipe=recipe.name,
        dataset=recipe.dataset.name,
        protocol=ProtocolRecord(name=split.protocol, hash=split.protocol_hash, fold=split.fold),
        split_sizes=SplitSizes(train=train, validation=validation, test=len(split.test)),
        labels=experiment.index.labels,
        seed=recipe.seed,
    )
